#include "format/settings.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/format.h"
#include "format/listen.h"
#include "format/model_settings.h"
#include "format/settings_reader.h"
#include "format/settings_values.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::format {
namespace {

using std::chrono::nanoseconds;
constexpr nanoseconds kShortestInterval = std::chrono::milliseconds(50);
constexpr nanoseconds kLongestInterval = std::chrono::hours(1);
constexpr std::size_t kMaxFolders = 32;

// What each setting accepts, for the errors.
constexpr std::string_view kAcceptsInterval =
    "a duration in quotes from 50ms to 1h, such as \"1s\"";
constexpr std::string_view kAcceptsIntervalSeconds = "a number of seconds from 0.05 to 3600";
constexpr std::string_view kAcceptsListen =
    "an address and a port in quotes, such as \"127.0.0.1:7700\", or \"off\"";
constexpr std::string_view kAcceptsGateway =
    "an address and a port in quotes, such as \"127.0.0.1:7701\", \"docker\", a list of them, or "
    "\"off\"";
constexpr std::string_view kTlsBoth = "TLS needs both the certificate and its private key";
constexpr std::string_view kAcceptsHosts = "a list of at most 32 names of hosts";
constexpr std::size_t kMaxGatewayListeners = 8;
constexpr std::string_view kAcceptsShape = "\"auto\", \"ntfy\", \"slack\", \"discord\" or \"json\"";
constexpr std::string_view kAcceptsFrom = "\"warn\", \"degraded\" or \"unhealthy\"";
constexpr std::string_view kAcceptsCommand = "a list of at most 64 texts, the program first";
constexpr std::string_view kAcceptsLogSize = "a size from \"64KiB\" to \"1GiB\"";
constexpr std::string_view kAcceptsKeep = "a number from 0 to 100";
constexpr std::string_view kAcceptsThousand = "a number from 1 to 1000";
constexpr std::string_view kAcceptsDockerHost = "\"unix:///PATH\", \"tcp://HOST:PORT\" or \"off\"";
constexpr std::string_view kAcceptsFolders = "a list of at most 32 absolute paths";
constexpr std::string_view kAcceptsLevel =
    "\"debug\", \"info\", \"notice\", \"warning\" or \"error\"";
constexpr std::string_view kAcceptsPolicy = "\"auto\", \"least-utilized\" or \"pack\"";
constexpr std::string_view kAcceptsWindow =
    "a duration in quotes up to 1h, such as \"5s\", or \"0s\"";
constexpr std::string_view kAcceptsTemperature = "a number of degrees Celsius from 30 to 120";

constexpr std::string_view kIntervalAlias = "gpu_monitoring_interval_seconds";
constexpr std::array<std::string_view, 13> kTopKeys = {
    "daemon", "placement", "leases",    "health", "paths",    "docker",      "events",
    "notify", "gateway",   "residency", "models", "interval", kIntervalAlias};
constexpr std::array<std::string_view, 7> kDaemonKeys = {
    "interval", kIntervalAlias, "listen", "history", "log_level", "state_dir", "runtime_dir"};
constexpr std::array<std::string_view, 6> kPlacementKeys = {
    "policy", "margin", "context_allowance", "foreign_window", "desktop_window", "desktop_reserve"};
constexpr std::array<std::string_view, 1> kLeaseKeys = {"per_client"};
constexpr std::array<std::string_view, 1> kHealthKeys = {"max_temperature"};
constexpr std::array<std::string_view, 2> kPathKeys = {"model_folders", "docker_root"};
constexpr std::array<std::string_view, 1> kDockerKeys = {"host"};
constexpr std::array<std::string_view, 3> kEventKeys = {"file", "max_size", "keep"};
constexpr std::array<std::string_view, 5> kNotifyKeys = {"url", "shape", "command", "from",
                                                         "per_hour"};
constexpr std::array<std::string_view, 4> kGatewayKeys = {"listen", "hosts", "certificate",
                                                          "private_key"};
constexpr std::array<std::string_view, 3> kResidencyKeys = {"ttl", "battery_ttl", "host_memory"};
constexpr std::array<std::string_view, 3> kNotifyFrom = {"warn", "degraded", "unhealthy"};

Result<nanoseconds> checked_interval(nanoseconds span, std::string_view text,
                                     std::string_view accepted) {
  if (span < kShortestInterval || span > kLongestInterval) return not_accepted(text, accepted);
  return span;
}

Result<nanoseconds> parse_interval(std::string_view text) {
  const auto span = parse_duration(text);
  if (!span) return Failure(span.error());
  return checked_interval(*span, text, kAcceptsInterval);
}

Result<nanoseconds> parse_window(std::string_view text) {
  auto span = parse_duration(text);
  if (span && *span > kLongestInterval) return not_accepted(text, kAcceptsWindow);
  return span;
}

Result<std::string> parse_listen_setting(std::string_view text) {
  if (text == "off") return std::string(text);
  const auto address = parse_listen(text);
  if (!address) return Failure(address.error());
  return std::string(text);
}

Result<LogLevel> parse_log_level(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, LogLevel>, 5> kLevels = {
      {{"debug", LogLevel::debug},
       {"info", LogLevel::info},
       {"notice", LogLevel::notice},
       {"warning", LogLevel::warning},
       {"error", LogLevel::error}}};
  for (const auto& [name, level] : kLevels) {
    if (name == text) return level;
  }
  return not_accepted(text, kAcceptsLevel);
}

// One text or a list of them; "off" stands alone.
void read_gateway(SectionReader& section, GatewaySettings& out) {
  const toml::node* listen = section.node("listen");
  std::optional<std::vector<std::string>> words;
  if (listen != nullptr && listen->is_string()) {
    if (auto one = section.text("listen", kAcceptsGateway)) words = {std::move(*one)};
  } else {
    words = section.texts("listen", kMaxGatewayListeners, kAcceptsGateway);
  }
  if (words && *words == std::vector<std::string>{"off"}) words->clear();
  for (const std::string& word : words.value_or(std::vector<std::string>())) {
    if (const auto read = parse_gateway_listen(word); !read) {
      section.wrong_value("listen", read.error().what,
                          fmt::format(msg::kAccepted, kAcceptsGateway));
    }
  }
  if (words) out.listen = std::move(*words);
  section.parsed("certificate", kAcceptsFolder, out.certificate, parse_folder);
  section.parsed("private_key", kAcceptsFolder, out.private_key, parse_folder);
  if (out.certificate.empty() != out.private_key.empty())
    section.missing(out.certificate.empty() ? "certificate" : "private_key", kTlsBoth);
  if (auto hosts = section.texts("hosts", kMaxFolders, kAcceptsHosts))
    out.hosts = std::move(*hosts);
}

void read_residency(SectionReader& section, ResidencySettings& out) {
  section.parsed("ttl", kAcceptsTime, out.ttl, parse_model_time);
  section.parsed("battery_ttl", kAcceptsTime, out.battery_ttl, parse_model_time);
  section.parsed("host_memory", kAcceptsSize, out.host_memory, parse_size_or_zero);
}

// One interval, three places to say it: at most one of them may.
void read_interval(SectionReader& top, SectionReader& daemon, nanoseconds& out) {
  const toml::node* said = nullptr;
  std::string_view said_as;
  for (auto* section : {&top, &daemon}) {
    for (const auto key : {std::string_view("interval"), kIntervalAlias}) {
      const toml::node* node = section->node(key);
      if (node == nullptr) continue;
      if (said != nullptr) return section->given_twice(key, *node, said_as, *said);
      said = node;
      said_as = key;
      if (key == "interval" || node->is_string()) {
        section->parsed(key, key == "interval" ? kAcceptsInterval : kAcceptsIntervalSeconds, out,
                        parse_interval);
      } else if (const auto seconds = section->number(key, 0.05, 3600, kAcceptsIntervalSeconds)) {
        out = nanoseconds(static_cast<std::int64_t>(*seconds * 1e9));
      }
    }
  }
}

void read_daemon(SectionReader& section, DaemonSettings& out) {
  section.parsed("listen", kAcceptsListen, out.listen, parse_listen_setting);
  out.history = section.boolean("history").value_or(out.history);
  section.parsed("log_level", kAcceptsLevel, out.log_level, parse_log_level);
  section.parsed("state_dir", kAcceptsFolder, out.state_dir, parse_folder);
  section.parsed("runtime_dir", kAcceptsFolder, out.runtime_dir, parse_folder);
}

void read_placement(SectionReader& section, PlacementSettings& out) {
  section.parsed("policy", kAcceptsPolicy, out.policy, parse_placement_choice);
  section.parsed("margin", kAcceptsSize, out.margin, parse_size_or_zero);
  section.parsed("context_allowance", kAcceptsSize, out.context_allowance, parse_size_or_zero);
  section.parsed("foreign_window", kAcceptsWindow, out.foreign_window, parse_window);
  section.parsed("desktop_window", kAcceptsWindow, out.desktop_window, parse_window);
  section.parsed("desktop_reserve", kAcceptsSize, out.desktop_reserve, parse_size_or_zero);
}

void read_leases(SectionReader& section, LeaseSettings& out) {
  if (const auto most = section.number("per_client", 1, 1000, kAcceptsThousand)) {
    out.per_client = static_cast<unsigned>(*most);
  }
}

void read_paths(SectionReader& section, PathSettings& out) {
  section.parsed("docker_root", kAcceptsFolder, out.docker_root, parse_folder);
  auto folders = section.texts("model_folders", kMaxFolders, kAcceptsFolders);
  if (!folders) return;
  for (const auto& folder : *folders) {
    if (const auto checked = parse_folder(folder); !checked) {
      return section.wrong_value("model_folders", checked.error().what, checked.error().remedy);
    }
  }
  out.model_folders = std::move(*folders);
}

Result<std::string> parse_docker_host(std::string_view text) {
  const bool good = text == "off" || text.starts_with("unix:///") || text.starts_with("tcp://") ||
                    text.starts_with("/");
  if (!good) return not_accepted(text, kAcceptsDockerHost);
  return std::string(text);
}

Result<NotifyShape> parse_shape(std::string_view text) {
  for (const auto shape : {NotifyShape::automatic, NotifyShape::ntfy, NotifyShape::slack,
                           NotifyShape::discord, NotifyShape::json}) {
    if (text == to_name(shape)) return shape;
  }
  return not_accepted(text, kAcceptsShape);
}

Result<std::string> parse_from(std::string_view text) {
  if (std::find(kNotifyFrom.begin(), kNotifyFrom.end(), text) == kNotifyFrom.end()) {
    return not_accepted(text, kAcceptsFrom);
  }
  return std::string(text);
}

Result<Bytes> parse_log_size(std::string_view text) {
  const auto size = parse_size(text);
  if (!size || *size < Bytes{64 << 10} || *size > Bytes{1 << 30}) {
    return not_accepted(text, kAcceptsLogSize);
  }
  return *size;
}

void read_events(SectionReader& section, EventSettings& out) {
  section.parsed("file", kAcceptsFolder, out.file, parse_folder);
  section.parsed("max_size", kAcceptsLogSize, out.max_size, parse_log_size);
  if (const auto keep = section.number("keep", 0, 100, kAcceptsKeep)) {
    out.keep = static_cast<unsigned>(*keep);
  }
}

void read_notify(SectionReader& section, NotifySettings& out) {
  section.parsed("url", kAcceptsUrl, out.url, parse_url);
  section.parsed("shape", kAcceptsShape, out.shape, parse_shape);
  section.parsed("from", kAcceptsFrom, out.from, parse_from);
  if (const auto most = section.number("per_hour", 1, 1000, kAcceptsThousand)) {
    out.per_hour = static_cast<unsigned>(*most);
  }
  if (auto command = section.texts("command", 64, kAcceptsCommand)) {
    out.command = std::move(*command);
  }
}

}  // namespace

