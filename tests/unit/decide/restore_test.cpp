// I7: what a restart makes of the journal.
#include <gtest/gtest.h>

#include "unit/decide/room.h"

namespace estiva::decide {
namespace {

Lease lease(std::string id, std::string model, Bytes bytes, pid_t pid = 0) {
  Lease l;
  l.id = std::move(id);
  l.model = std::move(model);
  l.shares = {{DeviceId{"nvidia", key(0), ""}, bytes}};
  l.boot_epoch = 7;
  l.sequence = 40;
  if (pid) l.holder = Holder{pid, 1, "boot"};
  return l;
}

TEST(Restore, LiveLeasesAreChargedBeforeTheFirstGrant) {
  Room room(1);
  const auto changes =
      room.ledger.restore({{lease("l-000000000004", "a", gib(3), 50), HolderCheck::alive},
                           {lease("l-000000000009", "b", gib(1)), HolderCheck::unknown}},
                          6, 12, {1});
  EXPECT_TRUE(changes.empty());
  EXPECT_EQ(room.ledger.leases().size(), 2u);
  EXPECT_EQ(room.ledger.sequence(), 40u);
  EXPECT_EQ(room.ledger.next_number(), 10u);
  room.now = 1;
  EXPECT_EQ(room.ask("c", {1}).cause, Cause::no_room);
  EXPECT_EQ(room.ask("a", gib(3)).verdict, Verdict::already_assigned);
}

TEST(Restore, NumbersNeverComeBack) {
  Room room(1);
  room.ledger.restore({}, 31, 90, {1});
  EXPECT_EQ(room.grant("a", gib(1)).id, "l-000000000031");
  EXPECT_EQ(room.ledger.sequence(), 91u);
}

TEST(Restore, LeasesOfAnotherBootAreVoid) {
  Room room(1);
  Lease old = lease("l-000000000004", "a", gib(3), 50);
  old.boot_epoch = 6;
  const auto changes = room.ledger.restore({{old, HolderCheck::alive}}, 1, 0, {1});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, LedgerChange::Kind::gone);
  EXPECT_EQ(changes[0].lease.id, old.id);
  EXPECT_TRUE(room.ledger.leases().empty());
  EXPECT_EQ(room.grant("a", gib(4)).id, "l-000000000005");
}

TEST(Restore, DeadHolderStartsTheRelease) {
  Room room(1);
  room.now = 5;
  const auto changes = room.ledger.restore(
      {{lease("l-000000000004", "a", gib(3), 50), HolderCheck::dead}}, 1, 0, {5});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, LedgerChange::Kind::releasing);
  EXPECT_EQ(changes[0].lease.state, LeaseState::releasing);
  EXPECT_EQ(room.ledger.find_model("a"), nullptr);
  room.process(0, 60, gib(2));  // what it left is foreign, and counts as such
  const auto gone = room.read();
  ASSERT_EQ(gone.size(), 1u);
  EXPECT_EQ(gone[0].kind, LedgerChange::Kind::gone);
  EXPECT_EQ(room.free_on(0), gib(2));
}

TEST(Restore, HolderCheckOfALeaseWithoutAHolderMeansNothing) {
  Room room(1);
  EXPECT_TRUE(
      room.ledger.restore({{lease("l-000000000004", "a", gib(3)), HolderCheck::dead}}, 1, 0, {1})
          .empty());
  EXPECT_NE(room.ledger.find_model("a"), nullptr);
}

TEST(Restore, ReleasingGoesOnReleasing) {
  Room room(1);
  Lease leaving = lease("l-000000000004", "a", gib(3), 50);
  leaving.state = LeaseState::releasing;
  EXPECT_TRUE(room.ledger.restore({{leaving, HolderCheck::alive}}, 1, 0, {1}).empty());
  EXPECT_EQ(room.ledger.find_model("a"), nullptr);
  room.now = 1;
  room.process(0, 50, gib(1), leaving.id);
  EXPECT_TRUE(room.read().empty());
  EXPECT_EQ(room.free_on(0), gib(3));
  room.no_processes(0);
  EXPECT_EQ(room.read().size(), 1u);
}

TEST(Restore, ReleaseBeforeTheFirstReadWaitsForIt) {
  Room room(1);
  room.ledger.restore({{lease("l-000000000004", "a", gib(3), 50), HolderCheck::alive}}, 1, 0, {1});
  room.now = 1;
  const auto changes = room.ledger.release("l-000000000004", {++room.now});
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0].kind, LedgerChange::Kind::releasing);
  room.process(0, 50, gib(2), "l-000000000004");
  room.read();
  EXPECT_EQ(room.ledger.leases().size(), 1u);
}

TEST(Restore, NamedGpuIsNotUnknownBeforeTheFirstRead) {
  Room room(1);
  room.ledger.restore({{lease("l-000000000004", "a", gib(3)), HolderCheck::unknown}}, 1, 0, {1});
  const AssignRequest again = room.request("a", gib(3), "0");
  EXPECT_EQ(decide_assign(room.ledger, again).cause, Cause::driver_not_ready);
  room.ledger.observe_driver(room.readings.driver);
  EXPECT_EQ(decide_assign(room.ledger, again).verdict, Verdict::needs_fresh_reading);
  EXPECT_EQ(room.decide(again).verdict, Verdict::already_assigned);
}

TEST(Restore, LeaseOnAGpuThatIsNoLongerThereIsKept) {
  Room room(0);
  room.ledger.restore({{lease("l-000000000004", "a", gib(3), 50), HolderCheck::alive}}, 1, 0, {1});
  room.now = 1;
  room.read();
  EXPECT_EQ(room.ledger.leases().size(), 1u);
  EXPECT_EQ(room.ask("b", gib(1)).cause, Cause::no_usable_gpu);
}

}  // namespace
}  // namespace estiva::decide
