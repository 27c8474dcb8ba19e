// The levers that others pull: unload what is idle first, brake only where swap can't come.
#include "decide/memory/law_parts.h"

namespace estiva::decide::memory {

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kBetweenAsks = 10 * kSecond;  // bytes need a while to come back
constexpr std::int64_t kBrakeAt = 2 * kSecond;       // of headroom left
constexpr std::int64_t kBrakeKept = 5 * kSecond;     // after it was last needed

void ask(Tick& tick) {
  const Decision& out = tick.out;
  const double ahead = out.rate * static_cast<double>(tick.settings.horizon_ns) / 1e9;
  const std::uint64_t wanted = out.required + static_cast<std::uint64_t>(ahead);
  const bool is_short = out.headroom < wanted || out.blocked == Blocked::nothing_swappable ||
                        is_file_thrash(tick.state);
  const bool waits =
      tick.state.asked_ns >= 0 && tick.now.at_ns - tick.state.asked_ns < kBetweenAsks;
  if (!is_short || waits) return;
  const std::uint64_t size = wanted > out.headroom ? wanted - out.headroom : out.required;
  act(tick.out, ActionKind::ask_unload, 0, size);
  tick.state.asked_ns = tick.now.at_ns;
}

bool must_brake(const Tick& tick, bool starved) {
  const std::int64_t left = tick.out.left_ns;
  const bool soon = left >= 0 && left < kBrakeAt;
  return soon && (starved || tick.out.blocked == Blocked::nothing_swappable);
}

}  // namespace

void relieve(Tick& tick, bool starved) noexcept {
  ask(tick);
  LawState& state = tick.state;
  const std::int64_t now = tick.now.at_ns;
  if (must_brake(tick, starved)) {
    if (state.braked_ns < 0 || now - state.braked_ns >= kSecond) {
      act(tick.out, ActionKind::brake, 0, tick.out.missing);
      state.braked_ns = now;
    }
  } else if (state.braked_ns >= 0 && now - state.braked_ns >= kBrakeKept &&
             tick.out.headroom >= 2 * tick.out.required) {
    act(tick.out, ActionKind::release_brake, 0, 0);
    state.braked_ns = -1;
  }
}

}  // namespace estiva::decide::memory
