#include "gpu/tiers.h"

#include <gtest/gtest.h>

namespace estiva::gpu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SteadyTime at(double s) {
  return {static_cast<std::int64_t>(s * 1e9)};
}

TEST(Tiers, NothingWasReadSoEverythingIsDue) {
  EXPECT_EQ(TierSchedule(seconds(1)).due(at(5)), Tiers::all());
}

TEST(Tiers, AMinuteAtOneHertzKeepsSlowCallsOutOfTheFastPath) {
  TierSchedule schedule(seconds(1));
  int count[kTierCount] = {};
  for (int s = 0; s < 60; ++s) {
    const Tiers due = schedule.due(at(s));
    schedule.asked(due, at(s));
    for (unsigned t = 0; t < kTierCount; ++t) count[t] += due.has(static_cast<Tier>(t));
  }
  EXPECT_EQ(count[static_cast<int>(Tier::memory)], 60);
  EXPECT_EQ(count[static_cast<int>(Tier::fast)], 60);
  EXPECT_EQ(count[static_cast<int>(Tier::processes)], 12);
  EXPECT_EQ(count[static_cast<int>(Tier::steady)], 12);
  EXPECT_EQ(count[static_cast<int>(Tier::slow)], 2);
}

TEST(Tiers, ATimerThatFiresEarlySkipsNothing) {
  TierSchedule schedule(seconds(1));
  schedule.asked(Tiers::all(), at(0));
  EXPECT_TRUE(schedule.due(at(0.999)).has(Tier::fast));
  EXPECT_FALSE(schedule.due(at(0.5)).has(Tier::fast));
}

TEST(Tiers, AnIntervalLongerThanATierReadsItEachTime) {
  TierSchedule schedule(seconds(60));
  schedule.asked(Tiers::all(), at(0));
  EXPECT_TRUE(schedule.due(at(30)).empty());
  EXPECT_EQ(schedule.due(at(60)), Tiers::all());
}

TEST(Tiers, ANewSensorKnowsNothing) {
  TierSchedule schedule(seconds(1));
  schedule.asked(Tiers::all(), at(0));
  schedule.forget();
  EXPECT_EQ(schedule.due(at(0.1)), Tiers::all());
}

TEST(Tiers, BitsThatNoTierHasAreDropped) {
  EXPECT_EQ(Tiers::of_bits(0xffffffff), Tiers::all());
  EXPECT_TRUE(Tiers::of_bits(0x80000000).empty());
}

}  // namespace
}  // namespace estiva::gpu
