// What the desktop's processes had of a GPU is kept for them.
#include <gtest/gtest.h>

#include "room.h"

namespace estiva::decide {
namespace {

// The newest process on GPU 0 draws.
void let_draw(Room& room) {
  auto list = *room.readings.gpus[0].sample.processes;
  list.back().graphics = true;
  room.readings.gpus[0].sample.processes = list;
}

// A screen's process with so much on GPU 0, beside a program that computes.
void draws(Room& room, Bytes desktop, Bytes other = {}) {
  room.no_processes(0);
  if (desktop > Bytes{}) {
    room.process(0, 70, desktop);
    let_draw(room);
  }
  if (other > Bytes{}) room.process(0, 71, other);
  room.read();
}

TEST(Desktop, WhatItGivesBackForAMomentIsKeptForIt) {
  PlacementPolicy policy;
  policy.desktop_window = Nanoseconds(10);
  policy.desktop_reserve = mib(256);
  Room room(1, gib(4), policy);
  draws(room, {}, gib(1));
  EXPECT_EQ(room.free_on(0), gib(3)) << "nobody draws: no reserve";
  draws(room, gib(1), gib(1));
  EXPECT_EQ(room.free_on(0), mib(2048 - 256));
  draws(room, mib(100));
  EXPECT_EQ(room.free_on(0), mib(4096 - 1024 - 256)) << "only its own memory is kept";
  draws(room, {});
  EXPECT_EQ(room.free_on(0), mib(4096 - 1024 - 256)) << "also when it is gone for a moment";
  EXPECT_TRUE(room.ledger.overcommitted().empty());
  for (int i = 0; i < 12; ++i) draws(room, {});
  EXPECT_EQ(room.free_on(0), gib(4));
}

TEST(Desktop, ARefusalSaysWhatIsKept) {
  PlacementPolicy policy;
  policy.desktop_window = Nanoseconds(1'000);
  Room room(1, gib(4), policy);
  draws(room, gib(2));
  draws(room, mib(10));
  const auto words = room.explain(room.request("a", gib(3)));
  ASSERT_FALSE(words.gpus.empty());
  EXPECT_NE(words.gpus[0].why.find("2.00 GiB are kept for the desktop"), std::string::npos)
      << words.gpus[0].why;
}

TEST(Desktop, AModelThatDrawsIsNoDesktop) {
  PlacementPolicy policy;
  policy.desktop_window = Nanoseconds(1'000);
  Room room(1, gib(4), policy);
  const Lease lease = room.grant("a", gib(2), "auto", 70);
  room.process(0, 70, gib(2), lease.id);
  let_draw(room);
  room.read();
  EXPECT_EQ(room.free_on(0), gib(2));
  EXPECT_EQ(room.account(0).desktop_held, Bytes{});
}

}  // namespace
}  // namespace estiva::decide
