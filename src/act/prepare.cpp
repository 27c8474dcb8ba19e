#include "act/prepare.h"

#include <algorithm>
#include <fcntl.h>
#include <fmt/format.h>

#include "act/steps.h"
#include "base/messages/act.h"
#include "format/diff.h"
#include "format/plan_text.h"
#include "format/text.h"

namespace estiva::act {
namespace {

constexpr std::string_view kNoFile = "/dev/null";  // as diff(1) names a file that is not there
constexpr std::string_view kUnitFolders[] = {"/etc/systemd/system/", "/run/systemd/system/"};

bool is_file(const Found& found) {
  return found.state.is == State::Is::file;
}

// What its maker read is what is there: else it would overwrite what came in between.
Result<void> check_still_so(const Found& found, const Step& step) {
  if (is_as_expected(found.state, step.expects)) return {};
  return fail(ErrorKind::refused,
              fmt::format(msg::act::kChangedWhilePlanned, format::escape_for_terminal(step.target)),
              std::string(msg::act::kChangedWhilePlannedHow));
}

void note_difference(const Found& found, std::string_view after, Step& step) {
  step.expects = is_file(found) ? found.state.sha256 : std::string();
  if (found.state.is == State::Is::absent) step.expects = "absent";
  const bool removes = step.kind == StepKind::remove_file;
  step.diff = format::unified_diff(found.content, after,
                                   {is_file(found) ? std::string_view(step.target) : kNoFile,
                                    removes ? kNoFile : std::string_view(step.target)});
}

// Is the unit as the step would make it?
bool is_unit_so(StepKind kind, std::string_view word) {
  switch (kind) {
    case StepKind::enable_unit:
      return word == "enabled";
    case StepKind::disable_unit:
      return word == "disabled" || word == "not-found";
    case StepKind::start_unit:
      return word == "active";
    case StepKind::stop_unit:
      return word == "inactive";
    default:
      return false;
  }
}

// In a tree, and where another program is the first process, nothing is started or stopped.
bool systemd_runs(const Machine& machine) {
  return static_cast<bool>(
      UniqueFd(machine.root.open_at("/run/systemd/system", O_PATH | O_DIRECTORY)));
}

bool needs_systemd(StepKind kind) {
  return kind == StepKind::start_unit || kind == StepKind::stop_unit ||
         kind == StepKind::restart_unit || kind == StepKind::reload_units ||
         kind == StepKind::reload_unit;
}

// What only programs of the running system can do: for a tree in a folder they would do it to the
// machine that they run on.
bool needs_running_system(StepKind kind) {
  return kind == StepKind::load_module || kind == StepKind::unload_module ||
         kind == StepKind::set_compute_mode || kind == StepKind::set_boolean;
}

// True where the step has something to do.
Result<bool> look_at(const Machine& machine, Step& step) {
  if (needs_systemd(step.kind) && !systemd_runs(machine)) return false;
  if (needs_running_system(step.kind) && !machine.root.is_real()) return false;
  const auto found = acts_of(step.kind).look(machine, step);
  if (!found) return Failure(found.error());
  switch (step.kind) {
    case StepKind::write_file:
      if (!step.link_to.empty()) return found->state.leads_to != step.link_to;
      if (auto fine = check_still_so(*found, step); !fine) return Failure(fine.error());
      note_difference(*found, step.content, step);
      return !is_file(*found) || found->content != step.content;
    case StepKind::remove_file:
      note_difference(*found, {}, step);
      return found->state.is != State::Is::absent;
    case StepKind::run_generator: {
      const auto made = machine.generate(step);
      if (!made) return Failure(made.error());
      note_difference(*found, *made, step);
      step.expects.clear();  // others renew it, too
      return !is_file(*found) || found->content != *made;
    }
    case StepKind::enable_unit:
    case StepKind::disable_unit:
    case StepKind::start_unit:
    case StepKind::stop_unit:
      return !is_unit_so(step.kind, found->state.word);
    case StepKind::reload_unit:
      return found->state.word == "active";  // else it reads them when it starts
    case StepKind::set_compute_mode:
    case StepKind::set_boolean:
      step.expects = found->state.word;
      return found->state.word != step.content;
    default:
      return true;
  }
}

bool needs_reload(const Step& step) {
  const bool is_file_step = step.kind == StepKind::write_file || step.kind == StepKind::remove_file;
  return is_file_step &&
         std::any_of(std::begin(kUnitFolders), std::end(kUnitFolders),
                     [&](std::string_view folder) { return step.target.starts_with(folder); });
}

bool only_follows(const Step& step) {
  return step.kind == StepKind::reload_units || step.kind == StepKind::restart_unit;
}

// A reload of units without a unit that changed, and a plan of nothing but consequences, do
// nothing.
void drop_consequences(Plan& plan) {
  auto& steps = plan.steps;
  if (std::none_of(steps.begin(), steps.end(), needs_reload))
    std::erase_if(steps, [](const Step& step) { return step.kind == StepKind::reload_units; });
  if (std::all_of(steps.begin(), steps.end(), only_follows)) steps.clear();
}

}  // namespace

Result<void> prepare(const Machine& machine, Plan& plan) {
  std::vector<Step> kept;
  for (Step& step : plan.steps) {
    const auto has_work = look_at(machine, step);
    if (!has_work) return Failure(has_work.error());
    if (*has_work) kept.push_back(std::move(step));
  }
  plan.steps = std::move(kept);
  drop_consequences(plan);
  plan.hash = format::hash_of(plan);
  return {};
}

}  // namespace estiva::act
