// Who is asked to give its bytes back so that a request fits.
#include "decide/placement/make_room.h"

#include <gtest/gtest.h>

#include "unit/decide/room.h"

namespace estiva::decide {
namespace {

using Ids = std::vector<std::string>;

std::vector<Yielder> all_of(std::initializer_list<Lease> leases) {
  std::vector<Yielder> yielders;
  for (const Lease& lease : leases) yielders.push_back({lease.id, {}});
  return yielders;
}

TEST(MakeRoom, NobodyWhereItFitsOrCanNeverFit) {
  Room room(1);
  const Lease a = room.grant("a", gib(2));
  room.read();
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("b", gib(2)), all_of({a})), Ids{});
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("b", gib(5)), all_of({a})), Ids{});
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("b", gib(3)), {}), Ids{});
}

TEST(MakeRoom, AsFewAsAreNeededInTheGivenOrder) {
  Room room(1);
  const Lease a = room.grant("a", gib(1)), b = room.grant("b", gib(1)), c = room.grant("c", gib(2));
  room.read();
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("x", gib(1)), all_of({b, a, c})), Ids{b.id});
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("x", gib(2)), all_of({b, a, c})),
            (Ids{b.id, a.id}));
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("x", gib(2)), all_of({a, c, b})), Ids{c.id})
      << "without c it would not do, and then a is not needed";
}

TEST(MakeRoom, WhatOneWouldKeepIsNotFreed) {
  Room room(1);
  const Lease a = room.grant("a", gib(4));
  room.read();
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("x", gib(4)), {{a.id, {mib(1)}}}), Ids{});
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("x", gib(4) - mib(1)), {{a.id, {mib(1)}}}),
            Ids{a.id});
}

TEST(MakeRoom, OnlyThoseOnAGpuThatHelps) {
  Room room(2);
  const Lease a = room.grant("a", gib(4), "0"), b = room.grant("b", gib(4), "1");
  room.read();
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("x", gib(3), "1"), all_of({a, b})), Ids{b.id});
}

TEST(MakeRoom, ForALeaseThatWantsItsBytesBackWhereItIs) {
  Room room(2);
  const Lease a = room.grant("a", gib(3), "0");
  room.ledger.shrink(a.id, {mib(1)}, {++room.now});
  room.read();
  const Lease b = room.grant("b", gib(3), "0"), c = room.grant("c", gib(3), "1");
  room.read();
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("a", gib(3)), all_of({c, b})), Ids{b.id})
      << "it has its GPU: c is on the other";
}

TEST(MakeRoom, WhatIsBeingGivenBackIsWaitedForAndNobodyIsAskedBeside) {
  Room room(1);
  const Lease a = room.grant("a", gib(3)), b = room.grant("b", gib(1));
  room.read();
  room.ledger.shrink(a.id, {Bytes{}}, {++room.now});
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("x", gib(3)), all_of({b})), Ids{});
}

TEST(MakeRoom, OneThatLeavesOrIsGoneIsNoHelp) {
  Room room(1);
  const Lease a = room.grant("a", gib(4), "auto", 50);
  room.process(0, 50, gib(4), a.id);
  room.read();
  room.ledger.release(a.id, {++room.now});
  EXPECT_EQ(whom_to_ask(room.ledger, room.request("x", gib(1)), {{a.id, {}}, {"l-9", {}}}), Ids{});
}

}  // namespace
}  // namespace estiva::decide
