// What the GPUs show and what follows: attribution, credit (I4), overcommit (I8), hidden figures.
#include <gtest/gtest.h>

#include "unit/decide/room.h"

namespace estiva::decide {
namespace {

using Kind = LedgerChange::Kind;

std::vector<Kind> kinds(const std::vector<LedgerChange>& changes) {
  std::vector<Kind> all;
  for (const LedgerChange& change : changes) all.push_back(change.kind);
  return all;
}

TEST(Evidence, HolderAndItsDescendantsAreTheLease) {
  Room room(1);
  const Lease a = room.grant("a", gib(3), "auto", 50);
  room.process(0, 50, mib(500), a.id);
  room.process(0, 51, mib(500), a.id);
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::active});
  EXPECT_GT(room.ledger.find(a.id)->lease.sequence, a.sequence);
  EXPECT_EQ(room.free_on(0), gib(1));
  const LeaseBytes bytes = bytes_of(*room.ledger.find(a.id));
  EXPECT_EQ(bytes.measured, mib(1000));
  EXPECT_EQ(bytes.charged, gib(3));
  EXPECT_EQ(room.ledger.find(a.id)->lease.state, LeaseState::active);
  EXPECT_TRUE(room.read().empty()) << "active is said once";
}

// The counter-example of docs/placement.md.
TEST(Evidence, NewStrangerIsNotTakenForTheModel) {
  Room room(1);
  room.grant("a", gib(2));
  room.process(0, 99, gib(2));
  const AssignRequest b = room.request("b", gib(2));
  EXPECT_EQ(room.decide(b).cause, Cause::no_room);
  const Explanation e = room.explain(b);
  EXPECT_NE(e.gpus.at(0).why.find("may be a"), std::string::npos) << e.gpus.at(0).why;
  EXPECT_NE(e.gpus.at(0).why.find("estiva assign a --pid 99"), std::string::npos);
}

TEST(Evidence, GrownModelIsChargedWithWhatItHolds) {
  Room room(1);
  const Lease a = room.grant("a", gib(1), "auto", 50);
  room.process(0, 50, gib(3), a.id);
  room.read();
  EXPECT_EQ(room.free_on(0), gib(1));
  EXPECT_EQ(bytes_of(*room.ledger.find(a.id)).charged, gib(3));
}

TEST(Evidence, ProcessOnAGpuThatIsNotInItsLeaseIsForeignThere) {
  Room room(2);
  const Lease a = room.grant("a", gib(1), "0", 50);
  room.process(1, 50, gib(3), a.id);
  room.read();
  EXPECT_EQ(room.free_on(0), gib(3));
  EXPECT_EQ(room.free_on(1), gib(1));
  EXPECT_EQ(room.account(1).foreign, gib(3));
}

TEST(Evidence, ProcessListedTwiceIsCountedOnce) {
  Room room(1);
  const Lease a = room.grant("a", gib(2), "auto", 50);
  room.process(0, 50, gib(1), a.id);
  auto list = *room.readings.gpus[0].sample.processes;
  list.push_back(list[0]);
  room.readings.gpus[0].sample.processes = list;
  room.read();
  EXPECT_EQ(bytes_of(*room.ledger.find(a.id)).measured, gib(1));
}

TEST(Evidence, ChildrenOfADeadHolderStayTheLeaseUntilTheyLeave) {
  Room room(1);
  const Lease a = room.grant("a", gib(2), "auto", 50);
  room.process(0, 51, gib(1), a.id, 5);
  room.read();
  EXPECT_EQ(kinds(room.ledger.holder_died(a.id, {++room.now})), std::vector{Kind::releasing});
  room.readings.owners = {{51, 5, ""}};  // its parent is init now
  EXPECT_TRUE(room.read().empty());
  EXPECT_EQ(room.free_on(0), gib(3));
  EXPECT_EQ(bytes_of(*room.ledger.find(a.id)).charged, gib(1));
  room.readings.owners.clear();  // dead, and the driver still lists it
  EXPECT_TRUE(room.read().empty());
  room.no_processes(0);
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::gone});
  EXPECT_EQ(room.free_on(0), gib(4));
}

TEST(Evidence, PidGivenToAnInnocentProcessIsNotTheLease) {
  Room room(1);
  const Lease a = room.grant("a", gib(2), "auto", 50);
  room.process(0, 50, gib(1), a.id, 5);
  room.read();
  room.ledger.holder_died(a.id, {++room.now});
  room.readings.owners = {{50, 6, ""}};
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::gone});
  EXPECT_EQ(room.account(0).foreign, gib(1));
}

