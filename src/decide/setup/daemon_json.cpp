#include "decide/setup/daemon_json.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/decide_daemon_json.h"
#include "base/messages/format_json.h"
#include "decide/setup/dockerd_flags.h"
#include "format/engine_version.h"
#include "format/json_edit.h"
#include "format/json_writer.h"

namespace estiva::decide {
namespace {

using format::EngineVersion;
using format::JsonEdit;
using format::JsonPath;
using format::JsonType;
using format::JsonValue;
using Found = Result<std::optional<JsonValue>>;

// Sizes as seed 001 wants them: 50 MB a container.
constexpr std::string_view kMaxSize = "10m", kMaxFile = "5";
constexpr std::string_view kRuntimeProgram = "nvidia-container-runtime";

// A byte order mark in daemon.json is skipped (moby PR 44777).
constexpr EngineVersion kReadsByteOrderMark{23, 0};
// --add-runtime and "runtimes" may be used together; measured with 20.10.24.
constexpr EngineVersion kMergesRuntimes{20, 10};
// CDI can be switched on with "features".
constexpr EngineVersion kHasCdi{25, 0};
// CDI is on without a word, and is there before containers are started again (moby 49989).
constexpr EngineVersion kCdiByDefault{28, 2};

// Settings that a reload takes over.
constexpr std::array<std::string_view, 17> kReloadable{"authorization-plugins",
                                                       "debug",
                                                       "default-cgroupns-mode",
                                                       "default-ipc-mode",
                                                       "default-runtime",
                                                       "default-shm-size",
                                                       "features",
                                                       "insecure-registries",
                                                       "labels",
                                                       "live-restore",
                                                       "max-concurrent-downloads",
                                                       "max-concurrent-uploads",
                                                       "max-download-attempts",
                                                       "network-diagnostic-port",
                                                       "registry-mirrors",
                                                       "runtimes",
                                                       "shutdown-timeout"};

std::string as_json(std::string_view text) {
  std::string json;
  format::append_json_string(json, text);
  return json;
}

bool is_null(const std::optional<JsonValue>& value) {
  return !value || value->type == JsonType::null;
}

std::string text_of(const std::optional<JsonValue>& value) {
  return value && value->type == JsonType::text ? format::unquote_json(value->text) : std::string();
}

// Go takes members of an object for its fields whatever their case is.
bool same_name(std::string_view a, std::string_view lower) {
  return std::equal(a.begin(), a.end(), lower.begin(), lower.end(), [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

class Planner {
 public:
  Planner(const DaemonJsonInput& input, JsonEdit doc)
      : input_(input),
        doc_(std::move(doc)),
        version_(format::parse_engine_version(input.engine_version)),
        flags_(parse_dockerd_flags(input.arguments)) {}

  Result<DaemonJsonPlan> run() {
    if (auto done = conflicts(); !done) return tl::unexpected(done.error());
    byte_order_mark();
    using Part = Result<void> (Planner::*)();
    for (const Part part :
         {&Planner::cdi, &Planner::runtime, &Planner::default_runtime, &Planner::logs}) {
      if (auto done = (this->*part)(); !done) return tl::unexpected(done.error());
    }
    if (plan_.changes.empty()) {
      plan_.text = doc_.text();
      return plan_;
    }
    auto text = doc_.finish();
    if (!text) return tl::unexpected(text.error());
    plan_.text = *std::move(text);
    return plan_;
  }

 private:
  void note(std::string_view rule, std::string text, std::string_view remedy) {
    plan_.notes.push_back({std::string(rule), std::move(text), std::string(remedy)});
  }

  Result<void> change(const JsonPath& path, const std::string& json, std::string reason) {
    const Found before = doc_.find(path);
    if (!before) return tl::unexpected(before.error());
    DaemonJsonChange change{format::in_words(path), {}, json, std::move(reason), {}};
    if (*before) change.before = (*before)->text;
    change.takes = takes_effect(change.path, false);
    plan_.changes.push_back(std::move(change));
    return doc_.set(path, json);
  }

  // The words of all flags for a setting, "--feature a=true --feature b=false"; empty: none.
  std::string on_command_line(std::string_view key) const {
    std::vector<std::string_view> words;
    for (const DockerdFlag& flag : flags_) {
      if (flag.key == key) words.push_back(flag.words);
    }
    return fmt::format("{}", fmt::join(words, " "));
  }

  unsigned line_of(const JsonValue& value) const { return doc_.place_of(value).line; }

  Result<void> conflicts() {
    const auto both = flag_conflicts(flags_, doc_);
    if (!both) return tl::unexpected(both.error());
    std::vector<std::string_view> told;
    for (const DockerdFlag& flag : *both) {
      if (std::find(told.begin(), told.end(), flag.key) != told.end()) continue;
      told.push_back(flag.key);
      note("K8", fmt::format(msg::kDaemonConflict, flag.key, on_command_line(flag.key)),
           msg::kDaemonConflictHow);
    }
    return {};
  }

  void byte_order_mark() {
    if (!doc_.has_byte_order_mark() || !version_ || *version_ >= kReadsByteOrderMark) return;
    doc_.drop_byte_order_mark();
    plan_.changes.push_back({std::string(msg::kDaemonMarkName),
                             as_json("\xEF\xBB\xBF"),
                             {},
                             fmt::format(msg::kDaemonByteOrderMark, input_.engine_version),
                             Takes::restart});
  }

  Result<void> cdi();
  Result<void> spec_dirs();
  Result<void> runtime();
  Result<void> missing_runtime();
  Result<void> registered_runtime();
  Result<void> default_runtime();
  Result<void> logs();
  Result<void> log_limits(bool has_driver);

  const DaemonJsonInput& input_;
  JsonEdit doc_;
  std::optional<EngineVersion> version_;
  std::vector<DockerdFlag> flags_;
  DaemonJsonPlan plan_;
};

Result<void> Planner::cdi() {
  if (!input_.wish.cdi) return {};
  const std::string& version = input_.engine_version;
  if (!version_) {
    note("", std::string(msg::kDaemonNoVersion), msg::kDaemonNoVersionHow);
    return {};
  }
  if (*version_ < kHasCdi) {
    note("K3", fmt::format(msg::kDaemonNoCdi, version), msg::kDaemonNoCdiHow);
    return {};
  }
  const bool by_default = *version_ >= kCdiByDefault;
  if (!by_default)
    note("K4", fmt::format(msg::kDaemonRestartLoses, version), msg::kDaemonRestartLosesHow);
  const JsonPath path{"features", "cdi"};
  const Found found = doc_.find(path);
  if (!found) return tl::unexpected(found.error());
  const std::optional<JsonValue>& value = *found;
  if (!is_null(value) && value->type != JsonType::boolean)
    return tl::unexpected(doc_.wrong_type(path, *value, msg::kJsonIsBoolean));
  const std::string flag = on_command_line("features");
  const bool is_on = value ? value->text == "true" : by_default;
  if (!flag.empty()) {
    const bool flag_on = std::any_of(flags_.begin(), flags_.end(), [](const DockerdFlag& one) {
      return one.key == "features" && (one.value == "cdi" || one.value == "cdi=true");
    });
    const bool flag_off = flag.find("cdi=false") != flag.npos;
    if (!flag_on && (!by_default || flag_off))
      note("K3", fmt::format(msg::kDaemonFeatureFlag, flag), msg::kDaemonFeatureFlagHow);
  } else if (!is_on) {
    const std::string_view why = by_default ? msg::kDaemonCdiWasOff : msg::kDaemonCdi;
    if (auto done = change(path, "true", fmt::format(fmt::runtime(why), version)); !done)
      return done;
  }
  return spec_dirs();
}

Result<void> Planner::spec_dirs() {
  const Found value = doc_.find({"cdi-spec-dirs"});
  if (!value) return tl::unexpected(value.error());
  if (!*value || (*value)->type != JsonType::array) return {};
  std::string bare((*value)->text);
  std::erase_if(bare, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; });
  if (bare == R"([""])")
    note("K3", fmt::format(msg::kDaemonNoSpecDirs, line_of(**value)), msg::kDaemonNoSpecDirsHow);
  return {};
}

Result<void> Planner::runtime() {
  const JsonPath path{"runtimes", "nvidia"};
  const Found value = doc_.find(path);
  if (!value) return tl::unexpected(value.error());
  if (!is_null(*value)) {
    if ((*value)->type != JsonType::object)
      return tl::unexpected(doc_.wrong_type(path, **value, msg::kJsonIsObject));
    return registered_runtime();
  }
  return input_.wish.nvidia_runtime.empty() ? Result<void>() : missing_runtime();
}

Result<void> Planner::missing_runtime() {
  const std::string& program = input_.wish.nvidia_runtime;
  for (const DockerdFlag& flag : flags_) {
    if (flag.key == "runtimes" && flag.value.starts_with("nvidia=")) return {};
  }
  const bool is_old = version_ && *version_ < kMergesRuntimes;
  if (is_old && !on_command_line("runtimes").empty()) {
    note("K8", fmt::format(msg::kDaemonRuntimeOld, input_.engine_version),
         msg::kDaemonRuntimeOldHow);
    return {};
  }
  auto done = change({"runtimes", "nvidia", "path"}, as_json(program),
                     fmt::format(msg::kDaemonRuntime, program));
  if (!done) return done;
  return change({"runtimes", "nvidia", "args"}, "[]", std::string(msg::kDaemonRuntimeArgs));
}

Result<void> Planner::registered_runtime() {
  const JsonPath runtime{"runtimes", "nvidia"};
  const auto names = doc_.names(runtime);
  if (!names) return tl::unexpected(names.error());
  const std::string& program = input_.wish.nvidia_runtime;
  const auto called = [&](std::string_view lower) {
    return std::find_if(names->begin(), names->end(),
                        [&](const std::string& name) { return same_name(name, lower); });
  };
  const auto name = called("path");
  if (name == names->end()) {
    // A shim instead of a program is somebody's choice; nothing at all is not.
    if (called("runtimetype") != names->end() || program.empty()) return {};
    return change({"runtimes", "nvidia", "path"}, as_json(program),
                  fmt::format(msg::kDaemonRuntime, program));
  }
  const JsonPath path{"runtimes", "nvidia", *name};
  const Found value = doc_.find(path);
  if (!value) return tl::unexpected(value.error());
  if (!is_null(*value) && (*value)->type != JsonType::text)
    return tl::unexpected(doc_.wrong_type(path, **value, msg::kJsonIsText));
  const std::string now = text_of(*value);
  if (program.empty()) {
    note("K11", fmt::format(msg::kDaemonRuntimeGone, now, line_of(**value)),
         msg::kDaemonRuntimeGoneHow);
    return {};
  }
  if (now.empty() || now == kRuntimeProgram)
    return change(path, as_json(program), std::string(msg::kDaemonRuntimePath));
  if (now != program)
    note("", fmt::format(msg::kDaemonRuntimeOther, now, line_of(**value), program),
         msg::kDaemonRuntimeOtherHow);
  return {};
}

Result<void> Planner::default_runtime() {
  for (const DockerdFlag& flag : flags_) {
    if (flag.key == "default-runtime" && flag.value == "nvidia")
      note("P8", std::string(msg::kDaemonDefaultFlag), msg::kDaemonDefaultFlagHow);
  }
  const JsonPath path{"default-runtime"};
  const Found value = doc_.find(path);
  if (!value) return tl::unexpected(value.error());
  if (text_of(*value) != "nvidia") return {};
  if (!input_.wish.unset_default_runtime) {
    note("P8", fmt::format(msg::kDaemonDefaultFound, line_of(**value)),
         msg::kDaemonDefaultFoundHow);
    return {};
  }
  plan_.changes.push_back({"default-runtime",
                           std::string((*value)->text),
                           {},
                           std::string(msg::kDaemonDefaultRuntime),
                           takes_effect("default-runtime", true)});
  const auto removed = doc_.remove(path);
  return removed ? Result<void>() : tl::unexpected(removed.error());
}

Result<void> Planner::logs() {
  if (!input_.wish.log_rotation) return {};
  const bool flagged =
      !on_command_line("log-driver").empty() || !on_command_line("log-opts").empty();
  if (flagged) {
    note("", std::string(msg::kDaemonLogFlag), msg::kDaemonLogFlagHow);
    return {};
  }
  const Found driver = doc_.find({"log-driver"});
  if (!driver) return tl::unexpected(driver.error());
  if (!is_null(*driver) && (*driver)->type != JsonType::text)
    return tl::unexpected(doc_.wrong_type({"log-driver"}, **driver, msg::kJsonIsText));
  const std::string name = text_of(*driver);
  // Of the others only local keeps files, and it limits them by itself (5 of 20 MB).
  if (!name.empty() && name != "json-file") return {};
  return log_limits(!name.empty());
}

// max-file alone limits nothing, and json-file keeps one file where only max-size is given.
Result<void> Planner::log_limits(bool has_driver) {
  const auto given = doc_.names({"log-opts"});
  if (!given) return tl::unexpected(given.error());
  const Found size = doc_.find({"log-opts", "max-size"});
  const Found files = doc_.find({"log-opts", "max-file"});
  if (!size) return tl::unexpected(size.error());
  if (!files) return tl::unexpected(files.error());
  for (const auto& [name, value] : {std::pair{"max-size", *size}, std::pair{"max-file", *files}}) {
    if (!is_null(value) && value->type != JsonType::text)
      return tl::unexpected(doc_.wrong_type({"log-opts", name}, *value, msg::kJsonIsText));
  }
  if (!is_null(*size)) return {};
  const bool has_files = !is_null(*files);
  if (!has_driver && given->empty()) {
    auto done = change({"log-driver"}, as_json("json-file"), std::string(msg::kDaemonLogDriver));
    if (!done) return done;
  }
  auto done = change({"log-opts", "max-size"}, as_json(kMaxSize), std::string(msg::kDaemonLogSize));
  if (!done || has_files) return done;
  return change({"log-opts", "max-file"}, as_json(kMaxFile), std::string(msg::kDaemonLogFiles));
}

}  // namespace

Takes DaemonJsonPlan::takes() const {
  Takes most = Takes::nothing;
  for (const DaemonJsonChange& change : changes) most = std::max(most, change.takes);
  return most;
}

Result<DaemonJsonPlan> plan_daemon_json(const DaemonJsonInput& input) {
  auto doc = JsonEdit::parse(input.text.value_or(""), input.file);
  if (!doc) return tl::unexpected(doc.error());
  return Planner(input, *std::move(doc)).run();
}

Takes takes_effect(std::string_view path, bool is_removed) {
  const std::string_view key = path.substr(0, path.find('.'));
  if (path == "features.cdi" || (is_removed && path == "default-runtime")) return Takes::restart;
  const bool reloads = std::find(kReloadable.begin(), kReloadable.end(), key) != kReloadable.end();
  return reloads ? Takes::reload : Takes::restart;
}

std::string_view to_name(Takes takes) {
  static constexpr std::array<std::string_view, 3> kNames{"nothing", "reload", "restart"};
  return kNames[static_cast<std::size_t>(takes)];
}

}  // namespace estiva::decide
