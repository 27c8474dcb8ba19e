// A lease that needs less for a while: its model sleeps. The word alone frees nothing.
#include <gtest/gtest.h>

#include "unit/decide/room.h"

namespace estiva::decide {
namespace {

using Kind = LedgerChange::Kind;

// One GPU of 4 GiB; the lease has 3, and its process 50 holds as much as is said.
struct Held : Room {
  explicit Held(Bytes held) : Room(1) {
    lease = grant("a", gib(3), "auto", 50);
    hold(held);
  }
  void hold(Bytes held) {
    no_processes(0);
    process(0, 50, held, lease.id);
    read();
  }
  std::vector<LedgerChange> shrink(Bytes to) { return ledger.shrink(lease.id, {to}, {++now}); }
  Lease lease;
};

TEST(Shrink, WhatTheProcessStillHoldsStaysCharged) {
  Held room(gib(3));
  const auto changes = room.shrink(mib(100));
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, Kind::shrunk);
  EXPECT_EQ(changes[0].lease.shares[0].bytes, mib(100));
  EXPECT_GT(changes[0].lease.sequence, room.lease.sequence);
  room.read();
  EXPECT_EQ(room.free_on(0), gib(1)) << "said, and not done";
  room.hold(mib(300));
  EXPECT_EQ(room.free_on(0), gib(4) - mib(300)) << "done, but for more than it said";
  room.hold(mib(50));
  EXPECT_EQ(room.free_on(0), gib(4) - mib(100)) << "what it declares is kept for it";
}

TEST(Shrink, APromiseNobodyHasSeenUsedIsNotGrantedOnTheOldReading) {
  Held room(gib(1));
  ASSERT_EQ(room.free_on(0), gib(1));
  room.shrink(mib(100));
  EXPECT_EQ(room.free_on(0), gib(1)) << "it may have loaded the rest since that reading";
  const Bytes before = room.account(0).credit_pending;
  EXPECT_EQ(before, gib(2));
  room.read();
  EXPECT_EQ(room.account(0).credit_pending, Bytes{});
  EXPECT_EQ(room.free_on(0), gib(3));
}

TEST(Shrink, AReadBegunEarlierIsNoEvidence) {
  Held room(gib(1));
  room.readings.begun_at = {++room.now};
  room.shrink(mib(100));
  room.ledger.observe(room.readings);
  EXPECT_EQ(room.free_on(0), gib(1));
}

TEST(Shrink, NeverLargerAndNeverAnotherNumberOfShares) {
  Held room(gib(1));
  EXPECT_TRUE(room.shrink(gib(3)).empty());
  EXPECT_TRUE(room.shrink(gib(4)).empty());
  EXPECT_TRUE(room.ledger.shrink(room.lease.id, {}, {++room.now}).empty());
  EXPECT_TRUE(room.ledger.shrink(room.lease.id, {mib(1), mib(1)}, {++room.now}).empty());
  EXPECT_TRUE(room.ledger.shrink("l-999999999999", {mib(1)}, {++room.now}).empty());
  EXPECT_EQ(room.ledger.find(room.lease.id)->lease, room.ledger.leases().front());
  EXPECT_EQ(bytes_of(*room.ledger.find(room.lease.id)).declared, gib(3));
}

TEST(Shrink, OneOfTwoSharesAlone) {
  Room room(2);
  AssignRequest wanted = room.request("a", gib(3));
  wanted.shares = on_any_gpus(2, gib(3));
  const Decision decision = room.decide(wanted);
  ASSERT_EQ(decision.verdict, Verdict::granted);
  const Lease lease = room.ledger.apply(decision).lease;
  ASSERT_EQ(room.ledger.shrink(lease.id, {gib(3), gib(1)}, {++room.now}).size(), 1u);
  room.read();
  EXPECT_EQ(room.free_on(0) + room.free_on(1), gib(1) + gib(3));
}

TEST(Shrink, GrowsBackByTheSameNameWhereThereIsRoom) {
  Held room(gib(3));
  room.shrink(mib(100));
  room.hold(mib(100));
  const Lease other = room.grant("b", gib(2));
  ASSERT_FALSE(other.id.empty()) << "the room is there";
  EXPECT_EQ(room.ask("a", gib(3)).cause, Cause::no_room);
  room.ledger.release(other.id, {++room.now});
  const Decision back = room.ask("a", gib(3));
  ASSERT_EQ(back.verdict, Verdict::grown);
  EXPECT_EQ(room.ledger.apply(back).lease.id, room.lease.id) << "the same lease";
  EXPECT_EQ(room.free_on(0), gib(1));
}

TEST(Shrink, WhatLeavesIsBeyondIt) {
  Held room(gib(1));
  room.ledger.release(room.lease.id, {++room.now});
  EXPECT_TRUE(room.shrink(mib(1)).empty());
}

// The driver does not say what processes hold: then there is no evidence but the sum in use.
TEST(Shrink, HiddenFiguresKeepItAsForeignUntilUseFalls) {
  Room room(1, gib(10));
  room.hide_processes(0);
  const Lease a = room.grant("a", gib(6), "auto", 50);
  room.set_used(0, gib(6));
  const Lease b = room.grant("b", gib(3));
  ASSERT_FALSE(b.id.empty());
  ASSERT_EQ(room.free_on(0), gib(1));
  room.ledger.shrink(a.id, {gib(1)}, {++room.now});
  room.read();
  EXPECT_EQ(room.free_on(0), gib(1)) << "nothing was moved";
  room.set_used(0, gib(1));
  room.read();
  EXPECT_EQ(room.free_on(0), gib(5));
}

}  // namespace
}  // namespace estiva::decide