std::string_view to_name(PlacementChoice choice) {
  switch (choice) {
    case PlacementChoice::automatic:
      return "auto";
    case PlacementChoice::least_utilized:
      return "least-utilized";
    case PlacementChoice::pack:
      return "pack";
  }
  return "auto";
}

std::string_view to_name(NotifyShape shape) {
  switch (shape) {
    case NotifyShape::automatic:
      return "auto";
    case NotifyShape::ntfy:
      return "ntfy";
    case NotifyShape::slack:
      return "slack";
    case NotifyShape::discord:
      return "discord";
    case NotifyShape::json:
      return "json";
  }
  return "auto";
}

Result<PlacementChoice> parse_placement_choice(std::string_view text) {
  for (const auto choice :
       {PlacementChoice::automatic, PlacementChoice::least_utilized, PlacementChoice::pack}) {
    if (text == to_name(choice)) return choice;
  }
  return fail(ErrorKind::usage,
              fmt::format(msg::kPolicyNotKnown, escape_for_terminal(text.substr(0, 64))),
              std::string(msg::kPolicyHow));
}

Result<Settings> parse_settings(std::string_view text, std::string_view file) {
  if (text.size() > kMaxSettingsFile) {
    return fail(ErrorKind::usage,
                fmt::format(msg::kSettingsTooBig, file, to_text(Bytes{kMaxSettingsFile})),
                std::string(msg::kSettingsTooBigHow));
  }
  const toml::parse_result parsed = toml::parse(text, file);
  std::optional<Error> error;
  if (!parsed) {
    const auto where = SectionReader(file, "", nullptr, {}, error).place(parsed.error().source());
    return fail(ErrorKind::usage,
                fmt::format(msg::kSettingsSyntax, where,
                            escape_for_terminal(parsed.error().description().substr(0, 256))),
                std::string(msg::kSettingsSyntaxHow));
  }
  Settings settings;
  SectionReader top(file, "", &parsed.table(), kTopKeys, error);
  SectionReader daemon(file, "daemon", top.table("daemon"), kDaemonKeys, error);
  SectionReader placement(file, "placement", top.table("placement"), kPlacementKeys, error);
  SectionReader leases(file, "leases", top.table("leases"), kLeaseKeys, error);
  SectionReader health(file, "health", top.table("health"), kHealthKeys, error);
  SectionReader paths(file, "paths", top.table("paths"), kPathKeys, error);
  SectionReader docker(file, "docker", top.table("docker"), kDockerKeys, error);
  SectionReader events(file, "events", top.table("events"), kEventKeys, error);
  SectionReader notify(file, "notify", top.table("notify"), kNotifyKeys, error);
  SectionReader gateway(file, "gateway", top.table("gateway"), kGatewayKeys, error);
  SectionReader residency(file, "residency", top.table("residency"), kResidencyKeys, error);
  read_interval(top, daemon, settings.daemon.interval);
  read_daemon(daemon, settings.daemon);
  read_placement(placement, settings.placement);
  read_leases(leases, settings.leases);
  if (const auto limit = health.number("max_temperature", 30, 120, kAcceptsTemperature)) {
    settings.health.max_temperature = Celsius{*limit};
  }
  read_paths(paths, settings.paths);
  read_events(events, settings.events);
  read_notify(notify, settings.notify);
  docker.parsed("host", kAcceptsDockerHost, settings.docker.host, parse_docker_host);
  read_gateway(gateway, settings.gateway);
  read_residency(residency, settings.residency);
  read_models(file, top, settings.models, error);
  if (error) return Failure(std::move(*error));
  return settings;
}

bool has_commands(const Settings& settings) {
  return !settings.notify.command.empty() ||
         std::any_of(settings.models.begin(), settings.models.end(),
                     [](const ModelSpec& model) { return !model.command.empty(); });
}

}  // namespace estiva::format
