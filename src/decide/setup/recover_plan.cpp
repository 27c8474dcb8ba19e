#include "decide/setup/recover_plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/decide_recover.h"
#include "decide/readiness/fixes.h"
#include "decide/readiness/look.h"
#include "decide/readiness/rule.h"
#include "decide/setup/engine_unit.h"
#include "format/unit_file.h"

namespace estiva::decide {
namespace {

// Those that stand on others first.
constexpr std::string_view kModules[] = {"nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"};

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(parts, [&](auto part) { return text.find(part) != text.npos; });
}

// The engine's words for a start that failed are about its GPU, and not about a port or a folder.
bool is_about_gpu(std::string_view error) {
  return contains_any(error, {"nvidia", "NVIDIA", "libcuda", "CDI", "/dev/dri", "gpu", "GPU"}) ||
         !explain_log(error).empty();
}

// Compose makes the new one as "0123456789ab_NAME" and renames it when the old one is gone. One
// that still has that name was left by a Compose that was ended meanwhile.
bool is_half_made(const ContainerFact& one) {
  constexpr std::size_t kDigits = 12;
  return !one.service.empty() && one.started_at == 0 && one.name.size() > kDigits &&
         one.name[kDigits] == '_' && one.name.find_first_not_of("0123456789abcdef") == kDigits;
}

bool is_made_by_compose(const ContainerFact& one) {
  return !one.project.empty() && !one.service.empty() && !one.is_one_off;
}

bool has_finding(const std::vector<Finding>& findings, std::string_view id) {
  return std::ranges::find(findings, id, &Finding::id) != findings.end();
}

class Recovery {
 public:
  Recovery(const ReadinessFacts& facts, const std::vector<Finding>& findings,
           const RecoverWish& wish)
      : facts_(facts), findings_(findings), wish_(wish) {}

  RecoverPlan all() {
    if (has_finding(findings_, "D3")) {
      reload_modules();
      result_.told.insert("D3");
    }
    Plan fixes = plan_fixes(facts_, findings_, wish_.program);
    for (Step& step : fixes.steps) result_.plan.steps.push_back(std::move(step));
    renew_own_spec();
    restart_engine();
    find_lost();
    result_.plan.id = "recover";
    return std::move(result_);
  }

 private:
  Step& add(StepKind kind, std::string_view target, std::string reason, std::string effect,
            std::string_view undo) {
    Step step;
    step.kind = kind;
    step.target = target;
    step.reason = std::move(reason);
    step.effect = std::move(effect);
    step.undo = undo;
    result_.plan.steps.push_back(std::move(step));
    return result_.plan.steps.back();
  }

  // A module that somebody uses can't be unloaded, and trying would stop half of it.
  void reload_modules() {
    const DeviceUsers& users = facts_.driver.users;
    if (!users.users.empty()) {
      std::vector<std::string> names;
      for (const DeviceUser& one : users.users)
        names.push_back(fmt::format("{} (pid {})", one.name, one.pid));
      result_.notes.push_back(fmt::format(msg::kRecoverBusy, fmt::join(names, ", ")));
      return;
    }
    if (users.hidden > 0) {
      result_.notes.emplace_back(msg::kRecoverHidden);
      return;
    }
    for (const ModuleFact& module : facts_.kernel.modules) {
      const bool stands_on_it = module.name.starts_with("nvidia_") &&
                                std::ranges::find(kModules, module.name) == std::end(kModules);
      if (!stands_on_it) continue;
      result_.notes.push_back(fmt::format(msg::kRecoverStandsOn, module.name));
      return;
    }
    const std::string why = fmt::format(msg::kRecoverUnload, facts_.kernel.module_version,
                                        facts_.driver.files.library_version);
    std::vector<std::string_view> loads = {"nvidia"};
    for (const std::string_view module : kModules) {
      if (!is_loaded(facts_, module)) continue;
      add(StepKind::unload_module, module, why, fmt::format(msg::kRecoverUnloadEffect, module),
          msg::kRecoverModuleUndo);
      if (module != "nvidia") loads.insert(loads.begin() + 1, module);
    }
    if (std::ranges::find(loads, "nvidia_uvm") == loads.end()) loads.emplace_back("nvidia_uvm");
    for (const std::string_view module : loads)
      add(StepKind::load_module, module, std::string(msg::kRecoverLoad),
          fmt::format(msg::kRecoverLoadEffect, module), msg::kRecoverModuleUndo);
  }

  // The one that our unit writes at boot: its path and kind stand in the unit.
  void renew_own_spec() {
    const auto unit = std::ranges::find(facts_.units, "estiva-cdi.service", &UnitFact::name);
    if (unit == facts_.units.end()) return;
    const auto file = format::parse_unit_file(unit->text);
    for (const auto* entry : format::list_values(file, "Service", "ExecStart")) {
      const auto line = format::parse_exec_line(entry->value);
      std::string path, kind = "nvidia.com/gpu";
      for (std::size_t i = 0; i + 1 < line.words.size(); ++i) {
        if (line.words[i] == "-o") path = line.words[i + 1];
        if (line.words[i] == "--kind") kind = line.words[i + 1];
      }
      const auto same = [&](const Step& step) { return step.target == path; };
      if (path.empty() || std::ranges::any_of(result_.plan.steps, same)) continue;
      add(StepKind::run_generator, path, std::string(msg::kRecoverSpec),
          fmt::format(msg::kRecoverSpecEffect, path, kind), msg::kRecoverSpecUndo)
          .content = kind;
    }
  }

