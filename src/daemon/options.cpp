#include "daemon/options.h"

#include <fmt/format.h>

#include "base/messages/daemon.h"
#include "format/listen.h"
#include "format/size.h"
#include "format/text.h"
#include "host/settings_file.h"

namespace estiva::daemon {
namespace {

struct Given {
  api::PlaceFlags places;
  std::string config, interval;
  DaemonOptions options;
  std::string listen, gateway;
};

struct Flag {
  std::string_view name;
  std::string* value;  // null: a switch
  bool* set;
};

Result<void> take(std::span<char*> arguments, std::span<const Flag> flags) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    std::optional<std::string_view> value;
    if (const std::size_t equal = word.find('='); equal != std::string_view::npos) {
      value = word.substr(equal + 1);
      word = word.substr(0, equal);
    }
    const auto flag =
        std::find_if(flags.begin(), flags.end(), [word](const Flag& f) { return f.name == word; });
    if (flag == flags.end()) {
      std::vector<std::string_view> names;
      for (const Flag& known : flags) names.push_back(known.name);
      const auto near = format::nearest_name(word, names);
      return fail(ErrorKind::usage,
                  fmt::format(msg::kUnknownFlag, format::escape_for_terminal(word)),
                  near ? fmt::format(msg::kMeantFlag, *near) : std::string(msg::kSeeHelp));
    }
    if (flag->value == nullptr) {
      if (value) return fail(ErrorKind::usage, fmt::format(msg::kFlagTakesNothing, word));
      *flag->set = true;
      continue;
    }
    if (!value && i + 1 < arguments.size()) value = arguments[++i];
    if (!value || value->empty()) {
      return fail(ErrorKind::usage, fmt::format(msg::kFlagNeedsValue, word));
    }
    *flag->value = *value;
  }
  return {};
}

// "127.0.0.1:7701,docker"; none for "off".
std::vector<std::string> listeners_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty() && text != "off") {
    const std::size_t end = std::min(text.find(','), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

Result<DaemonOptions> complete(Given given) {
  DaemonOptions options = std::move(given.options);
  options.places = api::resolve_places(given.places);
  auto loaded = host::read_settings(given.config);
  if (!loaded) return Failure(loaded.error());
  options.settings = std::move(loaded->settings);
  options.settings_file = std::move(loaded->file);
  format::DaemonSettings& settings = options.settings.daemon;
  api::PlaceFlags places = given.places;
  // A flag or the environment wins over the file.
  if (places.state_dir.empty() && api::process_environment("ESTIVA_STATE_DIR").empty()) {
    places.state_dir = settings.state_dir;
  }
  if (places.runtime_dir.empty() && api::process_environment("ESTIVA_RUNTIME_DIR").empty()) {
    places.runtime_dir = settings.runtime_dir;
  }
  options.places = api::resolve_places(places);
  if (!given.interval.empty()) {
    auto interval = format::parse_duration(given.interval);
    if (!interval) return Failure(interval.error().in("--interval"));
    settings.interval = *interval;
    if (settings.interval < std::chrono::milliseconds(50) ||
        settings.interval > std::chrono::hours(1)) {
      return fail(ErrorKind::usage, msg::kIntervalRange);
    }
  }
  if (!given.gateway.empty()) options.settings.gateway.listen = listeners_of(given.gateway);
  options.listen = given.listen.empty() ? settings.listen : given.listen;
  if (options.listen != "off") {
    if (auto one = format::parse_listen(options.listen); !one) return Failure(one.error());
  }
  for (const std::string& word : options.settings.gateway.listen) {
    if (auto one = format::parse_gateway_listen(word); !one) return Failure(one.error());
  }
  return options;
}

}  // namespace

Result<ParsedOptions> parse_options(std::span<char*> arguments) {
  Given given;
  bool help = false;
  bool version = false;
  const Flag flags[] = {
      {"--state-dir", &given.places.state_dir, nullptr},
      {"--runtime-dir", &given.places.runtime_dir, nullptr},
      {"--config", &given.config, nullptr},
      {"--listen", &given.listen, nullptr},
      {"--interval", &given.interval, nullptr},
      {"--nvml", &given.options.nvml_file, nullptr},
      {"--root", &given.options.root, nullptr},
      {"--machine", &given.options.machine, nullptr},
      {"--sensor", &given.options.sensor_program, nullptr},
      {"--kernel-log", &given.options.kernel_log, nullptr},
      {"--simulated", nullptr, &given.options.simulated},
      {"--fresh-state", nullptr, &given.options.fresh_state},
      {"--stop-models", nullptr, &given.options.stop_models},
      {"--gateway", &given.gateway, nullptr},
      {"--launcher", &given.options.launcher, nullptr},
      {"--gateway-apart", nullptr, &given.options.gateway_apart},
      {"--exec-gateway", nullptr, &given.options.exec_gateway},
      {"--test-crash-point", &given.options.crash_point, nullptr},
      {"--help", nullptr, &help},
      {"--version", nullptr, &version},
  };
  if (auto taken = take(arguments, flags); !taken) return Failure(taken.error());
  if (help) return ParsedOptions{std::nullopt, msg::kDaemonHelp};
  if (version) return ParsedOptions{std::nullopt, "estivad " ESTIVA_VERSION "\n"};
  auto options = complete(std::move(given));
  if (!options) return Failure(options.error());
  return ParsedOptions{std::move(*options), {}};
}

}  // namespace estiva::daemon
