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
  const bool is_file_step = known[i].intent->before.is != State::Is::word;
  for (std::size_t later = i + 1; later < known.size(); ++later) {
    if (!known[later].intent || known[later].undone) continue;
    const bool same_place = known[later].intent->path == known[i].intent->path;
    const bool both_files = (known[later].intent->before.is != State::Is::word) == is_file_step;
    const bool mode_of_it = plan.steps[later].kind == StepKind::set_mode;
    if (same_place && (both_files || mode_of_it)) return true;
  }
  return false;
}

}  // namespace estiva::act
