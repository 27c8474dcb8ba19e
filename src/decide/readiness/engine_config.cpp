// K7 to K11: daemon.json, against what dockerd accepts and what it runs with.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_doctor_engine.h"
#include "decide/readiness/engine_look.h"
#include "decide/readiness/finders.h"
#include "decide/readiness/unit_look.h"
#include "decide/setup/dockerd_flags.h"
#include "decide/setup/dockerd_keys.h"
#include "decide/setup/engine_unit.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

using format::JsonNode;

constexpr std::string_view kSnapshotter = "containerd-snapshotter";
constexpr std::string_view kSnapshotterDefault = "29.0";  // new installations have it from here on

// "3:30: after this comma nothing follows": an error of a file without the file's name.
std::string without_name(const std::string& what, const std::string& path) {
  return what.starts_with(path + ":") ? what.substr(path.size() + 1) : what;
}

bool is_known_runtime(const EngineFacts& engine, std::string_view name) {
  return std::ranges::find(engine.runtimes, name) != engine.runtimes.end();
}

std::string listed(const EngineFacts& engine) {
  return fmt::format(msg::kRuntimesAre, joined(engine.runtimes));
}

// A runtime of NVIDIA's that daemon.json declares and the engine does not list.
std::string unloaded_runtime(const EngineFacts& engine, const JsonNode& root) {
  const JsonNode runtimes = root["runtimes"];
  for (std::size_t i = 0; i < runtimes.size(); ++i) {
    const std::string_view name = runtimes.name_at(i);
    if (name.starts_with("nvidia") && !is_known_runtime(engine, name)) return std::string(name);
  }
  return {};
}

// The default runtime where nobody declares it: dockerd does not start.
std::string undeclared_default(const ReadinessFacts& facts, const JsonNode& root) {
  const std::string name(root["default-runtime"].text().value_or(""));
  if (!name.starts_with("nvidia") || root["runtimes"][name]) return {};
  const std::vector<std::string> words = dockerd_arguments(facts);
  const bool by_flag = std::ranges::any_of(
      words, [&](const std::string& word) { return word.find(name + "=") != word.npos; });
  return by_flag ? std::string() : name;
}

// Features of `before` that `now` has no word of.
std::vector<std::string> missing_features(const JsonNode& before, const JsonNode& now) {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const std::string_view name = before.name_at(i);
    if (name != "cdi" && !now[name]) missing.emplace_back(name);
  }
  return missing;
}

// Those that stood in the file before it was last changed; empty too where that is not known.
std::vector<std::string> features_of_before(const ReadinessFacts& facts, const JsonNode& now) {
  const auto before = json_object(facts.engine.daemon_json_before);
  return before ? missing_features(before->root()["features"], now) : std::vector<std::string>{};
}

bool runs_snapshotter(const ReadinessFacts& facts) {
  return facts.engine.info.find("io.containerd.snapshotter.v1") != std::string::npos &&
         !docker_is_at_least(facts, kSnapshotterDefault).value_or(true);
}

}  // namespace

Hits find_broken_daemon_json(const ReadinessFacts& facts) {
  const TextFile& file = facts.engine.daemon_json;
  const std::string_view text = json_text(file);
  if (!is_docker(facts) || text.empty()) return {};
  const auto fault = fault_of_daemon_json(*file.text, file.path, facts.engine.version);
  if (!fault) return {};
  const std::string why = without_name(fault->what, file.path);
  Evidence where{Evidence::Source::file, file.path, 0, {}};
  where.line = static_cast<unsigned>(format::parse_u64(why.substr(0, why.find(':'))).value_or(0));
  return {{.title = fmt::format(msg::kDaemonJsonBroken, file.path, why), .evidence = {where}}};
}

std::vector<std::string> dockerd_arguments(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  const bool is_plain = engine.kind == EngineKind::docker && !engine.is_rootless;
  const UnitFact* unit = is_plain ? find_unit(facts.units, unit_of_engine(engine)) : nullptr;
  if (unit == nullptr) return engine.arguments;
  const auto commands = unit_commands(*unit, "ExecStart");
  std::vector<std::string> words;
  for (const std::string& command : commands) {
    std::string_view rest = command, word;
    format::next_word(rest, word);  // the program
    while (format::next_word(rest, word)) words.emplace_back(word);
  }
  // "$DOCKER_OPTS" is only known to the process.
  const bool has_variable =
      std::ranges::any_of(words, [](const std::string& word) { return word.starts_with('$'); });
  const bool is_whole = !commands.empty() && (!has_variable || engine.arguments.empty());
  return is_whole ? words : engine.arguments;
}

