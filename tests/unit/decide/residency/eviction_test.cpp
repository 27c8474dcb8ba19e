// Whom to evict, whom never, and whom a little later.
#include "decide/residency/victims.h"
#include "unit/decide/residency/room_parts.h"

namespace estiva::residency_test {
namespace {

TEST(Eviction, TheModelThatIsCheaperToLoadAgainLeaves) {
  MachineRoom room({gib(8)}, {model("new", gib(3)), model("quick", gib(3)), model("slow", gib(3))},
                   {{"quick", loads_in(seconds(1))}, {"slow", loads_in(seconds(40))}});
  bring_in(room, {"quick", "slow"});
  room.run_for(seconds(60));
  room.ask("new");
  room.run_until_idle();
  EXPECT_EQ(room.state("slow"), Residency::resident);
  EXPECT_EQ(room.stops("quick"), 1U);
}

TEST(Eviction, TheModelThatIsAskedForMoreOftenStays) {
  MachineRoom room({gib(8)}, {model("new", gib(3)), model("often", gib(3)), model("rare", gib(3))});
  bring_in(room, {"rare", "often"});
  for (int i = 0; i < 20; ++i) {
    room.ask("often");
    room.run_for(seconds(3));
  }
  room.ask("new");
  room.run_until_idle();
  EXPECT_EQ(room.stops("rare"), 1U);
  EXPECT_EQ(room.stops("often"), 0U);
}

TEST(Eviction, NoMoreThanWhatIsNeededLeaves) {
  MachineRoom room(
      {gib(8)}, {model("a", gib(2)), model("b", gib(2)), model("c", gib(3)), model("new", gib(3))});
  bring_in(room, {"a", "b", "c"});
  room.ask("new");
  room.run_until_idle();
  EXPECT_EQ(room.stops("a") + room.stops("b") + room.stops("c"), 1U);
  expect_clean(room);
}

TEST(Eviction, AModelOfPolicyKeepLeavesLast) {
  ModelSpec kept = model("kept", gib(3));
  kept.policy = ResidencyPolicy::keep;
  MachineRoom room({gib(8)}, {kept, model("new", gib(3)), model("other", gib(3))},
                   {{"kept", loads_in(milliseconds(500))}, {"other", loads_in(minutes(1))}});
  room.ask("kept");
  room.run_for(seconds(20));
  room.ask("other");
  room.run_for(minutes(2));
  room.ask("new");
  room.run_for(minutes(1));
  EXPECT_EQ(room.stops("other"), 1U);
  // And it leaves for one that can't have room otherwise.
  room.ask("other");
  room.run_for(minutes(5));
  const Ticket again = room.ask("new");
  room.run_until_idle();
  EXPECT_TRUE(room.request(again).ended);
  expect_clean(room);
}

TEST(Eviction, APinnedModelNeverLeavesForOthersAndThatIsSaidAtOnce) {
  ModelSpec pinned = model("pinned", gib(3));
  pinned.pinned = true;
  MachineRoom room({gib(4)}, {model("new", gib(3)), pinned});
  bring_in(room, {"pinned"});
  const Ticket refused = room.ask("new");
  room.run_for(seconds(1));
  ASSERT_TRUE(room.request(refused).refusal);
  EXPECT_EQ(room.request(refused).refusal->kind, ErrorKind::no_room);
  EXPECT_NE(room.request(refused).refusal->why.find("no room for new (3.00 GiB)"),
            std::string::npos);
  EXPECT_EQ(room.state("pinned"), Residency::resident);
  room.say(Pin{"pinned", false});
  const Ticket served = room.ask("new");
  room.run_until_idle();
  EXPECT_TRUE(room.request(served).ended);
}

TEST(Eviction, OneWhoseRemovalWouldNotHelpStays) {
  ModelSpec there = model("there", gib(3)), here = model("here", gib(3)),
            wanted = model("new", gib(3));
  there.gpu = "1";
  here.gpu = wanted.gpu = "0";
  MachineRoom room({gib(4), gib(4)}, {here, wanted, there},
                   {{"here", loads_in(minutes(1))}, {"there", loads_in(milliseconds(100))}});
  room.ask("here");
  room.run_for(minutes(2));
  room.ask("there");
  room.run_for(minutes(1));
  room.ask("new");
  room.run_until_idle();
  EXPECT_EQ(room.stops("there"), 0U);
  EXPECT_EQ(room.stops("here"), 1U);
}

TEST(Eviction, ForeignMemoryThatNobodyCanEvictIsSaidAtOnce) {
  MachineRoom room({gib(4)}, {model("a", gib(3))});
  room.stranger(0, gib(2));
  const Ticket a = room.ask("a");
  room.run_for(milliseconds(100));
  ASSERT_TRUE(room.request(a).refusal);
  EXPECT_EQ(room.request(a).refusal->kind, ErrorKind::no_room);
}

TEST(Eviction, MemoryThatIsSlowlyGivenBackIsWaitedForAndNotEvictedFor) {
  // `a` leaves and its bytes linger; `small` is in and stays.
  MachineRoom room({gib(8)}, {model("a", gib(4)), model("b", gib(5)), model("small", gib(2))},
                   {{"small", loads_in(minutes(1))}});
  room.ask("small");
  room.run_for(minutes(2));
  bring_in(room, {"a"});
  const Ticket b = room.ask("b");
  room.run_until_idle();
  EXPECT_TRUE(room.request(b).ended);
  EXPECT_EQ(room.stops("small"), 0U);
}

TEST(Quantum, ABusyModelGoesOnForItsQuantum) {
  MachineRoom room = seeds_card();
  room.ask("xtts", seconds(5));
  room.run_for(seconds(4));  // open for one second
  const Ticket b = room.ask("f5");
  room.run_for(seconds(1));
  const Ticket more = room.ask("xtts");
  EXPECT_TRUE(room.request(more).began);  // it is still open
  room.run_until_idle();
  EXPECT_TRUE(room.request(b).ended);
  expect_clean(room);
}

TEST(Quantum, AnIdleModelThatNobodyAsksForSoonLeavesAtOnce) {
  MachineRoom room = seeds_card();
  bring_in(room, {"xtts"});
  room.ask("f5");
  EXPECT_EQ(room.state("xtts"), Residency::draining);
}

TEST(Quantum, AModelThatIsAskedAgainAtOnceIsSparedAShortWhile) {
  // One client that asks again 200 ms after each answer: cheaper to wait for than to swap.
  MachineRoom room = seeds_card();
  std::function<void()> again = [&] { room.ask("xtts", milliseconds(300)); };
  for (int i = 0; i < 6; ++i) room.after(milliseconds(3500 + 500 * i), again);
  room.ask("xtts", milliseconds(300));
  room.run_for(milliseconds(3500 + 2500 + 350));  // just after an answer; the quantum lasts
  ASSERT_EQ(room.state("xtts"), Residency::resident);
  room.ask("f5");
  EXPECT_EQ(room.state("xtts"), Residency::resident);
  room.run_for(seconds(1));  // nobody came: more than twice the usual gap is over
  EXPECT_NE(room.state("xtts"), Residency::resident);
  room.run_until_idle();
  expect_clean(room);
}

TEST(Groups, AtMostOneOfAGroupIsIn) {
  ModelSpec a = model("a", gib(1)), b = model("b", gib(1)), c = model("c", gib(1));
  a.group = b.group = "tts";
  MachineRoom room({gib(8)}, {a, b, c});
  room.ask("a");
  room.ask("b");
  room.ask("c");
  room.run_until_idle();
  EXPECT_EQ(room.stops("a") + room.stops("b"), 1U);
  EXPECT_EQ(room.state("c"), Residency::resident);
  for (const auto& [ticket, request] : room.requests()) EXPECT_TRUE(request.ended);
  expect_clean(room);
}

TEST(Groups, APinnedOneKeepsTheOthersOutAndThatIsSaid) {
  ModelSpec a = model("a", gib(1)), b = model("b", gib(1));
  a.group = b.group = "tts";
  a.pinned = true;
  MachineRoom room({gib(8)}, {a, b});
  bring_in(room, {"a"});
  const Ticket refused = room.ask("b");
  ASSERT_TRUE(room.request(refused).refusal);
  EXPECT_EQ(room.request(refused).refusal->why,
            "only one of the group tts may be in, and a is pinned");
}

TEST(SeveralGpus, AModelThatNeedsTwoGetsBothOrNone) {
  ModelSpec wide = model("wide", gib(3)), left = model("left", gib(3)),
            right = model("right", gib(3));
  wide.gpus = 2;
  left.gpu = "0";
  right.gpu = "1";
  MachineRoom room({gib(4), gib(4)}, {left, right, wide});
  bring_in(room, {"left", "right"});
  const Ticket ticket = room.ask("wide");
  room.run_until_idle();
  EXPECT_TRUE(room.request(ticket).ended);
  ASSERT_TRUE(room.ledger().find_model("wide"));
  EXPECT_EQ(room.ledger().find_model("wide")->lease.shares.size(), 2U);
  expect_clean(room);
}

// ---- the choice alone ----

decide::Ledger two_gpus() {
  decide::Readings readings;
  readings.begun_at = {1};
  readings.driver.state = DriverState::ready;
  for (unsigned i = 0; i < 2; ++i) {
    Gpu& gpu = readings.gpus.emplace_back();
    gpu.identity.id.uuid = "GPU-" + std::to_string(i);
    gpu.identity.index = i;
    gpu.sample.memory = GpuMemory{gib(10), gib(10), {}, {}, true};
    gpu.sample.processes = std::vector<GpuProcess>{};
  }
  decide::Ledger ledger({}, "node", 1);
  ledger.observe(readings);
  return ledger;
}

decide::AssignRequest of(Bytes bytes, std::size_t shares = 1) {
  decide::AssignRequest request;
  request.model = "new";
  request.shares = decide::on_any_gpus(shares, bytes);
  return request;
}

TEST(Victims, TheCheapestSetIsFoundWhateverItsSize) {
  const decide::Ledger ledger = two_gpus();
  const std::vector<Candidate> candidates = {
      {5, {{0, gib(6)}}}, {2, {{0, gib(3)}}}, {2, {{0, gib(3)}}}};
  const Victims found = choose_victims(ledger, of(gib(6)), Freed(2), candidates);
  EXPECT_EQ(found.set, (std::vector<std::size_t>{1, 2}));
  EXPECT_EQ(found.accounts, (std::vector<std::uint32_t>{0}));
}

TEST(Victims, NobodyIsInTheSetForNothing) {
  const decide::Ledger ledger = two_gpus();
  const std::vector<Candidate> candidates = {
      {1, {{0, gib(1)}}}, {9, {{0, gib(6)}}}, {1, {{1, gib(2)}}}};
  EXPECT_EQ(choose_victims(ledger, of(gib(6)), Freed(2), candidates).set,
            (std::vector<std::size_t>{1}));
}

TEST(Victims, WhereAllTogetherAreNotEnoughThereIsNone) {
  const decide::Ledger ledger = two_gpus();
  const std::vector<Candidate> candidates = {{1, {{0, gib(4)}}}, {1, {{1, gib(4)}}}};
  EXPECT_FALSE(choose_victims(ledger, of(gib(6)), Freed(2), candidates).fits);
}

TEST(Victims, TwoSharesTakeTheTwoCheapestGpus) {
  const decide::Ledger ledger = two_gpus();
  const std::vector<Candidate> candidates = {
      {4, {{0, gib(6)}}}, {1, {{1, gib(6)}}}, {3, {{0, gib(3)}, {1, gib(3)}}}};
  const Victims found = choose_victims(ledger, of(gib(6), 2), Freed(2), candidates);
  EXPECT_EQ(found.set, (std::vector<std::size_t>{0, 1}));
}

TEST(Victims, OfManyNoneIsLeftOutThatTheLastByteNeeds) {
  const decide::Ledger ledger = two_gpus();
  std::vector<Candidate> candidates(kExactCandidates + 1, {5, {{0, mib(100)}}});
  candidates[0].cost = candidates[1].cost = 1;
  candidates[0].held[0].bytes = gib(6) - mib(2048) - Bytes{1};
  candidates[1].held[0].bytes = mib(2048);
  const Victims found = choose_victims(ledger, of(gib(6)), Freed(2), candidates);
  EXPECT_TRUE(found.fits);
  EXPECT_EQ(found.set, (std::vector<std::size_t>{0, 1, 2}));
}

// Against all subsets.
TEST(Victims, NoSubsetIsCheaper) {
  Rng rng(7);
  const decide::Ledger ledger = two_gpus();
  for (int round = 0; round < 500; ++round) {
    std::vector<Candidate> candidates;
    const std::size_t n = 1 + rng.below(9);
    for (std::size_t i = 0; i < n; ++i)
      candidates.push_back({1.0 + static_cast<double>(rng.below(20)),
                            {{static_cast<std::uint32_t>(rng.below(2)), gib(1 + rng.below(5))}}});
    const auto request = of(gib(1 + rng.below(9)));
    double best = 1e9;
    for (unsigned mask = 0; mask < (1U << n); ++mask) {
      Freed freed(2);
      double cost = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (!(mask >> i & 1)) continue;
        cost += candidates[i].cost;
        add(freed, candidates[i].held);
      }
      if (cost < best && choose_gpus(ledger, request, freed).cause == decide::Cause::none)
        best = cost;
    }
    const Victims found = choose_victims(ledger, request, Freed(2), candidates);
    ASSERT_EQ(found.fits, best < 1e9) << round;
    if (found.fits) {
      ASSERT_EQ(found.cost, best) << round;
    }
  }
}

}  // namespace
}  // namespace estiva::residency_test