TEST(Credit, NeverLoadedIsFreeAtOnce) {
  Room room(1);
  const Lease a = room.grant("a", gib(3));
  EXPECT_EQ(kinds(room.ledger.release(a.id, {++room.now})), std::vector{Kind::gone});
  EXPECT_TRUE(room.ledger.leases().empty());
  EXPECT_EQ(room.ask("b", gib(4)).verdict, Verdict::granted);
  EXPECT_TRUE(room.ledger.release(a.id, {++room.now}).empty()) << "twice is once";
}

TEST(Credit, LoadedStaysChargedWithWhatItStillHolds) {
  Room room(1);
  const Lease a = room.grant("a", gib(3), "auto", 50);
  room.process(0, 50, gib(2), a.id);
  room.read();
  EXPECT_EQ(kinds(room.ledger.release(a.id, {++room.now})), std::vector{Kind::releasing});
  EXPECT_TRUE(room.ledger.release(a.id, {++room.now}).empty());
  EXPECT_EQ(room.ledger.find(a.id)->lease.state, LeaseState::releasing);
  EXPECT_EQ(room.ledger.find_model("a"), nullptr);
  room.read();
  EXPECT_EQ(room.free_on(0), gib(2));
  room.no_processes(0, gib(1));  // the pid has left, the bytes follow later
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::gone});
  EXPECT_EQ(room.free_on(0), gib(3));
  room.set_used(0, {});
  room.read();
  EXPECT_EQ(room.free_on(0), gib(4));
}

TEST(Credit, ReadBegunBeforeTheReleaseIsNoEvidence) {
  Room room(1);
  const Lease a = room.grant("a", gib(3), "auto", 50);
  room.process(0, 50, gib(2), a.id);
  room.read();
  room.no_processes(0);
  room.readings.begun_at = {++room.now};
  room.ledger.release(a.id, {++room.now});
  EXPECT_TRUE(room.ledger.observe(room.readings).empty());
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::gone});
}

TEST(Credit, ReadBegunAtTheReleaseIsEvidence) {
  Room room(1);
  const Lease a = room.grant("a", gib(3), "auto", 50);
  room.process(0, 50, gib(2), a.id);
  room.read();
  room.no_processes(0);
  room.ledger.release(a.id, {++room.now});
  room.readings.begun_at = {room.now};
  EXPECT_EQ(kinds(room.ledger.observe(room.readings)), std::vector{Kind::gone});
  EXPECT_EQ(room.free_on(0), gib(4));
}

TEST(Credit, SecondDeathNoticeMovesTheEvidenceOn) {
  Room room(1);
  const Lease a = room.grant("a", gib(3), "auto", 50);
  room.process(0, 50, gib(2), a.id);
  room.read();
  room.ledger.release(a.id, {++room.now});
  room.readings.begun_at = {++room.now};
  EXPECT_TRUE(room.ledger.holder_died(a.id, {++room.now}).empty());
  room.no_processes(0);
  EXPECT_TRUE(room.ledger.observe(room.readings).empty());
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::gone});
  EXPECT_TRUE(room.ledger.holder_died(a.id, {++room.now}).empty());
}

TEST(Credit, HolderThatDiedBeforeLoadingLeavesWithTheNextRead) {
  Room room(1);
  const Lease a = room.grant("a", gib(3), "auto", 50);
  EXPECT_EQ(kinds(room.ledger.holder_died(a.id, {++room.now})), std::vector{Kind::releasing});
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::gone});
  EXPECT_EQ(room.free_on(0), gib(4));
}

TEST(Credit, NameCanBeAssignedAgainWhileTheOldOneLeaves) {
  Room room(1);
  const Lease a = room.grant("a", gib(2), "auto", 50);
  room.process(0, 50, gib(1), a.id);
  room.read();
  room.ledger.holder_died(a.id, {++room.now});
  const Lease again = room.grant("a", gib(3), "auto", 60);
  EXPECT_NE(again.id, a.id);
  EXPECT_EQ(room.ledger.find_model("a")->lease.id, again.id);
  EXPECT_EQ(room.free_on(0), Bytes{});
  room.no_processes(0);
  room.read();
  EXPECT_EQ(room.ledger.find_model("a")->lease.id, again.id);
  EXPECT_EQ(room.free_on(0), gib(1));
}

