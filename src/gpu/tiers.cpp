#include "gpu/tiers.h"

#include <algorithm>

namespace estiva::gpu {
namespace {

using std::chrono::seconds;

// The reference (reference/gpu-monitoring.md, 3.4): 1 Hz, 5-10 s and 30-60 s.
constexpr std::array<Nanoseconds, kTierCount> kPeriods = {
    Nanoseconds(0), Nanoseconds(0), Nanoseconds(0), seconds(5),
    seconds(30),    Nanoseconds(0), seconds(2)};

bool can_be_stretched(unsigned tier) {
  return tier != static_cast<unsigned>(Tier::memory) && tier != static_cast<unsigned>(Tier::fast);
}

}  // namespace

TierSchedule::TierSchedule(Nanoseconds interval) : slack_(interval / 4) {
  for (unsigned i = 0; i < kTierCount; ++i)
    rows_[i].period = rows_[i].least = std::max(interval, kPeriods[i]);
}

// A timer that fires a little early must not make a tier skip a whole interval: hence the slack.
Tiers TierSchedule::due(SteadyTime now) const {
  std::uint32_t bits = 0;
  for (unsigned i = 0; i < kTierCount; ++i) {
    const Row& row = rows_[i];
    if (!row.read || now - row.last + slack_ >= row.period) bits |= 1U << i;
  }
  return Tiers::of_bits(bits);
}

void TierSchedule::asked(Tiers tiers, SteadyTime when) {
  for (unsigned i = 0; i < kTierCount; ++i) {
    if (!tiers.has(static_cast<Tier>(i))) continue;
    rows_[i].read = true;
    rows_[i].last = when;
  }
}

// One slow read (the driver was busy) is forgotten with the next one.
void TierSchedule::learned(const TierCosts& costs) {
  for (unsigned i = 0; i < kTierCount; ++i) {
    if (costs[i] <= Nanoseconds(0) || !can_be_stretched(i)) continue;
    const Nanoseconds wanted = std::min(costs[i], kLongestPeriod) * kTierShare;
    rows_[i].period = std::max(rows_[i].least, std::min(wanted, kLongestPeriod));
  }
}

void TierSchedule::forget() {
  for (Row& row : rows_) row.read = false;
}

}  // namespace estiva::gpu
