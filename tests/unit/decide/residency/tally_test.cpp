// What is counted of models, by hand and beside a whole machine room.
#include "decide/residency/tally.h"

#include "unit/decide/residency/room_parts.h"

namespace estiva::residency_test {
namespace {

using decide::ModelTally;
using decide::PhaseSum;
using decide::ResidencyTally;
using decide::SwapPhase;

SteadyTime at(int second) {
  return SteadyTime{} + seconds(second);
}

PhaseSum phase_of(const ModelTally& tally, SwapPhase phase) {
  return tally.phases[static_cast<std::size_t>(phase)];
}

TEST(Tally, EachPhaseOfASwapHasItsTime) {
  ResidencyTally tally;
  tally.take(Close{"a"}, at(10));
  tally.take(Leave{"a", decide::Leaving::stop}, at(13));
  tally.engine_left("a", at(14));
  tally.take(Released{"a", false}, at(16));
  tally.take(Load{"b", false}, at(16));
  tally.take(Loaded{"b"}, at(21));
  const ModelTally a = tally.of("a"), b = tally.of("b");
  EXPECT_EQ(phase_of(a, SwapPhase::drain).time, seconds(3));
  EXPECT_EQ(phase_of(a, SwapPhase::unload).time, seconds(1));
  EXPECT_EQ(phase_of(a, SwapPhase::release).time, seconds(2));
  EXPECT_EQ(phase_of(b, SwapPhase::load).time, seconds(5));
  EXPECT_EQ(phase_of(a, SwapPhase::load).count, 0U);
  EXPECT_EQ(a.stops, 1U);
  EXPECT_EQ(b.starts, 1U);
}

TEST(Tally, WhatStaysAfterAllWasNoSwap) {
  ResidencyTally tally;
  tally.take(Close{"a"}, at(1));
  tally.take(Open{"a"}, at(5));
  tally.take(Leave{"a", decide::Leaving::sleep}, at(9));
  EXPECT_EQ(phase_of(tally.of("a"), SwapPhase::drain).count, 0U);
}

TEST(Tally, ALoadThatTakesMoreThanItAskedForCountsOnce) {
  ResidencyTally tally;
  tally.take(Load{"a", false}, at(1));
  tally.measured("a", gib(2), gib(2));
  EXPECT_EQ(tally.of("a").mispredictions, 0U);
  tally.measured("a", gib(2), gib(3));
  tally.measured("a", gib(2), gib(4));
  EXPECT_EQ(tally.of("a").mispredictions, 1U);
  tally.take(Load{"a", false}, at(9));
  tally.take(LoadFailed{"a", true, false, "out of memory"}, at(10));
  EXPECT_EQ(tally.of("a").mispredictions, 2U);
  EXPECT_EQ(tally.of("a").out_of_memory, 1U);
}

TEST(Tally, WhatASleeperKeepsIsNoMisprediction) {
  ResidencyTally tally;
  tally.take(Load{"a", false}, at(1));
  tally.take(Loaded{"a"}, at(2));
  tally.take(Leave{"a", decide::Leaving::sleep}, at(3));
  tally.measured("a", Bytes{}, mib(300));
  EXPECT_EQ(tally.of("a").mispredictions, 0U);
}

TEST(Tally, ALoadThatNobodyWantsAnyMoreIsNoFailure) {
  ResidencyTally tally;
  tally.take(Load{"a", false}, at(1));
  tally.take(LoadFailed{"a", false, true, "cancelled"}, at(2));
  tally.take(Load{"a", false}, at(3));
  tally.take(LoadFailed{"a", false, false, "no such file"}, at(4));
  EXPECT_EQ(tally.of("a").failures, 1U);
}

// The room's engines are counted by the room itself.
TEST(Tally, ItCountsWhatHappensInAMachineRoom) {
  MachineRoom room = seeds_card();
  ResidencyTally tally;
  room.trace = [&tally](SteadyTime now, const Event& event, const std::vector<Effect>& effects) {
    if (const auto* released = std::get_if<Released>(&event))
      tally.engine_left(released->model, now);
    tally.take(event, now);
    for (const Effect& effect : effects) tally.take(effect, now);
  };
  for (int i = 0; i < 4; ++i) bring_in(room, {"xtts", "f5"});
  for (const char* name : {"xtts", "f5"}) {
    const ModelTally counted = tally.of(name);
    EXPECT_EQ(counted.starts, room.loads(name)) << name;
    EXPECT_EQ(counted.stops, room.stops(name)) << name;
    EXPECT_GE(counted.starts, 4U) << name;
    EXPECT_GE(phase_of(counted, SwapPhase::load).time, 4 * seconds(2)) << name;
    EXPECT_EQ(counted.failures + counted.deaths + counted.mispredictions, 0U) << name;
  }
}

}  // namespace
}  // namespace estiva::residency_test
