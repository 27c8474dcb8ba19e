#include "act/standing.h"

#include <algorithm>

#include "act/unit_links.h"

namespace estiva::act {
namespace {

bool is_file(const State& state) {
  return state.is == State::Is::file;
}

Standing compare(const State& before, const State& after, const State& now) {
  if (is_same(before, after) || is_same(now, before)) return Standing::as_before;
  return is_same(now, after) ? Standing::as_after : Standing::changed;
}

Standing compare_enabled(const StepLog& known, const std::string& unit, Stand& stand) {
  const State& before = known.intent->before;
  if (!known.done) stand.after = only_of_unit(before, stand.now.state, unit);
  switch (compare_links(before, stand.after, stand.now.state)) {
    case LinksStand::as_before:
      return Standing::as_before;
    case LinksStand::ours:
      return Standing::as_after;
    case LinksStand::changed:
      return Standing::changed;
  }
  return Standing::changed;
}

Standing compare_kind(const Step& step, const StepLog& known, Stand& stand) {
  const State &before = known.intent->before, &now = stand.now.state;
  switch (step.kind) {
    case StepKind::enable_unit:
    case StepKind::disable_unit:
      return compare_enabled(known, step.target, stand);
    case StepKind::reload_units:
      return Standing::as_after;
    case StepKind::restart_unit:
    case StepKind::reload_unit:
      // What ran with the new files has to run with the old ones again.
      if (before.word == "active") return Standing::as_after;
      return compare(before, stand.after, now);
    case StepKind::run_generator: {
      // Made again at each boot and driver change: another content is nobody's edit.
      const Standing is = compare(before, stand.after, now);
      return is == Standing::changed && is_file(now) ? Standing::as_after : is;
    }
    case StepKind::set_mode:
      if (now.is == State::Is::absent) return Standing::as_before;
      return compare(before, stand.after, now);
    default:
      return compare(before, stand.after, now);
  }
}

enum class Aspect : std::uint8_t { file, enabled, running, other };

// What of a thing a step acts on: a unit may be enabled by one step and started by another.
Aspect aspect_of(StepKind kind) {
  switch (kind) {
    case StepKind::write_file:
    case StepKind::remove_file:
    case StepKind::run_generator:
    case StepKind::make_node:
    case StepKind::set_mode:
      return Aspect::file;
    case StepKind::enable_unit:
    case StepKind::disable_unit:
      return Aspect::enabled;
    case StepKind::start_unit:
    case StepKind::stop_unit:
    case StepKind::restart_unit:
    case StepKind::reload_unit:
      return Aspect::running;
    default:
      return Aspect::other;
  }
}

}  // namespace

Result<Stand> stand_of(const Machine& machine, const Step& step, const StepLog& known) {
  const Record& intent = *known.intent;
  auto now = acts_of(step.kind).now(machine, step, intent.path);
  if (!now) return Failure(now.error());
  Stand stand;
  stand.now = std::move(*now);
  stand.after = known.done ? known.done->after : intent.after;
  stand.is = compare_kind(step, known, stand);
  return stand;
}

bool is_touched_again(const Plan& plan, const std::vector<StepLog>& known, std::size_t i) {
  const std::string& path = known[i].intent->path;
  for (std::size_t later = i + 1; later < known.size(); ++later) {
    if (!known[later].intent || known[later].undone) continue;
    if (aspect_of(plan.steps[later].kind) != aspect_of(plan.steps[i].kind)) continue;
    const auto& made = known[later].intent->made;  // a folder in the place of what was removed
    if (known[later].intent->path == path) return true;
    if (std::find(made.begin(), made.end(), path) != made.end()) return true;
  }
  return false;
}

}  // namespace estiva::act
