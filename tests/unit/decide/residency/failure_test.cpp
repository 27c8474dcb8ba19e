// Loads that fail, engines that die, ledgers that say no, GPUs that hold too much.
#include "unit/decide/residency/room_parts.h"

namespace estiva::residency_test {
namespace {

MachineRoom failing(unsigned fails) {
  Behaviour behaviour;
  behaviour.fails = fails;
  return MachineRoom({gib(4)}, {model("a", gib(3))}, {{"a", behaviour}});
}

TEST(Failure, ThoseThatWaitAreToldTheReason) {
  MachineRoom room = failing(1);
  const Ticket a = room.ask("a");
  room.run_for(seconds(3));
  ASSERT_TRUE(room.request(a).refusal);
  EXPECT_EQ(room.request(a).refusal->kind, ErrorKind::failed);
  EXPECT_EQ(room.request(a).refusal->why, "loading a failed: exit code 1");
  EXPECT_EQ(room.request(a).refusal->retry_after, Nanoseconds(seconds(1)));
  room.run_for(seconds(10));
  EXPECT_TRUE(room.ledger().entries().empty());
}

TEST(Failure, ThePauseDoublesAndNewOnesAreToldHowLongItIs) {
  MachineRoom room = failing(3);
  for (const int pause : {1, 2, 4}) {
    const Ticket first = room.ask("a");
    room.run_for(milliseconds(2100));
    ASSERT_TRUE(room.request(first).refusal) << pause;
    EXPECT_EQ(room.request(first).refusal->retry_after, Nanoseconds(seconds(pause)));
    const Ticket within = room.ask("a");
    ASSERT_TRUE(room.request(within).refusal);
    EXPECT_LE(*room.request(within).refusal->retry_after, Nanoseconds(seconds(pause)));
    room.run_for(seconds(pause));
  }
  const Ticket last = room.ask("a");
  room.run_until_idle();
  EXPECT_TRUE(room.request(last).ended);
}

TEST(Failure, OutOfMemoryIsTriedOnceMoreAloneWithAnEighthMore) {
  Behaviour once;
  once.out_of_memory = 1;
  MachineRoom room({gib(8)}, {model("a", gib(4)), model("beside", gib(1))}, {{"a", once}});
  bring_in(room, {"beside"});
  const Ticket a = room.ask("a");
  room.run_until_idle();
  EXPECT_TRUE(room.request(a).ended);
  EXPECT_EQ(room.stops("beside"), 1U);
  EXPECT_EQ(room.machine().find("a")->need, Bytes{gib(4).value / 8 * 9});
  expect_clean(room);
}

TEST(Failure, OutOfMemoryTwiceIsAFailure) {
  Behaviour twice;
  twice.out_of_memory = 2;
  MachineRoom room({gib(8)}, {model("a", gib(4))}, {{"a", twice}});
  const Ticket a = room.ask("a");
  room.run_for(seconds(20));
  ASSERT_TRUE(room.request(a).refusal);
  EXPECT_EQ(room.request(a).refusal->kind, ErrorKind::failed);
  EXPECT_EQ(room.loads("a"), 0U);
}

TEST(Failure, AnEngineThatDiesIsLoadedAgainForTheNextOne) {
  MachineRoom room = seeds_card();
  room.ask("xtts");
  room.run_for(minutes(1));
  room.kill_engine("xtts");
  room.run_for(milliseconds(10));
  EXPECT_FALSE(room.is_open("xtts"));
  const Ticket next = room.ask("xtts");
  room.run_until_idle();
  EXPECT_TRUE(room.request(next).ended);
  EXPECT_EQ(room.loads("xtts"), 2U);
  expect_clean(room);
}

TEST(Failure, AnEngineThatDiesSoonAfterItsLoadIsPaused) {
  MachineRoom room = seeds_card();
  room.ask("xtts");
  room.run_for(seconds(5));
  room.kill_engine("xtts");
  const Ticket next = room.ask("xtts");
  ASSERT_TRUE(room.request(next).refusal);
  EXPECT_NE(room.request(next).refusal->why.find("signal 9"), std::string::npos);
  room.run_for(seconds(3));
  const Ticket later = room.ask("xtts");
  room.run_until_idle();
  EXPECT_TRUE(room.request(later).ended);
}

TEST(Failure, ALedgerThatSaysNoAgainAndAgainIsBelieved) {
  // The machine's ledger is older than the one that decides.
  decide::ResidencyMachine machine({}, {model("a", gib(3))});
  MachineRoom other({gib(4)}, {model("a", gib(3))});
  std::vector<Effect> effects =
      machine.step(Arrived{1, "a", 0, false}, {seconds(1).count() * 1'000'000'000}, other.ledger());
  std::int64_t now = 2'000'000'000;
  unsigned reserves = 0;
  bool refused = false;
  for (int i = 0; i < 20 && !refused; ++i) {
    for (const Effect& effect : effects) {
      reserves += std::holds_alternative<Reserve>(effect);
      refused = refused || std::holds_alternative<Refuse>(effect);
    }
    now += 500'000'000;
    const bool asked = machine.find("a")->state == Residency::reserving;
    effects =
        asked ? machine.step(NotReserved{"a", true, "others were quicker"}, {now}, other.ledger())
              : machine.step(Tick{}, {now}, other.ledger());
  }
  EXPECT_TRUE(refused);
  EXPECT_EQ(reserves, 3U);
}

// Until the ledger has answered, the bytes that one model asked for are no other's.
TEST(Order, WhatIsBeingReservedIsNotGivenAway) {
  decide::ResidencyMachine machine({}, {model("a", gib(3)), model("b", gib(3))});
  const MachineRoom room({gib(4)}, {model("a", gib(3))});
  const auto reserves = [](const std::vector<Effect>& effects) {
    return std::count_if(effects.begin(), effects.end(), [](const Effect& effect) {
      return std::holds_alternative<Reserve>(effect);
    });
  };
  EXPECT_EQ(reserves(machine.step(Arrived{1, "a"}, {1'000'000'000}, room.ledger())), 1);
  EXPECT_EQ(reserves(machine.step(Arrived{2, "b"}, {1'100'000'000}, room.ledger())), 0);
  EXPECT_EQ(machine.find("a")->state, Residency::reserving);
}

TEST(Overcommitted, TheCheapestIdleModelsLeaveUntilItIsOver) {
  MachineRoom room({gib(8)}, {model("a", gib(2)), model("b", gib(2)), model("new", gib(3))},
                   {{"a", loads_in(milliseconds(500))}, {"b", loads_in(seconds(30))}});
  for (const char* name : {"a", "b"}) {
    room.ask(name);
    room.run_for(minutes(1));
  }
  const Ticket ticket = room.ask("new");
  room.run_for(milliseconds(100));
  room.stranger(0, gib(2));  // while what was promised to `new` is not there yet
  EXPECT_EQ(room.ledger().overcommitted().size(), 1U);
  room.run_for(seconds(10));
  EXPECT_TRUE(room.ledger().overcommitted().empty());
  EXPECT_EQ(room.stops("a"), 1U);
  EXPECT_EQ(room.stops("b"), 0U);
  EXPECT_TRUE(room.request(ticket).ended);
  EXPECT_EQ(room.out_of_memory(), 0U);
}

TEST(Others, ProgramsThatShareTheGpuAreAskedAndWaitedFor) {
  MachineRoom room({gib(4)}, {model("a", gib(3))});
  room.stranger(0, gib(2));
  unsigned asked = 0;
  room.others = [&asked](const AskOthers& effect) {
    ++asked;
    return effect.shares.size() == 1 && effect.shares[0].bytes == gib(3);
  };
  const Ticket first = room.ask("a"), second = room.ask("a");
  room.run_for(seconds(5));
  EXPECT_EQ(asked, 1U) << "for all that wait";
  EXPECT_FALSE(room.request(first).refusal || room.request(second).refusal);
  room.stranger(0, gib(0));
  room.run_until_idle();
  EXPECT_TRUE(room.request(first).ended && room.request(second).ended);
  expect_clean(room);
}

TEST(Others, TheyAreNotWaitedForLongerThanItTakesThem) {
  MachineRoom room({gib(4)}, {model("a", gib(3))});
  room.stranger(0, gib(2));
  room.others = [](const AskOthers&) { return true; };
  const Ticket first = room.ask("a");
  room.run_for(seconds(34));
  EXPECT_FALSE(room.request(first).refusal);
  room.run_for(seconds(2));
  ASSERT_TRUE(room.request(first).refusal);
  EXPECT_EQ(room.request(first).refusal->kind, ErrorKind::no_room);
}

}  // namespace
}  // namespace estiva::residency_test