TEST(Credit, LeaseOnALostGpuLeavesWhenItsHolderDoes) {
  Room room(2);
  const Lease a = room.grant("a", gib(2), "0", 50);
  room.process(0, 50, gib(1), a.id);
  room.read();
  room.readings.gpus[0].sample.state = GpuState::lost;
  room.ledger.release(a.id, {++room.now});
  EXPECT_TRUE(room.read().empty()) << "a lost GPU is no evidence";
  room.ledger.holder_died(a.id, {++room.now});
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::gone});
}

TEST(Overcommit, StrangerThatTakesPromisedRoomIsNamedAndEnds) {
  Room room(1);
  room.grant("a", gib(3));
  room.process(0, 99, gib(1));
  EXPECT_TRUE(room.read().empty()) << "exactly full is not too full";
  room.set_used(0, gib(1) + Bytes{1});
  const auto begun = room.read();
  EXPECT_EQ(kinds(begun), std::vector{Kind::overcommitted});
  EXPECT_EQ(begun[0].device, key(0));
  EXPECT_EQ(room.ledger.overcommitted(), std::vector{key(0)});
  EXPECT_TRUE(room.read().empty()) << "said once";
  const AssignRequest b = room.request("b", {1});
  EXPECT_EQ(room.decide(b).cause, Cause::no_room);
  EXPECT_NE(room.explain(b).gpus.at(0).why.find("overcommitted"), std::string::npos);
  room.no_processes(0);
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::overcommit_over});
  EXPECT_TRUE(room.ledger.overcommitted().empty());
  EXPECT_EQ(room.ask("b", gib(1)).verdict, Verdict::granted);
}

TEST(Overcommit, ModelThatGrewIntoAnothersPromiseIsNamed) {
  Room room(1);
  const Lease a = room.grant("a", gib(2), "auto", 50);
  room.grant("b", gib(2), "auto", 60);
  room.process(0, 50, gib(2) + Bytes{1}, a.id);
  EXPECT_EQ(kinds(room.read()), (std::vector{Kind::active, Kind::overcommitted}));
}

TEST(Overcommit, OtherGpusGoOn) {
  Room room(2);
  room.grant("a", gib(3), "0");
  room.process(0, 99, gib(2));
  EXPECT_EQ(where(room.ask("b", gib(1))), key(1));
}

TEST(Settings, MarginStaysFreeAndIsNotOvercommit) {
  Room room(1, gib(4), PlacementPolicy{mib(256), {}, {}});
  EXPECT_EQ(room.ask("a", gib(4) - mib(256) + Bytes{1}).cause, Cause::no_room);
  EXPECT_NE(room.explain(room.request("a", gib(4))).gpus.at(0).why.find("256 MiB"),
            std::string::npos);
  room.grant("a", gib(4) - mib(256));
  room.process(0, 99, mib(256));
  EXPECT_TRUE(room.read().empty());
}

TEST(Settings, ContextAllowanceCountsUntilTheHolderHasAContext) {
  Room room(1, gib(4), PlacementPolicy{{}, mib(200), {}});
  EXPECT_EQ(room.ask("a", gib(4) - mib(200) + Bytes{1}).cause, Cause::no_room);
  const Lease a = room.grant("a", gib(2), "auto", 50);
  EXPECT_EQ(room.free_on(0), gib(2) - mib(200));
  room.process(0, 50, mib(100), a.id);
  room.read();
  EXPECT_EQ(room.free_on(0), gib(2));
}

TEST(Settings, ForeignMemoryCountsAtItsPeakOverTheWindow) {
  Room room(1, gib(4), PlacementPolicy{{}, {}, Nanoseconds(10)});
  room.process(0, 99, gib(2));
  room.read();
  EXPECT_EQ(room.free_on(0), gib(2));
  room.no_processes(0, gib(1));
  for (int i = 0; i < 10; ++i) {
    room.read();
    EXPECT_EQ(room.free_on(0), gib(2)) << i;
  }
  room.read();
  EXPECT_EQ(room.free_on(0), gib(3));
  EXPECT_TRUE(room.ledger.overcommitted().empty());
}

