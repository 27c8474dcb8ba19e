// The seed's own card, and the ways in which others starve, duplicate and throw away.
#include <gtest/gtest.h>

#include "residency/machine_room.h"

namespace estiva::residency_test {
namespace {

using decide::Residency;

Behaviour loads_in(Nanoseconds load) {
  Behaviour behaviour;
  behaviour.load = load;
  return behaviour;
}

MachineRoom seeds_card() {
  return MachineRoom({gib(4)}, {model("f5", gib(2)), model("xtts", mib(3500))},
                     {{"xtts", loads_in(seconds(3))}, {"f5", loads_in(seconds(2))}});
}

TEST(SeedsCard, TwoModelsThatExceedItTogetherAreBothServed) {
  MachineRoom room = seeds_card();
  for (int i = 0; i < 20; ++i) {
    room.ask(i % 2 ? "f5" : "xtts", milliseconds(300));
    room.run_for(seconds(12));
  }
  room.run_until_idle();
  for (const auto& [ticket, request] : room.requests()) EXPECT_TRUE(request.ended) << ticket;
  EXPECT_EQ(room.loads("xtts"), 10U);
  EXPECT_EQ(room.loads("f5"), 10U);
  EXPECT_EQ(room.out_of_memory(), 0U);
  EXPECT_EQ(room.violations(), std::vector<std::string>{});
}

TEST(SeedsCard, AModelThatIsInIsServedWithoutALoad) {
  MachineRoom room = seeds_card();
  for (int i = 0; i < 5; ++i) {
    room.ask("xtts");
    room.run_for(seconds(5));
  }
  EXPECT_EQ(room.loads("xtts"), 1U);
}

TEST(Starvation, ThreeOverlappingClientsOfOneDoNotKeepTheOtherOut) {
  MachineRoom room = seeds_card();
  std::function<void()> again = [&] {
    room.ask("xtts", milliseconds(1500));
    room.after(milliseconds(500), again);
  };
  again();
  room.run_for(seconds(20));
  const Ticket b = room.ask("f5");
  room.run_for(seconds(60));
  const Request& served = room.request(b);
  ASSERT_TRUE(served.began);
  EXPECT_LE(*served.began, served.bound);
  // Its quantum was over: it closed at once and drained.
  EXPECT_LE(*served.began - served.arrived, seconds(6));
  EXPECT_EQ(room.violations(), std::vector<std::string>{});
}

TEST(Coalescing, AThousandColdRequestsAreOneLoad) {
  MachineRoom room = seeds_card();
  for (int i = 0; i < 1000; ++i) room.ask("xtts");
  room.run_until_idle();
  EXPECT_EQ(room.loads("xtts"), 1U);
  for (const auto& [ticket, request] : room.requests()) ASSERT_TRUE(request.ended) << ticket;
}

TEST(Cancel, AClientThatLeavesEarlyCostsNobodyItsPlace) {
  MachineRoom room = seeds_card();
  room.ask("xtts", seconds(30));
  room.run_for(seconds(8));
  const Ticket b = room.ask("f5");
  room.run_for(milliseconds(10));
  room.hang_up(b);
  room.run_for(seconds(40));
  EXPECT_EQ(room.state("xtts"), Residency::resident);
  EXPECT_EQ(room.stops("xtts"), 0U);
  EXPECT_EQ(room.loads("f5"), 0U);
}

TEST(Cancel, AnEvictionThatHasBegunIsTakenBackWhileItDrains) {
  MachineRoom room = seeds_card();
  room.ask("xtts", seconds(40));
  room.run_for(seconds(15));
  const Ticket b = room.ask("f5");
  room.run_for(seconds(1));
  EXPECT_EQ(room.state("xtts"), Residency::draining);
  room.hang_up(b);
  room.run_for(seconds(1));
  EXPECT_EQ(room.state("xtts"), Residency::resident);
  EXPECT_TRUE(room.is_open("xtts"));
  EXPECT_EQ(room.violations(), std::vector<std::string>{});
}

TEST(Drain, RequestsThatDoNotEndAreCutAtTheDeadline) {
  MachineRoom room = seeds_card();
  const Ticket a = room.ask("xtts", hours(1));
  room.run_for(seconds(15));
  const Ticket b = room.ask("f5");
  room.run_for(seconds(29));
  EXPECT_FALSE(room.request(a).is_cut);
  room.run_for(seconds(10));
  EXPECT_TRUE(room.request(a).is_cut);
  EXPECT_TRUE(room.request(b).began);
  EXPECT_LE(*room.request(b).began, room.request(b).bound);
}

}  // namespace
}  // namespace estiva::residency_test
