// Which driver calls a read makes. Calls that cost milliseconds on real hardware (process lists,
// fans, error counters) are in slower tiers, so that none of them is ever in the 1 Hz path.
// How long a call takes depends on the card (its energy: 2.9 ms on an H100, 1 us elsewhere; the
// graphics list: 9 us there, 4.5 ms on a laptop), so the sensor measures each tier and a tier that
// turns out to be dear is asked for less often.
// Pure: time arrives as a value.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace estiva::gpu {

// The order is the order of the bits on the wire; tiers are only ever added at the end.
enum class Tier : std::uint8_t {
  memory,     // MemoryInfo: what a grant needs first; a part of every 1 Hz read
  fast,       // utilisation, temperatures, power, clocks, P-state
  processes,  // the three process lists: each interval, where they are cheap
  steady,     // encoder, decoder, fan, PCIe link, power limit, number of devices; lost GPUs again
  slow,       // error counters, replays, MIG mode, order of devices
  energy,     // the energy counter
  activity,   // what each listed process computes
};
inline constexpr unsigned kTierCount = 7;
// The wall time that each tier took in the last read; zero for a tier that was not read.
using TierCosts = std::array<Nanoseconds, kTierCount>;

// A set of tiers.
class Tiers {
 public:
  constexpr Tiers() = default;
  constexpr Tiers(Tier tier) : bits_(1U << static_cast<unsigned>(tier)) {}  // NOLINT
  // Bits that no tier has are dropped: the value may come from the wire.
  static constexpr Tiers of_bits(std::uint32_t bits) {
    Tiers tiers;
    tiers.bits_ = bits & ((1U << kTierCount) - 1);
    return tiers;
  }
  static constexpr Tiers all() { return of_bits(~0U); }
  constexpr bool has(Tier tier) const { return (bits_ >> static_cast<unsigned>(tier)) & 1U; }
  constexpr bool empty() const { return bits_ == 0; }
  constexpr std::uint32_t bits() const { return bits_; }
  friend constexpr Tiers operator|(Tiers a, Tiers b) { return of_bits(a.bits_ | b.bits_); }
  friend constexpr bool operator==(Tiers, Tiers) = default;

 private:
  std::uint32_t bits_ = 0;
};
constexpr Tiers operator|(Tier a, Tier b) {
  return Tiers(a) | Tiers(b);
}

// The process lists are read: also for what their processes do.
constexpr bool lists_processes(Tiers tiers) {
  return tiers.has(Tier::processes) || tiers.has(Tier::activity);
}

// What a grant needs to know: how much is free, and who holds the rest.
inline constexpr Tiers kGrantTiers = Tier::memory | Tier::processes;

// Of a core, for one tier: at 1/2000 the five that can be stretched stay below 0.25 % together.
inline constexpr int kTierShare = 2000;
// A tier is asked for at least this often, whatever it costs.
inline constexpr Nanoseconds kLongestPeriod = std::chrono::seconds(60);

// When each tier was last asked for, and how often it is due. Periods are at least the sampling
// interval: an interval of 60 s reads every tier each time. Memory and the fast tier are due at
// each interval; any other tier waits at least kTierShare times what its last read took.
class TierSchedule {
 public:
  explicit TierSchedule(Nanoseconds interval);
  // The tiers to read now. A tier that was never read is due. Does not change the schedule.
  Tiers due(SteadyTime now) const;
  // These tiers were asked for at `when`.
  void asked(Tiers tiers, SteadyTime when);
  // What the last read took, as the sensor measured it.
  void learned(const TierCosts& costs);
  // A new sensor knows nothing: everything is due again.
  void forget();

 private:
  struct Row {
    Nanoseconds least{};  // the period where the tier is cheap
    Nanoseconds period{};
    bool read = false;
    SteadyTime last;
  };
  std::array<Row, kTierCount> rows_;
  Nanoseconds slack_{};
};

}  // namespace estiva::gpu