TEST(Settings, PeaksAreBounded) {
  GpuAccount account;
  for (std::uint64_t i = 0; i < 10 * kPeaksKept; ++i)
    note_foreign(account, {10'000 - i}, {static_cast<std::int64_t>(i)}, Nanoseconds(1'000'000));
  EXPECT_LE(account.peaks.size(), kPeaksKept);
  EXPECT_EQ(account.foreign_held, Bytes{10'000});
  EXPECT_EQ(account.foreign, Bytes{10'000 - 10 * kPeaksKept + 1});
}

TEST(Settings, WithoutAWindowForeignMemoryIsAsItIs) {
  GpuAccount account;
  note_foreign(account, gib(3), {1}, Nanoseconds::zero());
  note_foreign(account, gib(1), {1}, Nanoseconds::zero());
  EXPECT_EQ(account.foreign_held, gib(1));
}

TEST(Hidden, WithoutProcessFiguresTheLargerOfUsedAndPromisedCounts) {
  Room room(1);
  room.hide_processes(0);
  room.set_used(0, mib(512));
  room.grant("a", gib(2), "auto", 50);
  EXPECT_EQ(room.free_on(0), gib(2) - mib(512)) << "foreign as last known, and the promise";
  room.set_used(0, gib(2) + mib(512));
  room.read();
  EXPECT_EQ(room.free_on(0), gib(2) - mib(512)) << "it has loaded, as far as one can see";
  room.set_used(0, gib(3));
  room.read();
  EXPECT_EQ(room.free_on(0), gib(1)) << "more is in use than was promised";
}

TEST(Hidden, ForeignIsNeverMoreThanWhatIsInUse) {
  Room room(1);
  room.hide_processes(0);
  room.set_used(0, gib(2));
  room.grant("a", gib(1), "auto", 50);
  room.set_used(0, gib(1));
  room.read();
  EXPECT_EQ(room.free_on(0), gib(2));
}

TEST(Hidden, OneProcessOfALeaseWithoutAFigureHidesTheWhole) {
  Room room(1);
  const Lease a = room.grant("a", gib(2), "auto", 50);
  room.process(0, 50, gib(1), a.id);
  auto list = *room.readings.gpus[0].sample.processes;
  list[0].used = Missing::not_supported;
  room.readings.gpus[0].sample.processes = list;
  room.read();
  EXPECT_FALSE(room.account(0).exact);
  EXPECT_EQ(room.free_on(0), gib(2));
}

TEST(Hidden, StrangerWithoutAFigureHidesNothing) {
  Room room(1);
  room.grant("a", gib(2), "auto", 50);
  room.process(0, 99, gib(1));
  auto list = *room.readings.gpus[0].sample.processes;
  list[0].used = Missing::not_supported;
  room.readings.gpus[0].sample.processes = list;
  room.read();
  EXPECT_TRUE(room.account(0).exact);
  EXPECT_EQ(room.free_on(0), gib(1));
}

TEST(Hidden, ReleaseWaitsForTheHolder) {
  Room room(1);
  room.hide_processes(0);
  const Lease a = room.grant("a", gib(2), "auto", 50);
  room.set_used(0, gib(1));
  room.read();
  EXPECT_EQ(kinds(room.ledger.release(a.id, {++room.now})), std::vector{Kind::releasing});
  EXPECT_TRUE(room.read().empty());
  EXPECT_EQ(bytes_of(*room.ledger.find(a.id)).charged, gib(1)) << "no more than is in use";
  room.ledger.holder_died(a.id, {++room.now});
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::gone});
}

TEST(Hidden, ReleaseWithoutAHolderLeavesWhatItMayHoldAsForeign) {
  Room room(1);
  room.hide_processes(0);
  const Lease a = room.grant("a", gib(1)), b = room.grant("b", gib(1));
  room.set_used(0, gib(1));  // one of the two has loaded, nobody knows which
  room.read();
  EXPECT_EQ(room.free_on(0), gib(2));
  EXPECT_EQ(kinds(room.ledger.release(a.id, {++room.now})), std::vector{Kind::gone});
  room.read();
  EXPECT_EQ(room.free_on(0), gib(2)) << "b may still load";
  room.ledger.release(b.id, {++room.now});
  room.read();
  EXPECT_EQ(room.free_on(0), gib(3)) << "without leases all that is in use is foreign";
}

TEST(Hidden, WhatAReleasedLeaseMayHoldIsForeignAtOnce) {
  struct Case {
    Bytes before, asked, used, foreign;
  };
  for (const Case& c : {Case{mib(1536), gib(1), mib(2560), mib(2560)},
                        Case{mib(512), gib(1), gib(3), mib(1536)},  // the rest is nobody's word
                        Case{mib(512), gib(3), gib(1), gib(1)}}) {
    Room room(1);
    room.hide_processes(0);
    room.set_used(0, c.before);
    const Lease a = room.grant("a", c.asked);
    room.set_used(0, c.used);
    room.read();
    EXPECT_EQ(kinds(room.ledger.release(a.id, {++room.now})), std::vector{Kind::gone});
    EXPECT_EQ(room.account(0).foreign, c.foreign);
    EXPECT_EQ(room.account(0).foreign_held, c.foreign);
  }
}

TEST(Evidence, ALeaseOnTwoGpusIsActiveOnceItIsSeenOnOne) {
  Room room(2);
  AssignRequest r = room.request("a", gib(1));
  r.shares = on_any_gpus(2, gib(1));
  r.holder = Holder{50, 1, "boot"};
  const Lease a = room.ledger.apply(room.decide(r)).lease;
  EXPECT_TRUE(room.read().empty());
  room.process(1, 50, mib(100), a.id);
  EXPECT_EQ(kinds(room.read()), std::vector{Kind::active});
}

TEST(Strangers, LargestAreKeptLargestFirst) {
  Room room(1, gib(40));
  for (int i = 0; i < 12; ++i) room.process(0, 100 + i, mib(100 + 10 * ((i * 5) % 12)));
  room.read();
  const auto& strangers = room.account(0).strangers;
  ASSERT_EQ(strangers.size(), kForeignKept);
  EXPECT_EQ(*strangers.front().used, mib(210));
  EXPECT_EQ(*strangers.back().used, mib(140));
  EXPECT_TRUE(std::is_sorted(strangers.begin(), strangers.end(),
                             [](const auto& a, const auto& b) { return *a.used > *b.used; }));
}

TEST(Devices, ThoseThatAreGoneAndInNoLeaseLeaveTheAccounts) {
  Room room(3);
  const Lease a = room.grant("a", gib(1), "2", 50);
  room.readings.gpus.erase(room.readings.gpus.begin(), room.readings.gpus.begin() + 2);
  room.read();
  EXPECT_EQ(room.ledger.accounts().size(), 1u);
  EXPECT_EQ(room.free_on(2), gib(3));
  room.readings.gpus.clear();
  room.read();
  ASSERT_EQ(room.ledger.accounts().size(), 1u) << "a lease is on it";
  EXPECT_EQ(room.account(2).usable, Usable::not_seen);
  EXPECT_EQ(room.free_on(2), Bytes{});
  room.ledger.release(a.id, {++room.now});
  room.read();
  EXPECT_TRUE(room.ledger.accounts().empty());
}

TEST(Devices, TheFirstStaysWhereItIsWhenTheLastLeaves) {
  Room room(2);
  room.grant("a", gib(1), "0");
  room.readings.gpus.pop_back();
  room.read();
  ASSERT_EQ(room.ledger.accounts().size(), 1u);
  EXPECT_EQ(room.ledger.accounts()[0].id.uuid, key(0));
  EXPECT_EQ(room.free_on(0), gib(3));
}

TEST(Devices, ALeaseOnSeveralIsTheSumOfItsShares) {
  Room room(3);
  AssignRequest r = room.request("m", gib(1));
  r.shares = on_any_gpus(3, gib(1));
  const Lease lease = room.ledger.apply(room.decide(r)).lease;
  room.process(0, 50, gib(2), lease.id);
  room.process(1, 51, gib(1), lease.id);
  room.read();
  const LeaseBytes bytes = bytes_of(*room.ledger.find(lease.id));
  EXPECT_EQ(bytes.declared, gib(3));
  EXPECT_EQ(bytes.measured, gib(3));
  EXPECT_EQ(bytes.charged, gib(4)) << "the first one grew by itself";
}

TEST(Devices, OfTwoReadsOfOneInstantTheLaterToArriveCounts) {
  Room room(1);
  room.read();
  room.set_used(0, gib(3));
  room.ledger.observe(room.readings);  // begun when the last one was: fewer tiers, or a new state
  EXPECT_EQ(room.free_on(0), gib(1));
  room.set_used(0, gib(1));
  --room.readings.begun_at.ns;
  room.ledger.observe(room.readings);
  EXPECT_EQ(room.free_on(0), gib(1)) << "an older one is ignored";
}

TEST(Credit, EveryChangeOfALeaseHasASequenceOfItsOwn) {
  Room room(1);
  const Lease a = room.grant("a", gib(1)), b = room.grant("b", gib(1));
  const auto gone = room.ledger.release(a.id, {++room.now});
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone.front().kind, LedgerChange::Kind::gone);
  EXPECT_GT(gone.front().lease.sequence, b.sequence);
  EXPECT_EQ(room.ledger.sequence(), gone.front().lease.sequence);
}

}  // namespace
}  // namespace estiva::decide
