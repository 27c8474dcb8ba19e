// Fixes of daemon.json: K7 to K11. Docker is not restarted: as it runs it goes on, and the file is
// right when it starts again. Runtimes it takes over when it reloads, which stops nothing.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_fixes.h"
#include "decide/readiness/engine_look.h"
#include "decide/readiness/finders.h"
#include "decide/readiness/fix_parts.h"
#include "decide/readiness/unit_look.h"
#include "format/json_edit.h"
#include "format/json_repair.h"
#include "format/json_writer.h"

namespace estiva::decide {
namespace {

Result<format::JsonEdit> edit_of(const TextFile& file) {
  return format::JsonEdit::parse(file.text.known() ? *file.text : std::string(), file.path);
}

// Nothing where an edit failed.
Steps written(const TextFile& file, const format::JsonEdit& edit, std::string reason) {
  auto text = edit.finish();
  if (!text) return {};
  return {write_step(file.path, std::move(*text), std::move(reason))};
}

constexpr std::string_view kDocker = "docker.service";
constexpr std::string_view kDaemonJson = "/etc/docker/daemon.json";
constexpr std::string_view kRuntime = "nvidia", kProgram = "nvidia-container-runtime";

// The machine's own Docker, which systemd runs.
bool is_dockers_own(const ReadinessFacts& facts) {
  return facts.engine.kind == EngineKind::docker && !facts.engine.is_rootless &&
         find_unit(facts.units, kDocker) != nullptr;
}

Step reload_docker(std::string_view why) {
  return make_step(StepKind::reload_unit, std::string(kDocker), std::string(why),
                   std::string(msg::kFixReloadDocker), msg::kFixReloadDockerUndo);
}

std::string quoted(std::string_view text) {
  std::string out;
  format::JsonWriter(out).value(text);
  return out;
}

bool is_listed_runtime(const ReadinessFacts& facts, std::string_view name) {
  const auto& known = facts.engine.runtimes;
  return std::ranges::find(known, name) != known.end();
}

// Runtimes that a container or the file asks for and that Docker does not have.
std::vector<std::string> asked_runtimes(const ReadinessFacts& facts) {
  std::vector<std::string> names;
  for (const ContainerFact& one : facts.containers)
    if (one.runtime.starts_with(kRuntime)) names.push_back(one.runtime);
  if (const auto tree = json_object(facts.engine.daemon_json))
    names.emplace_back(tree->root()["default-runtime"].text().value_or(""));
  std::erase_if(names, [&](const std::string& name) {
    return name.empty() || is_listed_runtime(facts, name);
  });
  return names;
}

// What the feature was set to before it was lost; the image store in use is on.
std::string value_before(const ReadinessFacts& facts, const std::string& feature) {
  const auto before = edit_of(facts.engine.daemon_json_before);
  if (!before) return "true";
  const auto value = before->find({"features", feature});
  return value && *value ? std::string((*value)->text) : "true";
}

}  // namespace

// Only slips of the pen whose meaning is plain (format/json_repair.h). A value of a wrong type, and
// a text that could mean two things, are for whoever wrote them.
Steps mend_daemon_json(const Fixing& fix) {
  const TextFile& file = fix.facts.engine.daemon_json;
  if (!file.text) return {};
  auto mended = format::repair_json(*file.text);
  if (!mended) return {};
  ReadinessFacts after;
  after.engine = fix.facts.engine;
  after.engine.daemon_json.text = *mended;
  if (!find_broken_daemon_json(after).empty()) return {};
  return {write_step(file.path, std::move(*mended), std::string(msg::kFixJson))};
}

// The flag stays: it is what Docker has run with until now, for with both it does not start.
Steps drop_doubled_keys(const Fixing& fix) {
  const TextFile& file = fix.facts.engine.daemon_json;
  auto edit = edit_of(file);
  if (!edit) return {};
  std::string flags;
  for (const DoubledKey& one : doubled_keys(fix.facts)) {
    if (const auto done = edit->remove({one.key}); !done) return {};
    flags += fmt::format("{}{}", flags.empty() ? "" : ", ", one.flag);
  }
  return written(file, *edit, fmt::format(msg::kFixDoubledKey, flags));
}

// The runtime is written where the file has none; where it has one, Docker reads it again.
Steps declare_runtime(const Fixing& fix) {
  const TextFile& file = fix.facts.engine.daemon_json;
  const auto program = fix.facts.toolkit.programs.find(std::string(kProgram));
  auto edit = edit_of(file);
  if (!is_dockers_own(fix.facts) || !edit) return {};
  Steps steps;
  for (const std::string& name : asked_runtimes(fix.facts)) {
    if (const auto known = edit->find({"runtimes", name}); known && *known) continue;
    // Only what this one is started with is known.
    if (name != kRuntime || program == fix.facts.toolkit.programs.end()) return {};
    const std::string path = file.path.empty() ? std::string(kDaemonJson) : file.path;
    if (!edit->set({"runtimes", name, "path"}, quoted(program->second.path))) return {};
    if (!edit->set({"runtimes", name, "args"}, "[]")) return {};
    steps = {write_step(path, edit->text(), fmt::format(msg::kFixRuntime, name))};
  }
  steps.push_back(reload_docker(msg::kFixRuntimeRead));
  return steps;
}

// A program of the toolkit that lies elsewhere than the file says. What is not installed stays for
// a person.
Steps right_runtime(const Fixing& fix) {
  const TextFile& file = fix.facts.engine.daemon_json;
  const auto tree = json_object(file);
  auto edit = edit_of(file);
  if (!tree || !edit || !is_dockers_own(fix.facts)) return {};
  const format::JsonNode runtimes = tree->root()["runtimes"];
  bool is_changed = false;
  for (std::size_t i = 0; i < runtimes.size(); ++i) {
    const std::string path(runtimes.at(i)["path"].text().value_or(""));
    const auto host = fix.facts.engine.runtime_paths.find(path);
    if (host == fix.facts.engine.runtime_paths.end() || host->second.is_executable) continue;
    const auto program = fix.facts.toolkit.programs.find(path.substr(path.rfind('/') + 1));
    if (program == fix.facts.toolkit.programs.end() || program->second.path == path) return {};
    const std::string name(runtimes.name_at(i));
    if (!edit->set({"runtimes", name, "path"}, quoted(program->second.path))) return {};
    is_changed = true;
  }
  if (!is_changed) return {};
  return {write_step(file.path, edit->text(), std::string(msg::kFixRuntimePath)),
          reload_docker(msg::kFixRuntimeRead)};
}

Steps restore_features(const Fixing& fix) {
  const TextFile& file = fix.facts.engine.daemon_json;
  auto edit = edit_of(file);
  const std::vector<std::string> lost = lost_features(fix.facts);
  if (!edit || lost.empty()) return {};
  for (const std::string& name : lost)
    if (const auto set = edit->set({"features", name}, value_before(fix.facts, name)); !set)
      return {};
  return written(file, *edit, fmt::format(msg::kFixFeatures, joined(lost)));
}

}  // namespace estiva::decide
