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
  EXPECT_EQ(count[static_cast<int>(Tier::processes)], 60)
      << "cheap until the sensor says otherwise";
  EXPECT_EQ(count[static_cast<int>(Tier::activity)], 30);
  EXPECT_EQ(count[static_cast<int>(Tier::steady)], 12);
  EXPECT_EQ(count[static_cast<int>(Tier::slow)], 2);
}

// Counts a minute at 1 Hz in which each read of `tier` takes `cost`.
int reads_a_minute(Tier tier, Nanoseconds cost) {
  TierSchedule schedule(seconds(1));
  int count = 0;
  for (int s = 0; s < 60; ++s) {
    const Tiers due = schedule.due(at(s));
    schedule.asked(due, at(s));
    TierCosts costs{};
    if (due.has(tier)) costs[static_cast<std::size_t>(tier)] = cost;
    schedule.learned(costs);
    count += due.has(tier);
  }
  return count;
}

TEST(Tiers, WhatIsDearIsAskedLessOften) {
  using std::chrono::microseconds;
  EXPECT_EQ(reads_a_minute(Tier::processes, microseconds(26)), 60) << "three lists of an H100";
  EXPECT_EQ(reads_a_minute(Tier::processes, microseconds(4500)), 7) << "a laptop: each 9 s";
  EXPECT_EQ(reads_a_minute(Tier::energy, microseconds(2900)), 10) << "an H100: each 6 s";
  EXPECT_EQ(reads_a_minute(Tier::energy, milliseconds(23)), 2) << "eight of them";
  EXPECT_EQ(reads_a_minute(Tier::energy, seconds(100)), 1) << "never less than once a minute";
  EXPECT_EQ(reads_a_minute(Tier::memory, milliseconds(23)), 60) << "placement lives of it";
  EXPECT_EQ(reads_a_minute(Tier::fast, milliseconds(23)), 60);
}

TEST(Tiers, OneSlowReadIsForgottenWithTheNext) {
  TierSchedule schedule(seconds(1));
  TierCosts costs{};
  const auto fields = static_cast<std::size_t>(Tier::energy);
  schedule.asked(Tiers::all(), at(0));
  costs[fields] = milliseconds(16);  // the p99 that was measured
  schedule.learned(costs);
  EXPECT_FALSE(schedule.due(at(30)).has(Tier::energy));
  EXPECT_TRUE(schedule.due(at(32)).has(Tier::energy));
  schedule.asked(Tier::energy, at(32));
  costs[fields] = milliseconds(1);
  schedule.learned(costs);
  EXPECT_TRUE(schedule.due(at(34)).has(Tier::energy));
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