  void restart_engine() {
    const auto needs = std::ranges::find_if(findings_, [](const Finding& one) {
      return one.id == "K2" || (one.id == "K3" && one.severity == Severity::error);
    });
    if (needs == findings_.end()) return;
    result_.told.insert(needs->id);
    std::vector<std::string> stops;
    for (const ContainerFact& one : facts_.containers)
      if (one.state == "running") stops.push_back(one.name);
    const std::string_view unit = unit_of_engine(facts_.engine);
    const std::string who = stops.empty() ? std::string(msg::kRecoverNobody)
                                          : fmt::format("{}", fmt::join(stops, ", "));
    if (unit.empty()) {
      result_.notes.push_back(fmt::format(msg::kRecoverRestartIt, needs->title, who));
      return;
    }
    if (!wish_.restart_engine) {
      result_.notes.push_back(fmt::format(msg::kRecoverNeedsRestart, needs->title, who));
      return;
    }
    Step& step = add(StepKind::restart_unit, unit, fmt::format(msg::kRecoverRestart, needs->title),
                     fmt::format(msg::kRecoverRestartEffect, unit), msg::kRecoverRestartUndo);
    step.risk = Risk::interrupts;
    step.stops = std::move(stops);
  }

  // Asks for a GPU and did not start, or was started before the repair and fails since (P11).
  void find_lost() {
    for (const ContainerFact& one : facts_.containers) {
      if (!has_gpu_asked_for(one)) continue;
      const bool is_down = one.state != "running" && is_about_gpu(one.error);
      const auto failing = std::ranges::find_if(findings_, [&](const Finding& finding) {
        return finding.id == "P11" &&
               std::ranges::any_of(finding.evidence, [&](const Evidence& evidence) {
                 return evidence.path == one.name;
               });
      });
      if (is_half_made(one))
        lose(one, std::string(msg::kRecoverHalfMade));
      else if (is_down)
        lose(one, one.error);
      else if (failing != findings_.end())
        lose(one, failing->title);
    }
    std::ranges::sort(result_.lost, {}, &LostContainer::name);
    if (!result_.lost.empty()) result_.told.insert("P11");
  }

  void lose(const ContainerFact& one, std::string why) {
    LostContainer lost{one.name, one.project, one.service, one.compose_files, std::move(why)};
    lost.id = one.id;
    lost.compose_dir = one.compose_dir;
    lost.compose_hash = one.compose_hash;
    lost.compose_env_files = one.compose_env_files;
    lost.is_running = one.state == "running";
    // Podman asks for CDI devices at each start, and its Compose is another program.
    lost.is_of_compose = is_made_by_compose(one) && facts_.engine.kind != EngineKind::podman;
    const auto is_sibling = [&](const ContainerFact& other) {
      return is_made_by_compose(other) && other.project == one.project &&
             other.service == one.service && !is_half_made(other);
    };
    lost.replicas = std::max<std::size_t>(
        1, static_cast<std::size_t>(std::ranges::count_if(facts_.containers, is_sibling)));
    result_.lost.push_back(std::move(lost));
  }

  const ReadinessFacts& facts_;
  const std::vector<Finding>& findings_;
  const RecoverWish& wish_;
  RecoverPlan result_;
};

}  // namespace

RecoverPlan plan_recover(const ReadinessFacts& facts, const std::vector<Finding>& findings,
                         const RecoverWish& wish) {
  return Recovery(facts, findings, wish).all();
}

std::vector<std::string> compose_paths(const LostContainer& one) {
  std::vector<std::string> paths = one.compose_files;
  for (std::string& path : paths)  // Compose 1 wrote them as they were typed
    if (!path.starts_with('/') && !one.compose_dir.empty()) path.insert(0, one.compose_dir + '/');
  return paths;
}

std::vector<std::string> compose_words(const LostContainer& one) {
  std::vector<std::string> words = {"compose"};
  const auto add = [&](std::string_view option, const std::string& value) {
    words.emplace_back(option);
    words.push_back(value);
  };
  for (const std::string& path : compose_paths(one)) add("-f", path);
  if (!one.compose_dir.empty()) add("--project-directory", one.compose_dir);
  for (const std::string& path : one.compose_env_files) add("--env-file", path);
  add("-p", one.project);
  return words;
}

std::vector<std::string> words_to_recreate(const LostContainer& one) {
  if (!one.is_of_compose) return {"restart", one.name};
  std::vector<std::string> words = compose_words(one);
  for (const char* word :
       {"up", "-d", "--no-deps", "--force-recreate", "--no-build", "--pull", "never"})
    words.emplace_back(word);
  if (one.replicas > 1) {  // as many as there are, whatever the file says
    words.emplace_back("--scale");
    words.push_back(fmt::format("{}={}", one.service, one.replicas));
  }
  words.push_back(one.service);
  return words;
}

}  // namespace estiva::decide
