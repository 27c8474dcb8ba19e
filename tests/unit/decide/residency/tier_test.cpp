// Models that sleep, and the RAM that they sleep in.
#include "unit/decide/residency/room_parts.h"

namespace estiva::residency_test {
namespace {

ResidencySettings with_ram(Bytes budget) {
  ResidencySettings settings;
  settings.host_budget = budget;
  return settings;
}

MachineRoom sleepers(Bytes budget, std::map<std::string, Behaviour> behaviours) {
  return MachineRoom({gib(4)}, {model("a", gib(3)), model("b", gib(3)), model("c", gib(3))},
                     std::move(behaviours), with_ram(budget));
}

TEST(Sleep, AModelThatCanSleepIsWokenAndNotLoaded) {
  MachineRoom room = sleepers(gib(8), {{"a", sleeps_in(milliseconds(300), milliseconds(200))}});
  bring_in(room, {"a", "b"});
  EXPECT_EQ(room.state("a"), Residency::sleeping);
  EXPECT_EQ(room.sleeps("a"), 1U);
  const Ticket again = room.ask("a");
  room.run_until_idle();
  EXPECT_TRUE(room.request(again).ended);
  EXPECT_EQ(room.stops("a"), 0U);
  EXPECT_LT(*room.request(again).began - room.request(again).arrived, seconds(3));
  expect_clean(room);
}

TEST(Sleep, WithoutRamForItItIsStopped) {
  MachineRoom room = sleepers(gib(2), {{"a", sleeps_in(milliseconds(300), milliseconds(200))}});
  bring_in(room, {"a", "b"});
  EXPECT_EQ(room.sleeps("a"), 0U);
  EXPECT_EQ(room.stops("a"), 1U);
  expect_clean(room);
}

TEST(Sleep, OneThatMayNotIsStopped) {
  ModelSpec a = model("a", gib(3));
  a.may_sleep = false;
  MachineRoom room({gib(4)}, {a, model("b", gib(3))},
                   {{"a", sleeps_in(milliseconds(300), milliseconds(200))}}, with_ram(gib(8)));
  bring_in(room, {"a", "b"});
  EXPECT_EQ(room.sleeps("a"), 0U);
}

TEST(Sleep, OneThatFailsToFallAsleepIsStopped) {
  Behaviour restless = sleeps_in(milliseconds(300), milliseconds(200));
  restless.sleep_fails = true;
  MachineRoom room = sleepers(gib(8), {{"a", restless}});
  bring_in(room, {"a"});
  const Ticket b = room.ask("b");
  room.run_until_idle();
  EXPECT_TRUE(room.request(b).ended);
  EXPECT_EQ(room.stops("a"), 1U);
  EXPECT_TRUE(room.was_told("could not be put to sleep"));
  expect_clean(room);
}

TEST(Sleep, ASleeperThatIsWorthLessIsStoppedForOneThatIsWorthMore) {
  // RAM for one of them. `a` loads in a second, `b` in a minute.
  Behaviour quick = sleeps_in(milliseconds(300), milliseconds(200));
  quick.load = seconds(1);
  Behaviour slow = quick;
  slow.load = minutes(1);
  MachineRoom room = sleepers(gib(4), {{"a", quick}, {"b", slow}});
  bring_in(room, {"a"});
  EXPECT_EQ(room.state("a"), Residency::resident);
  room.ask("b");
  room.run_for(minutes(2));
  EXPECT_EQ(room.state("a"), Residency::sleeping);
  const Ticket c = room.ask("c");
  room.run_until_idle();
  EXPECT_TRUE(room.request(c).ended);
  EXPECT_EQ(room.state("b"), Residency::sleeping);
  EXPECT_EQ(room.stops("a"), 1U);
  expect_clean(room);
}

TEST(Sleep, LessRamStopsTheSleeperThatIsWorthLeast) {
  Behaviour quick = sleeps_in(milliseconds(300), milliseconds(200));
  quick.load = seconds(1);
  Behaviour slow = quick;
  slow.load = minutes(1);
  MachineRoom room = sleepers(gib(8), {{"a", slow}, {"b", quick}});
  room.ask("a");
  room.run_for(minutes(2));
  bring_in(room, {"b", "c"});
  ASSERT_EQ(room.state("a"), Residency::sleeping);
  ASSERT_EQ(room.state("b"), Residency::sleeping);
  room.say(HostBudget{gib(4)});
  room.run_for(seconds(10));
  EXPECT_EQ(room.state("a"), Residency::sleeping);
  EXPECT_EQ(room.state("b"), Residency::absent);
}

TEST(Sleep, OneThatFellAsleepInRamThatIsGoneIsStopped) {
  MachineRoom room = sleepers(gib(8), {{"a", sleeps_in(seconds(2), milliseconds(200))}});
  bring_in(room, {"a"});
  room.ask("b");
  room.run_for(milliseconds(500));  // it is falling asleep
  room.say(HostBudget{gib(1)});
  room.run_for(seconds(20));
  EXPECT_EQ(room.state("a"), Residency::absent);
  EXPECT_EQ(room.stops("a"), 1U);
  expect_clean(room);
}

TEST(Sleep, WhatASleeperKeepsOnTheGpuCountsAndIsEvictedWhereThatHelps) {
  Behaviour heavy = sleeps_in(milliseconds(300), milliseconds(200));
  heavy.residue = gib(1);
  MachineRoom room({gib(4)}, {model("a", gib(2)), model("b", mib(3500))}, {{"a", heavy}},
                   with_ram(gib(8)));
  bring_in(room, {"a"});
  const Ticket b = room.ask("b");
  room.run_until_idle();
  EXPECT_TRUE(room.request(b).ended);
  EXPECT_EQ(room.stops("a"), 1U);
  expect_clean(room);
}

}  // namespace
}  // namespace estiva::residency_test
