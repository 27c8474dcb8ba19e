// How much free swap must be there, and how much is.
#include <algorithm>

#include "decide/memory/law_parts.h"

namespace estiva::decide::memory {

namespace {

constexpr std::uint64_t kMostShare = 8 * kGiB;  // of the tenth of RAM
constexpr double kTrust = 0.9;                  // of MemAvailable, which promises too much

double seconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

// MemAvailable was seen at 1.5 GB on a machine that stood still (earlyoom issue 320): where
// everyone waits for memory it is not believed.
double trust(const LawState& state) {
  if (is_file_thrash(state)) return kTrust;
  return kTrust * (1 - std::min(state.fully_stalled * 5, 1.0));
}

// Once RAM is full nobody fills swap faster than it can be written, so the device's rate bounds
// what must stand ready. A tenth of RAM covers what no rate foretells: a restart, someone's
// swapoff.
std::uint64_t required(const Tick& tick) {
  const LawState& state = tick.state;
  const double meanwhile = seconds(tick.out.reaction_ns + tick.settings.grow_ns);
  const double bytes = state.write_out * seconds(tick.settings.reserve_ns) +
                       std::min(state.rate, state.write_out) * meanwhile;
  return std::max(static_cast<std::uint64_t>(bytes), std::min(tick.now.total / 10, kMostShare));
}

// What swap could take within the horizon: what lies there, and what may come that is not locked.
std::uint64_t useful(const Tick& tick) {
  const double loose = std::max(tick.state.rate - tick.state.locked_rate, 0.0);
  const double coming = loose * seconds(tick.settings.horizon_ns);
  return tick.out.swappable + static_cast<std::uint64_t>(coming);
}

}  // namespace

void measure(Tick& tick) noexcept {
  Decision& out = tick.out;
  const MemorySample& now = tick.now;
  out.rate = tick.state.rate;
  out.write_out = tick.state.write_out;
  out.reaction_ns = tick.state.late_ns + tick.settings.shortest_sleep_ns;
  out.swappable = swappable_of(now);
  const std::uint64_t usable = useful(tick);
  out.required = std::min(required(tick), usable);
  const auto ram =
      static_cast<std::uint64_t>(static_cast<double>(now.available) * trust(tick.state));
  const bool locked = is_locked_growth(tick.state);
  out.headroom = ram + (locked ? std::min(now.swap_free, usable) : now.swap_free);
  if (out.rate > 1e6)
    out.left_ns = static_cast<std::int64_t>(
        std::min(static_cast<double>(out.headroom) / out.rate * 1e9, 9e18));
}

}  // namespace estiva::decide::memory
