// When an area goes: empty, not needed by far, and calm for long. It grew at R; it goes at 2 R.
#include <algorithm>

#include "decide/memory/law_parts.h"

namespace estiva::decide::memory {

namespace {

constexpr std::int64_t kBetween = 5'000'000'000;  // two retirements, or one that failed and again

bool is_calm(const Tick& tick) {
  return tick.now.at_ns - tick.state.calm_since_ns >= tick.state.calm_wanted_ns;
}

// The headroom that must be left: in an emergency of the disk the reserve itself is enough.
bool is_needed(const Tick& tick, const SwapArea& area, bool emergency) {
  const std::uint64_t floor = std::min(tick.settings.floor, tick.cap / kMiB * kMiB);
  if (less(tick.sum.active, area.size) < floor) return true;
  const std::uint64_t left = less(tick.out.headroom, less(area.size, area.used));
  return left < tick.out.required * (emergency ? 1 : 2);
}

// The newest first, of equals the largest. Null where none may go.
const SwapArea* next_to_go(const Tick& tick, bool emergency) {
  const SwapArea* best = nullptr;
  for (const SwapArea& area : tick.areas) {
    if (area.state != AreaState::active || area.used >= tick.settings.empty_below) continue;
    if (is_needed(tick, area, emergency)) continue;
    const bool is_newer = best == nullptr || area.since_ns > best->since_ns ||
                          (area.since_ns == best->since_ns && area.size > best->size);
    if (is_newer) best = &area;
  }
  return best;
}

}  // namespace

void shrink(Tick& tick) noexcept {
  const bool emergency = tick.sum.ours > tick.cap;
  const bool stopped = tick.settings.blocked == Blocked::stopped;
  if (tick.out.action_count > 0 || (!emergency && !stopped && !is_calm(tick))) return;
  if (tick.sum.prepared_size > 0) {
    act(tick.out, ActionKind::discard, tick.sum.prepared_id, tick.sum.prepared_size);
    return;
  }
  const bool waits =
      tick.state.retired_ns >= 0 && tick.now.at_ns - tick.state.retired_ns < kBetween;
  if (tick.sum.retiring || waits) return;
  const SwapArea* area = next_to_go(tick, emergency);
  if (area == nullptr) return;
  act(tick.out, ActionKind::retire, area->id, area->size, tick.settings.retire_deadline_ns);
  tick.state.retired_ns = tick.now.at_ns;
}

}  // namespace estiva::decide::memory
