// One tick: take the sample in, measure, grow, shrink, relieve, and say when to look again.
#include "decide/memory/law.h"

#include <algorithm>

#include "decide/memory/law_parts.h"

namespace estiva::decide::memory {

namespace {

// A quarter of the time in which the fastest filling that can be believed would use the headroom.
std::int64_t sleep_of(const Tick& tick) {
  const LawSettings& settings = tick.settings;
  const double fastest =
      std::max(tick.state.fastest, settings.touch_rate * std::max(settings.cores, 1U));
  const double quarter_ns = static_cast<double>(tick.out.headroom) / fastest / 4 * 1e9;
  return std::clamp(static_cast<std::int64_t>(std::min(quarter_ns, 1e18)),
                    settings.shortest_sleep_ns, settings.longest_sleep_ns);
}

// What was made must be used at once, and what is going must be watched.
bool is_in_motion(const Decision& out) {
  return std::any_of(out.actions.begin(), out.actions.end(), [](const Action& action) {
    return action.kind == ActionKind::prepare || action.kind == ActionKind::activate;
  });
}

}  // namespace

Areas add_up(const SwapAreas& areas) noexcept {
  Areas sum;
  for (const SwapArea& area : areas) {
    if (area.state == AreaState::none) continue;
    ++sum.count;
    sum.ours += area.size;
    if (area.state == AreaState::active) sum.active += area.size;
    if (area.state == AreaState::retiring) sum.retiring = true;
    if (area.state != AreaState::prepared) continue;
    sum.prepared_id = area.id;
    sum.prepared_size = area.size;
  }
  return sum;
}

void act(Decision& decision, ActionKind kind, std::uint32_t area, std::uint64_t size,
         std::int64_t deadline_ns) noexcept {
  if (decision.action_count == kMostActions) return;
  decision.actions[decision.action_count++] = {kind, area, size, deadline_ns};
}

Decision decide_tick(LawState& state, const LawSettings& settings, const MemorySample& sample,
                     const SwapAreas& areas) noexcept {
  take_in(state, settings, sample);
  Tick tick{state, settings, sample, areas, add_up(areas), 0, {}};
  note_outcome(state, sample, tick.sum);
  tick.cap = most_swap(settings, sample, tick.sum.ours);
  measure(tick);
  const bool starved = grow(tick);
  shrink(tick);
  relieve(tick, starved);
  tick.out.sleep_ns = is_in_motion(tick.out) ? settings.shortest_sleep_ns : sleep_of(tick);
  state.sleep_ns = tick.out.sleep_ns;
  return tick.out;
}

}  // namespace estiva::decide::memory
