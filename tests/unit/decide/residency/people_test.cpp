// A person's words, policies, and the configuration.
#include "unit/decide/residency/room_parts.h"

namespace estiva::residency_test {
namespace {

TEST(Load, AWishIsFulfilledWhenTheModelIsIn) {
  MachineRoom room = seeds_card();
  const Ticket wish = room.want_load("xtts");
  room.run_for(seconds(4));
  EXPECT_TRUE(room.request(wish).is_done);
  EXPECT_TRUE(room.is_open("xtts"));
  const Ticket again = room.want_load("xtts");
  EXPECT_TRUE(room.request(again).is_done);
  expect_clean(room);
}

TEST(Unload, ItDrainsFirstAndIsStopped) {
  MachineRoom room = seeds_card();
  const Ticket a = room.ask("xtts", seconds(5));
  room.run_for(seconds(4));
  room.say(Unload{"xtts"});
  EXPECT_FALSE(room.is_open("xtts"));
  room.run_for(seconds(20));
  EXPECT_TRUE(room.request(a).ended);
  EXPECT_EQ(room.state("xtts"), Residency::absent);
  EXPECT_TRUE(room.ledger().entries().empty());
  expect_clean(room);
}

TEST(Unload, WhoWaitsForItsLoadIsTold) {
  MachineRoom room = seeds_card();
  const Ticket a = room.ask("xtts");
  room.run_for(seconds(1));
  room.say(Unload{"xtts"});
  ASSERT_TRUE(room.request(a).refusal);
  EXPECT_EQ(room.request(a).refusal->why, "xtts was unloaded by hand");
  room.run_for(seconds(5));
  EXPECT_EQ(room.state("xtts"), Residency::absent);
}

TEST(Policy, AlwaysUnloadLeavesAfterEachUse) {
  ModelSpec a = model("a", gib(1));
  a.policy = ResidencyPolicy::always_unload;
  MachineRoom room({gib(4)}, {a});
  room.ask("a", seconds(1));
  room.ask("a", seconds(2));
  room.run_for(seconds(20));
  EXPECT_EQ(room.state("a"), Residency::absent);
  EXPECT_EQ(room.loads("a"), 1U);  // both in one residency
  expect_clean(room);
}

TEST(Policy, ItCanBeChangedWhileTheModelIsIn) {
  MachineRoom room = seeds_card();
  bring_in(room, {"xtts"});
  room.say(SetPolicy{"xtts", ResidencyPolicy::always_unload});
  EXPECT_EQ(room.machine().find("xtts")->policy, ResidencyPolicy::always_unload);
  room.run_for(seconds(5));
  EXPECT_EQ(room.state("xtts"), Residency::absent);
}

TEST(Ttl, AModelThatNobodyAsksForLeavesAfterIt) {
  ModelSpec a = model("a", gib(1)), pinned = model("pinned", gib(1));
  a.ttl = pinned.ttl = seconds(60);
  pinned.pinned = true;
  MachineRoom room({gib(4)}, {a, pinned});
  room.ask("a");
  room.ask("pinned");
  room.run_for(seconds(55));
  EXPECT_EQ(room.state("a"), Residency::resident);
  room.run_for(seconds(15));
  EXPECT_EQ(room.state("a"), Residency::absent);
  EXPECT_EQ(room.state("pinned"), Residency::resident);
}

TEST(Ttl, AReportThatNothingChangedIsNoUse) {
  ModelSpec a = model("a", gib(1));
  a.ttl = seconds(60);
  MachineRoom room({gib(4)}, {a});
  room.ask("a");
  for (int i = 0; i < 7; ++i) {
    room.run_for(seconds(10));
    room.say(Busy{"a", 0, 1});  // the one request, long answered
  }
  EXPECT_EQ(room.state("a"), Residency::absent);
}

TEST(Ttl, OnBatteryIdleModelsLeaveSooner) {
  ModelSpec a = model("a", gib(1)), kept = model("kept", gib(1));
  kept.policy = ResidencyPolicy::keep;
  MachineRoom room({gib(4)}, {a, kept});
  room.ask("a");
  room.ask("kept");
  room.run_for(minutes(10));
  ASSERT_EQ(room.state("a"), Residency::resident) << "without a TTL it stays";
  room.say(DefaultTtl{minutes(2)});
  room.run_for(seconds(10));
  EXPECT_EQ(room.state("a"), Residency::absent);
  EXPECT_EQ(room.state("kept"), Residency::resident);
}

TEST(Preload, ModelsComeInAtTheStartWhereThereIsRoom) {
  ModelSpec a = model("a", gib(3)), b = model("b", gib(3));
  a.preload = b.preload = true;
  MachineRoom room({gib(4)}, {a, b});
  room.run_for(seconds(30));
  EXPECT_EQ(room.loads("a") + room.loads("b"), 1U);
  EXPECT_EQ(room.stops("a") + room.stops("b"), 0U);
  EXPECT_TRUE(room.was_told("was not loaded at the start"));
}

TEST(Preload, AClientThatLeavesDoesNotCancelIt) {
  ModelSpec a = model("a", gib(3));
  a.preload = true;
  MachineRoom room({gib(4)}, {a});
  const Ticket ticket = room.ask("a");
  room.run_for(seconds(1));
  room.hang_up(ticket);
  room.run_for(seconds(5));
  EXPECT_EQ(room.loads("a"), 1U);
}

TEST(Pause, EverythingLeavesAndNothingComesUntilItsEnd) {
  MachineRoom room = seeds_card();
  room.say(Pin{"xtts", true});
  bring_in(room, {"xtts"});
  room.say(Pause{"", room.now() + hours(2)});
  room.run_for(seconds(10));
  EXPECT_EQ(room.state("xtts"), Residency::absent);
  const Ticket refused = room.ask("xtts");
  room.run_for(milliseconds(10));
  ASSERT_TRUE(room.request(refused).refusal);
  EXPECT_EQ(room.request(refused).refusal->kind, ErrorKind::refused);
  ASSERT_TRUE(room.request(refused).refusal->retry_after);
  EXPECT_LT(*room.request(refused).refusal->retry_after, hours(2));
  EXPECT_GT(*room.request(refused).refusal->retry_after, minutes(119));
  room.run_for(hours(2));
  const Ticket served = room.ask("xtts");
  room.run_until_idle();
  EXPECT_TRUE(room.request(served).ended);
}

TEST(Pause, OneWithoutAnEndTellsNoTime) {
  MachineRoom room({gib(4), gib(4)}, {model("a", gib(3))});
  const auto& accounts = room.ledger().accounts();
  room.say(Pause{accounts[0].id.key(), room.now() + minutes(10)});
  room.say(Pause{accounts[1].id.key(), std::nullopt});
  const Ticket refused = room.ask("a");
  room.run_for(milliseconds(10));
  ASSERT_TRUE(room.request(refused).refusal);
  EXPECT_FALSE(room.request(refused).refusal->retry_after);
}

TEST(Pause, WhatCanGoElsewhereGoesElsewhere) {
  MachineRoom room({gib(4), gib(4)}, {model("a", gib(3))});
  room.say(Pause{"GPU-0", std::nullopt});
  const Ticket a = room.ask("a");
  room.run_until_idle();
  EXPECT_TRUE(room.request(a).ended);
  ASSERT_TRUE(room.ledger().find_model("a"));
  EXPECT_EQ(room.ledger().find_model("a")->lease.shares[0].device.uuid, "GPU-1");
}

TEST(Pause, WhatWouldNotFitAnywayIsNotBlamedOnIt) {
  MachineRoom room({gib(4), gib(4)}, {model("huge", gib(30))});
  room.say(Pause{"GPU-0", std::nullopt});
  const Ticket huge = room.ask("huge");
  ASSERT_TRUE(room.request(huge).refusal);
  EXPECT_EQ(room.request(huge).refusal->kind, ErrorKind::no_room);
}

TEST(Configuration, ARemovedModelDrainsAndIsForgotten) {
  MachineRoom room = seeds_card();
  const Ticket a = room.ask("xtts", seconds(5));
  room.run_for(seconds(4));
  room.say(Configured{{model("f5", gib(2))}});
  EXPECT_FALSE(room.is_open("xtts"));
  room.run_for(seconds(10));
  EXPECT_TRUE(room.request(a).ended);
  EXPECT_FALSE(room.machine().find("xtts"));
  expect_clean(room);
}

TEST(Configuration, TreatmentIsInForceAtOnceAndTheRestAtTheNextLoad) {
  MachineRoom room = seeds_card();
  bring_in(room, {"xtts"});
  ModelSpec changed = model("xtts", gib(2));
  changed.pinned = true;
  room.say(Configured{{model("f5", gib(2)), changed}});
  EXPECT_TRUE(room.machine().find("xtts")->pinned);
  EXPECT_EQ(room.machine().find("xtts")->need, mib(3500));
  room.say(Unload{"xtts"});
  room.run_for(seconds(10));
  EXPECT_EQ(room.machine().find("xtts")->need, gib(2));
}

TEST(Adopted, AModelThatOutlivedTheDaemonIsServedWithoutALoad) {
  decide::ResidencyMachine machine({}, {model("a", gib(3))});
  MachineRoom other({gib(4)}, {model("a", gib(3))});
  const auto effects = machine.step(Adopted{"a", false, 2}, {1'000'000'000}, other.ledger());
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<Open>(effects[0]));
  EXPECT_EQ(machine.find("a")->in_flight, 2U);
}

TEST(Remote, AModelOfAnotherServerNeedsNoRoom) {
  ModelSpec remote;
  remote.name = "far";
  remote.engine = ModelEngine::remote;
  MachineRoom room({gib(4)}, {remote});
  room.stranger(0, gib(4));
  const Ticket ticket = room.ask("far");
  room.run_until_idle();
  EXPECT_TRUE(room.request(ticket).ended);
}

TEST(Need, AModelWhoseNeedNobodyKnowsIsRefusedWithWhatToDo) {
  ModelSpec unknown;
  unknown.name = "a";
  MachineRoom room({gib(4)}, {unknown});
  const Ticket ticket = room.ask("a");
  ASSERT_TRUE(room.request(ticket).refusal);
  EXPECT_NE(room.request(ticket).refusal->remedy.find("vram"), std::string::npos);
}

}  // namespace
}  // namespace estiva::residency_test
