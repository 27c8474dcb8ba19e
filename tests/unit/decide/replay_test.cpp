// Why a grant went where it went, and past decisions made again.
#include "decide/placement/replay.h"

#include <gtest/gtest.h>

#include "decide/placement/grant_reason.h"
#include "unit/decide/room.h"

namespace estiva::decide {
namespace {

// The reason of a grant on a reading of its own.
std::string reason(Room& room, const AssignRequest& request) {
  const Decision decision = room.decide(request);
  return grant_reason(room.ledger, request, decision);
}

TEST(GrantReason, SaysWhyThisGpu) {
  Room two(2, gib(10));
  EXPECT_EQ(reason(two, two.request("a", gib(1))),
            "GPU 0 is the fullest of 2 with room (10.0 GiB free)");
  AssignRequest spread = two.request("a", gib(1));
  spread.choice = Choice::least_utilized;
  EXPECT_EQ(reason(two, spread), "GPU 0 is the least busy of 2 with room (10.0 GiB free)");
  spread.choice = Choice::pack;
  EXPECT_EQ(reason(two, spread), "GPU 0 is the fullest of 2 with room (10.0 GiB free)");
  EXPECT_EQ(reason(two, two.request("a", gib(1), "1")), "GPU 1 was asked for (10.0 GiB free)");
  two.set_used(0, gib(10));
  EXPECT_EQ(reason(two, two.request("a", gib(1))),
            "GPU 1 is the only one with room (10.0 GiB free)");
  two.set_used(0, gib(9));  // room to the byte counts
  EXPECT_EQ(reason(two, two.request("a", gib(1))),
            "GPU 0 is the fullest of 2 with room (1.00 GiB free)");
  two.set_used(0, {});
  AssignRequest both = two.request("b", gib(1));
  both.shares = on_any_gpus(2, gib(1));
  EXPECT_EQ(reason(two, both), "2 GPUs, all granted together");
  Room one(1, gib(10));
  EXPECT_EQ(reason(one, one.request("a", gib(1))),
            "GPU 0 is the only one with room (10.0 GiB free)");
}

TEST(GrantReason, OfAModelThatHasALease) {
  Room room(1, gib(10));
  room.grant("a", gib(1));
  EXPECT_EQ(reason(room, room.request("a", gib(1))), "the model has this GPU already");
  EXPECT_EQ(reason(room, room.request("a", gib(2))),
            "the model has this GPU already, and its lease has grown");
  AssignRequest held = room.request("a", gib(1));
  held.holder = Holder{7, 1, "boot"};
  EXPECT_EQ(reason(room, held), "the model has this GPU already; the process is its holder now");
  EXPECT_EQ(reason(room, room.request("b", gib(99))), "") << "a refusal has its own words";
}

class ReplayTest : public testing::Test {
 protected:
  // Decides on one reading for all, and writes down what came of it.
  void ask(const AssignRequest& request) {
    PastDecision past;
    past.position = past_.size() + 1;
    past.model = request.model;
    past.request = request;
    past.sequence = room_.ledger.sequence();
    if (past_.empty()) past.before = std::make_shared<const LedgerState>(room_.ledger.state());
    const Decision decision = decide_assign(room_.ledger, request);
    if (changes_ledger(decision.verdict)) {
      past.outcome.granted = true;
      past.outcome.words = grant_reason(room_.ledger, request, decision);
      for (const Share& share : room_.ledger.apply(decision).lease.shares) {
        past.outcome.shares.push_back({share.device.key(), share.bytes});
      }
    } else {
      past.outcome.words = explain_refusal(room_.ledger, request, decision).reason;
    }
    past_.push_back(std::move(past));
  }
  ReplayTest() {
    const auto a = room_.request("a", gib(6)), b = room_.request("b", gib(6)),
               c = room_.request("c", gib(6));
    room_.read();
    ask(a);
    ask(b);
    ask(c);
  }
  std::vector<Replay::Step> again() {
    Replay replay;
    std::vector<Replay::Step> steps;
    for (const PastDecision& past : past_) steps.push_back(replay.take(past));
    return steps;
  }

  Room room_{2, gib(10)};
  std::vector<PastDecision> past_;
};

TEST_F(ReplayTest, TheSameComesOut) {
  ASSERT_FALSE(past_[2].outcome.granted);
  for (const Replay::Step& step : again()) {
    EXPECT_EQ(step.skipped, Skipped::no);
    EXPECT_FALSE(step.difference);
  }
}

TEST_F(ReplayTest, EachKindOfDifferenceIsToldApart) {
  past_[0].outcome.words = "otherwise";
  past_[1].outcome.shares[0].bytes = gib(7);
  const auto steps = again();
  ASSERT_TRUE(steps[0].difference);
  EXPECT_EQ(steps[0].difference->what, Differs::words);
  EXPECT_EQ(steps[0].difference->position, 1u);
  ASSERT_TRUE(steps[1].difference) << "other words break no chain";
  EXPECT_EQ(steps[1].difference->what, Differs::placement);
  EXPECT_EQ(steps[1].difference->now.shares[0].bytes, gib(6));
  EXPECT_EQ(steps[2].skipped, Skipped::no_chain);
  past_[1].outcome = {};
  EXPECT_EQ(again()[1].difference->what, Differs::verdict);
}

TEST_F(ReplayTest, WhatWasNotKeptBreaksTheChain) {
  past_[1].request.reset();
  const auto steps = again();
  EXPECT_EQ(steps[0].skipped, Skipped::no);
  EXPECT_EQ(steps[1].skipped, Skipped::not_kept);
  EXPECT_EQ(steps[2].skipped, Skipped::no_chain);
}

TEST_F(ReplayTest, ABaseThatIsToldAgainDoesNotBreakIt) {
  past_[1].before = std::make_shared<const LedgerState>(*past_[0].before);
  for (const Replay::Step& step : again()) EXPECT_EQ(step.skipped, Skipped::no);
  // Another one begins a chain of its own.
  LedgerState other = *past_[0].before;
  other.sequence += 1;
  past_[1].before = std::make_shared<const LedgerState>(other);
  EXPECT_EQ(again()[1].skipped, Skipped::no);
  for (auto change : {+[](LedgerState& s) { s.read_at = SteadyTime{77}; },
                      +[](LedgerState& s) { s.driver.state = DriverState::stuck; },
                      +[](LedgerState& s) { ++s.boot_epoch; }}) {
    LedgerState changed = *past_[0].before;
    change(changed);
    past_[1].before = std::make_shared<const LedgerState>(changed);
    EXPECT_EQ(again()[1].skipped, Skipped::no_chain) << "its sequence is that of the base";
  }
}

TEST_F(ReplayTest, TheSameAskedAgainIsGrantedAsItIs) {
  PastDecision same = past_[0];
  same.position = 4;
  same.before.reset();
  same.sequence = room_.ledger.sequence();
  same.outcome.words = "the model has this GPU already";
  past_.push_back(same);
  const auto steps = again();
  EXPECT_EQ(steps[3].skipped, Skipped::no);
  EXPECT_FALSE(steps[3].difference);
}

TEST(ReplayNames, AreStable) {
  EXPECT_EQ(to_name(Differs::verdict), "verdict");
  EXPECT_EQ(to_name(Differs::placement), "placement");
  EXPECT_EQ(to_name(Differs::words), "words");
  EXPECT_EQ(to_name(Skipped::no), "no");
  EXPECT_EQ(to_name(Skipped::not_kept), "not_kept");
  EXPECT_EQ(to_name(Skipped::no_chain), "no_chain");
}

}  // namespace
}  // namespace estiva::decide
