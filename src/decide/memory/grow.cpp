// When swap is added, and in which sizes.
#include <algorithm>
#include <cmath>

#include "decide/memory/law_parts.h"

namespace estiva::decide::memory {

namespace {

constexpr std::int64_t kRegrow = 1'800'000'000'000;  // so soon after a retirement it was too early
constexpr std::uint64_t kLeastFile = 64 * kMiB;      // the last bytes below the cap are taken too
constexpr std::int64_t kFirstRetry = 100'000'000, kLastRetry = 10'000'000'000;

std::uint64_t whole_mib(std::uint64_t bytes) {
  return (bytes + kMiB - 1) / kMiB * kMiB;
}

std::uint64_t in(const Tick& tick, std::int64_t ns) {
  return static_cast<std::uint64_t>(tick.state.rate * static_cast<double>(ns) / 1e9);
}

// What must be there when the next file is active.
std::uint64_t needed_now(const Tick& tick) {
  return tick.out.required + in(tick, tick.out.reaction_ns + tick.settings.grow_ns);
}

// Equal ratios from what is there to the cap, over the areas that are left: few slots, little
// waste.
std::uint64_t next_size(const Tick& tick) {
  const std::uint64_t left = std::max<std::uint64_t>(kMostAreas - tick.sum.count, 1);
  const auto base = static_cast<double>(std::max(tick.sum.ours, tick.settings.min_file));
  const double ratio = std::pow(std::max(static_cast<double>(tick.cap) / base, 1.0),
                                1.0 / static_cast<double>(left));
  const auto step = static_cast<std::uint64_t>(base * (ratio - 1));
  const std::uint64_t gap = less(needed_now(tick), tick.out.headroom);
  const std::uint64_t size = whole_mib(std::max({step, gap, tick.settings.min_file}));
  return std::min(size, less(tick.cap, tick.sum.ours) / kMiB * kMiB);
}

// The floor stands in two areas, neither over half.
std::uint64_t floor_size(const Tick& tick, std::uint64_t floor) {
  const std::uint64_t half = whole_mib(floor / 2);
  return std::min(half, whole_mib(less(floor, tick.sum.active)));
}

Blocked what_blocks(const Tick& tick, std::uint64_t size) {
  if (tick.settings.blocked != Blocked::none) return tick.settings.blocked;
  if (tick.now.slots_free == 0) return Blocked::slots;
  if (tick.sum.prepared_size > 0) return Blocked::none;
  if (tick.sum.count >= kMostAreas) return Blocked::slots;
  if (tick.now.at_ns < tick.state.retry_ns) return Blocked::failed;
  if (size >= std::min(kLeastFile, tick.settings.min_file)) return Blocked::none;
  // As much as RAM and volume allow, or less because the disk is full?
  MemorySample roomy = tick.now;
  roomy.disk_free = UINT64_MAX / 4;
  return most_swap(tick.settings, roomy, tick.sum.ours) > tick.cap ? Blocked::disk_floor
                                                                   : Blocked::cap;
}

void note_growth(Tick& tick) {
  LawState& state = tick.state;
  const bool is_first = state.retired_ns >= 0 && state.retired_ns >= state.grown_ns;
  if (is_first && tick.now.at_ns - state.retired_ns <= kRegrow)
    state.calm_wanted_ns = std::min(2 * state.calm_wanted_ns, tick.settings.longest_calm_ns);
  else if (is_first)
    state.calm_wanted_ns = tick.settings.calm_ns;
  state.grown_ns = tick.now.at_ns;
}

void activate(Tick& tick) {
  act(tick.out, ActionKind::activate, tick.sum.prepared_id, tick.sum.prepared_size);
}

// Makes a file of `size`, or uses the one that is ready. True where neither can be done.
bool add(Tick& tick, std::uint64_t size, bool at_once) {
  tick.out.blocked = what_blocks(tick, size);
  if (tick.out.blocked != Blocked::none) return true;
  if (tick.sum.prepared_size == 0) {
    act(tick.out, ActionKind::prepare, 0, size);
    tick.state.prepare_asked = true;
    tick.state.areas_before = tick.sum.count;
  } else if (at_once)
    activate(tick);
  return false;
}

// Swap is wanted, but not for what grows: it is locked, or there is nothing that could be moved.
bool is_helpless(const Tick& tick) {
  if (!is_locked_growth(tick.state)) return false;
  constexpr std::int64_t kPressing = 60'000'000'000;
  return tick.out.left_ns >= 0 && tick.out.left_ns < kPressing;
}

}  // namespace

void note_outcome(LawState& state, const MemorySample& now, const Areas& sum) noexcept {
  if (!state.prepare_asked) return;
  state.prepare_asked = false;
  if (sum.count > state.areas_before) {
    state.failures = 0;
    return;
  }
  const std::uint32_t doubled = std::min(state.failures++, 10U);
  state.retry_ns = now.at_ns + std::min(kFirstRetry << doubled, kLastRetry);
}

bool grow(Tick& tick) noexcept {
  Decision& out = tick.out;
  const std::uint64_t now = needed_now(tick);
  if (out.headroom < now) {
    const bool starved = is_helpless(tick) || add(tick, next_size(tick), true);
    if (is_helpless(tick)) out.blocked = Blocked::nothing_swappable;
    if (starved)
      out.missing = now - out.headroom;
    else if (tick.sum.prepared_size > 0)
      note_growth(tick);
    return starved;
  }
  if (is_helpless(tick)) {
    out.blocked = Blocked::nothing_swappable;
    return false;
  }
  const std::uint64_t floor = std::min(tick.settings.floor, tick.cap / kMiB * kMiB);
  if (tick.sum.active < floor && !tick.sum.retiring)
    add(tick, floor_size(tick, floor), true);
  else if (out.headroom < out.required + in(tick, tick.settings.horizon_ns))
    add(tick, next_size(tick), false);
  return false;
}

}  // namespace estiva::decide::memory