std::vector<DoubledKey> doubled_keys(const ReadinessFacts& facts) {
  std::vector<DoubledKey> doubled;
  const auto tree = json_object(facts.engine.daemon_json);
  if (!is_docker(facts) || !tree) return doubled;
  for (const DockerdFlag& flag : parse_dockerd_flags(dockerd_arguments(facts))) {
    const bool is_known = std::ranges::find(doubled, flag.key, &DoubledKey::key) != doubled.end();
    // Runtimes may stand in both, the lists are put together.
    if (flag.key == "runtimes" || is_known || !tree->root()[flag.key]) continue;
    doubled.push_back({flag.key, flag.words.substr(0, flag.words.find_first_of("= "))});
  }
  return doubled;
}

Hits find_flag_and_file(const ReadinessFacts& facts) {
  const TextFile& file = facts.engine.daemon_json;
  const std::vector<DoubledKey> doubled = doubled_keys(facts);
  if (doubled.empty()) return {};
  const auto& [key, flag] = doubled.front();
  Hit hit{.title = fmt::format(msg::kFlagAndFile, key, file.path, flag),
          .evidence = {file_evidence(file, fmt::format("\"{}\"", key))}};
  const UnitFact* unit = find_unit(facts.units, "docker.service");
  if (unit != nullptr) hit.evidence.push_back({Evidence::Source::file, unit->path, 0, flag});
  return {hit};
}

Hits find_unknown_runtime(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  const TextFile& file = engine.daemon_json;
  if (!is_docker(facts)) return {};
  const auto tree = json_object(file);
  if (tree) {
    const std::string standard = undeclared_default(facts, tree->root());
    if (!standard.empty()) {
      return {{.title = fmt::format(msg::kDefaultRuntimeUnknown, standard, file.path),
               .evidence = {file_evidence(file, "\"default-runtime\"")}}};
    }
  }
  if (engine.runtimes.empty()) return {};
  if (tree) {
    const std::string unloaded = unloaded_runtime(engine, tree->root());
    if (!unloaded.empty()) {
      return {{.title = fmt::format(msg::kRuntimeNotLoaded, file.path, unloaded),
               .evidence = {file_evidence(file, fmt::format("\"{}\"", unloaded)),
                            engine_evidence(msg::kDockerInfo, listed(engine))},
               .remedy = std::string(msg::kReloadDocker)}};
    }
  }
  std::vector<const ContainerFact*> users;
  for (const ContainerFact& one : facts.containers) {
    if (one.runtime.starts_with("nvidia") && !is_known_runtime(engine, one.runtime))
      users.push_back(&one);
  }
  if (users.empty()) return {};
  return {{.title = fmt::format(msg::kRuntimeUnknown, names_of(users), users[0]->runtime),
           .evidence = {engine_evidence(msg::kDockerInfo, listed(engine))}}};
}

std::vector<std::string> lost_features(const ReadinessFacts& facts) {
  const auto now = json_object(facts.engine.daemon_json);
  // Only where a GPU set-up touched it: it wrote "cdi" there.
  if (!is_docker(facts) || !now || !now->root()["features"]["cdi"]) return {};
  const JsonNode features = now->root()["features"];
  std::vector<std::string> missing = features_of_before(facts, features);
  if (missing.empty() && runs_snapshotter(facts) && !features[kSnapshotter])
    missing.emplace_back(kSnapshotter);
  return missing;
}

Hits find_lost_features(const ReadinessFacts& facts) {
  const TextFile& file = facts.engine.daemon_json;
  const std::vector<std::string> missing = lost_features(facts);
  if (missing.empty()) return {};
  const auto before = json_object(facts.engine.daemon_json_before);
  if (before && before->root()["features"][missing[0]]) {
    return {{.title = fmt::format(msg::kFeaturesLost, file.path, joined(missing)),
             .evidence = {file_evidence(file, "\"features\""),
                          file_evidence(facts.engine.daemon_json_before,
                                        fmt::format("\"{}\"", missing[0]))}}};
  }
  return {{.title = fmt::format(msg::kSnapshotterLost, file.path),
           .evidence = {file_evidence(file, "\"features\""),
                        engine_evidence(msg::kDockerInfo, msg::kSnapshotterInUse)}}};
}

Hits find_runtime_not_found(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  const auto tree = json_object(engine.daemon_json);
  if (!is_docker(facts) || !sees_engine_host(facts) || !tree) return {};
  Hits hits;
  const JsonNode runtimes = tree->root()["runtimes"];
  for (std::size_t i = 0; i < runtimes.size(); ++i) {
    const std::string path(runtimes.at(i)["path"].text().value_or(""));
    const auto found = engine.runtime_paths.find(path);
    if (found == engine.runtime_paths.end() || found->second.is_executable) continue;
    hits.push_back({.title = fmt::format(msg::kRuntimeProgram, runtimes.name_at(i), path),
                    .evidence = {file_evidence(engine.daemon_json, fmt::format("\"{}\"", path))}});
  }
  return hits;
}

}  // namespace estiva::decide
