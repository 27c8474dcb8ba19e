// The seed's own card, and the ways in which others starve, duplicate and throw away.
#include <cmath>

#include "unit/decide/residency/room_parts.h"

namespace estiva::residency_test {
namespace {

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

// The probe of the starvation, with its times drawn.
TEST(Starvation, InNoPatternOfArrivalsIsAnyoneServedAfterItsBound) {
  Nanoseconds longest{0};
  std::uint64_t served = 0, late = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Rng rng(seed);
    MachineRoom room = seeds_card();
    std::function<void()> again = [&] {
      room.ask("xtts", rng.between(milliseconds(500), seconds(3)));
      room.after(rng.between(milliseconds(100), seconds(1)), again);
    };
    again();
    room.run_for(rng.between(milliseconds(1), seconds(30)));
    const Ticket b = room.ask("f5", rng.between(milliseconds(100), seconds(2)));
    room.run_for(seconds(60));
    const Request& request = room.request(b);
    served += request.began.has_value();
    late += request.began && *request.began > request.bound;
    if (request.began) longest = std::max(longest, *request.began - request.arrived);
    ASSERT_EQ(room.violations(), std::vector<std::string>{}) << seed;
  }
  EXPECT_EQ(served, 1000U);
  EXPECT_EQ(late, 0U);
  EXPECT_LT(longest, seconds(20));
}

// A day of Poisson traffic for three models on the card.
TEST(Soak, ADayOfPoissonTrafficServesAllOfIt) {
  ModelSpec llm = model("llm", mib(2500));
  MachineRoom room({gib(4)}, {model("f5", gib(2)), llm, model("xtts", mib(3500))},
                   {{"xtts", loads_in(seconds(3))}, {"f5", loads_in(seconds(2))}});
  room.keep_requests = false;
  Rng rng(5);
  const char* names[] = {"f5", "llm", "xtts"};
  std::function<void()> next = [&] {
    if (room.now() > SteadyTime{Nanoseconds(hours(24)).count()}) return;
    room.ask(names[rng.below(3)], rng.between(milliseconds(200), seconds(4)));
    room.after(Nanoseconds(static_cast<std::int64_t>(-std::log(1 - rng.unit()) * 20e9)), next);
  };
  next();
  room.run_for(hours(25));
  EXPECT_GT(room.tickets(), 4000U);
  EXPECT_TRUE(room.requests().empty());
  EXPECT_EQ(room.timed_out(), 0U);
  EXPECT_EQ(room.refused(), 0U);
  EXPECT_EQ(room.out_of_memory(), 0U);
  expect_clean(room);
}

}  // namespace
}  // namespace estiva::residency_test
