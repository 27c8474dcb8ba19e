#include "decide/setup/recover_plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/decide_recover.h"
#include "decide/readiness/fixes.h"
#include "decide/readiness/look.h"
#include "format/unit_file.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kDocker = "docker.service";
// Those that stand on others first.
constexpr std::string_view kModules[] = {"nvidia_uvm", "nvidia_drm", "nvidia_modeset", "nvidia"};

bool has_finding(const std::vector<Finding>& findings, std::string_view id) {
  return std::ranges::find(findings, id, &Finding::id) != findings.end();
}

class Recovery {
 public:
  Recovery(const ReadinessFacts& facts, const std::vector<Finding>& findings,
           const RecoverWish& wish)
      : facts_(facts), findings_(findings), wish_(wish) {}

  RecoverPlan all() {
    if (has_finding(findings_, "D3")) reload_modules();
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
    const std::string why = fmt::format(msg::kRecoverUnload, facts_.kernel.module_version,
                                        facts_.driver.files.library_version);
    for (const std::string_view module : kModules) {
      if (!is_loaded(facts_, module)) continue;
      add(StepKind::unload_module, module, why, fmt::format(msg::kRecoverUnloadEffect, module),
          msg::kRecoverModuleUndo);
    }
    for (const std::string_view module : {"nvidia", "nvidia_uvm"})
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
    std::vector<std::string> stops;
    for (const ContainerFact& one : facts_.containers)
      if (one.state == "running") stops.push_back(one.name);
    if (!wish_.restart_engine) {
      const std::string who = stops.empty() ? std::string(msg::kRecoverNobody)
                                            : fmt::format("{}", fmt::join(stops, ", "));
      result_.notes.push_back(fmt::format(msg::kRecoverNeedsRestart, needs->title, who));
      return;
    }
    Step& step =
        add(StepKind::restart_unit, kDocker, fmt::format(msg::kRecoverRestart, needs->title),
            fmt::format(msg::kRecoverRestartEffect, kDocker), msg::kRecoverRestartUndo);
    step.risk = Risk::interrupts;
    step.stops = std::move(stops);
  }

  // Asks for a GPU and did not start, or was started before the repair and fails since (P11).
  void find_lost() {
    for (const ContainerFact& one : facts_.containers) {
      if (!gpu_request(one).any()) continue;
      const bool is_down = one.state != "running" && !one.error.empty();
      const auto failing = std::ranges::find_if(findings_, [&](const Finding& finding) {
        return finding.id == "P11" &&
               std::ranges::any_of(finding.evidence, [&](const Evidence& evidence) {
                 return evidence.path == one.name;
               });
      });
      if (!is_down && failing == findings_.end()) continue;
      result_.lost.push_back({one.name, one.project, one.service, one.compose_files,
                              is_down ? one.error : failing->title});
    }
    std::ranges::sort(result_.lost, {}, &LostContainer::name);
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

}  // namespace estiva::decide
