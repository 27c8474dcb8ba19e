// Who gets what: room, double booking, batches, the same name again.
#include <gtest/gtest.h>

#include "unit/decide/room.h"

namespace estiva::decide {
namespace {

TEST(Assign, SixtyFourRequestsOfSixtyPercentOnOneReadExactlyOneWins) {
  Room room(1, gib(10));
  std::vector<AssignRequest> batch;
  for (int i = 0; i < 64; ++i) batch.push_back(room.request(fmt::format("m{}", i), gib(6)));
  room.read();
  int granted = 0, refused = 0;
  for (const AssignRequest& request : batch) {
    const Decision d = decide_assign(room.ledger, request);
    if (d.verdict == Verdict::granted) {
      room.ledger.apply(d);
      ++granted;
    } else {
      EXPECT_EQ(d.cause, Cause::no_room);
      ++refused;
    }
  }
  EXPECT_EQ(granted, 1);
  EXPECT_EQ(refused, 63);
}

TEST(Assign, AllocationThatLagsFiveSecondsIsStillPromised) {
  Room room(1, gib(10));
  const Lease lease = room.grant("slow", gib(6), "auto", 50);
  for (int second = 0; second < 5; ++second)
    EXPECT_EQ(room.ask("other", gib(6)).cause, Cause::no_room) << second;
  room.process(0, 50, gib(6), lease.id);
  EXPECT_EQ(room.ask("other", gib(6)).cause, Cause::no_room);
  EXPECT_EQ(room.ask("other", gib(4)).verdict, Verdict::granted);
}

struct SizeCase {
  const char* name;
  Bytes total, reserved, used, wanted;
  bool fits;
};

TEST(Assign, RoomIsExactToTheByte) {
  const SizeCase cases[] = {
      {"all of an empty card", gib(4), {}, {}, gib(4), true},
      {"one byte too much", gib(4), {}, {}, gib(4) + Bytes{1}, false},
      {"what is reserved is no capacity", gib(4), mib(300), {}, gib(4) - mib(300), true},
      {"one byte into what is reserved", gib(4), mib(300), {}, gib(4) - mib(300) + Bytes{1}, false},
      {"beside strangers", gib(4), {}, mib(1952), mib(2144), true},
      {"one byte into strangers", gib(4), {}, mib(1952), mib(2144) + Bytes{1}, false},
      {"one byte", gib(4), {}, {}, {1}, true},
      {"a full card", gib(4), {}, gib(4), {1}, false},
      {"more used than there is", gib(4), {}, gib(5), {1}, false},
  };
  for (const SizeCase& c : cases) {
    Room room(1);
    room.set_memory(0, c.total, c.used, c.reserved);
    EXPECT_EQ(room.ask("m", c.wanted).verdict == Verdict::granted, c.fits) << c.name;
  }
}

TEST(Assign, ExactFitLeavesNothing) {
  Room room(1);
  room.grant("a", gib(3));
  EXPECT_EQ(room.ask("b", gib(1) + Bytes{1}).verdict, Verdict::refused);
  room.grant("b", gib(1));
  EXPECT_EQ(room.free_on(0), Bytes{});
  EXPECT_EQ(room.ask("c", {1}).verdict, Verdict::refused);
}

TEST(Assign, GrantCarriesIdSequenceNodeAndBoot) {
  Room room(1);
  const Lease a = room.grant("a", gib(1)), b = room.grant("b", gib(1));
  EXPECT_EQ(a.id, "l-000000000001");
  EXPECT_EQ(b.id, "l-000000000002");
  EXPECT_EQ(a.node_id, "node-1");
  EXPECT_EQ(a.boot_epoch, 7u);
  EXPECT_LT(a.sequence, b.sequence);
  EXPECT_EQ(a.state, LeaseState::reserved);
  EXPECT_EQ(room.ledger.leases().size(), 2u);
  EXPECT_EQ(room.ledger.next_number(), 3u);
}

TEST(Assign, ReadOlderThanTheRequestGrantsNothing) {
  Room room(1);
  room.read();
  const AssignRequest late = room.request("m", gib(1));
  EXPECT_EQ(decide_assign(room.ledger, late).verdict, Verdict::needs_fresh_reading);
  room.read();
  EXPECT_EQ(decide_assign(room.ledger, late).verdict, Verdict::granted);
}

TEST(Assign, ReadBegunInTheSameInstantWillDo) {
  Room room(1);
  AssignRequest r = room.request("m", gib(1));
  room.read();
  r.requested_at = *room.ledger.read_at();
  EXPECT_EQ(decide_assign(room.ledger, r).verdict, Verdict::granted);
}

TEST(Assign, BeforeTheFirstReadNothingIsGranted) {
  Room room(1);
  room.ledger.observe_driver(room.readings.driver);
  EXPECT_EQ(decide_assign(room.ledger, room.request("m", gib(1))).verdict,
            Verdict::needs_fresh_reading);
}

TEST(Assign, OlderReadThanTheLastIsIgnored) {
  Room room(1);
  room.read();
  Readings old = room.readings;
  old.begun_at = {0};
  old.gpus[0].sample.memory = GpuMemory{gib(64), {}, gib(64), {}, true};
  EXPECT_TRUE(room.ledger.observe(old).empty());
  EXPECT_EQ(room.free_on(0), gib(4));
}

TEST(Assign, RoomGivenBackAfterTheReadNeedsANewRead) {
  Room room(1);
  const Lease a = room.grant("a", gib(3));
  const AssignRequest b = room.request("b", gib(3));
  room.readings.begun_at = {++room.now};
  const Readings under_way = room.readings;
  room.ledger.release(a.id, {++room.now});
  room.ledger.observe(under_way);
  EXPECT_EQ(decide_assign(room.ledger, b).verdict, Verdict::needs_fresh_reading);
  EXPECT_EQ(decide_assign(room.ledger, room.request("c", {1})).verdict,
            Verdict::needs_fresh_reading);
  room.read();
  EXPECT_EQ(decide_assign(room.ledger, b).verdict, Verdict::granted);
}

// Others give back during every read: what was given back before the last one began is room again.
TEST(Assign, RoomGivenBackBeforeTheReadIsRoomThoughMoreWasGivenBackSince) {
  Room room(1);
  const Lease a = room.grant("a", gib(2));
  const Lease b = room.grant("b", gib(1));
  room.ledger.release(a.id, {++room.now});
  room.readings.begun_at = {++room.now};
  room.ledger.release(b.id, {++room.now});
  room.ledger.observe(room.readings);
  EXPECT_EQ(room.free_on(0), gib(3));
  room.read();
  EXPECT_EQ(room.free_on(0), gib(4));
}

// However many come and go within one read, none is forgotten and none is counted twice.
TEST(Assign, ManyThatGaveBackDuringOneReadAreAllWaitedFor) {
  Room room(1, gib(100));
  std::vector<Lease> leases;
  for (int i = 0; i < 100; ++i) leases.push_back(room.grant("m" + std::to_string(i), gib(1)));
  room.readings.begun_at = {++room.now};
  for (const Lease& lease : leases) room.ledger.release(lease.id, {++room.now});
  room.ledger.observe(room.readings);
  EXPECT_EQ(room.free_on(0), Bytes{});
  room.read();
  EXPECT_EQ(room.free_on(0), gib(100));
}

TEST(Assign, RoomGivenBackAfterTheReadDoesNotHoldUpWhatFitsAnyway) {
  Room room(1);
  const Lease a = room.grant("a", gib(2));
  const AssignRequest b = room.request("b", gib(2)), c = room.request("c", gib(5));
  room.readings.begun_at = {++room.now};
  room.ledger.release(a.id, {++room.now});
  room.ledger.observe(room.readings);
  EXPECT_EQ(decide_assign(room.ledger, b).verdict, Verdict::granted);
  EXPECT_EQ(decide_assign(room.ledger, c).cause, Cause::no_room);
}

TEST(Assign, RollBackLeavesNoTrace) {
  Room room(1);
  const Bytes before = (room.read(), room.free_on(0));
  const Applied applied = room.ledger.apply(room.ask("a", gib(3)));
  EXPECT_EQ(room.free_on(0), before - gib(3));
  room.ledger.roll_back(applied);
  EXPECT_EQ(room.free_on(0), before);
  EXPECT_EQ(room.ledger.find_model("a"), nullptr);
  EXPECT_TRUE(room.ledger.leases().empty());
  EXPECT_GT(room.ledger.sequence(), applied.lease.sequence) << "a reader sees that it changed";
  EXPECT_EQ(room.grant("b", gib(4)).id, "l-000000000002");
  room.ledger.roll_back(applied);
  EXPECT_EQ(room.ledger.leases().size(), 1u);
}

TEST(Assign, SameNameAgainIsTheSameGpuAgain) {
  Room room(2);
  const Lease a = room.grant("a", gib(3));
  const std::uint64_t sequence = room.ledger.sequence();
  for (const char* gpu : {"auto", "", "0", "GPU-00a0", "GPU-00a"}) {
    if (std::string(gpu) == "GPU-00a") continue;  // may mean both
    const Decision d = room.ask("a", gib(3), gpu);
    EXPECT_EQ(d.verdict, Verdict::already_assigned) << gpu;
    EXPECT_EQ(d.lease.id, a.id);
  }
  EXPECT_EQ(room.ask("a", gib(2)).verdict, Verdict::already_assigned);
  EXPECT_EQ(room.ledger.sequence(), sequence);
  EXPECT_EQ(room.free_on(0), gib(1));
}

TEST(Assign, SameNameOnAnotherGpuIsRefusedAndSaysWhereItIs) {
  Room room(2);
  room.grant("a", gib(3), "0");
  const AssignRequest other = room.request("a", gib(3), "1");
  const Decision d = room.decide(other);
  EXPECT_EQ(d.cause, Cause::assigned_elsewhere);
  const Explanation e = explain_refusal(room.ledger, other, d);
  EXPECT_EQ(e.kind, ErrorKind::refused);
  EXPECT_NE(e.reason.find(key(0)), std::string::npos) << e.reason;
  EXPECT_NE(e.remedy.find("estiva release a"), std::string::npos) << e.remedy;
}

TEST(Assign, SameNameWithAnotherNumberOfGpusIsRefused) {
  Room room(2);
  room.grant("a", gib(1));
  AssignRequest two = room.request("a", gib(1));
  two.shares = on_any_gpus(2, gib(1));
  EXPECT_EQ(room.decide(two).cause, Cause::assigned_elsewhere);
}

TEST(Assign, PidBindsALeaseThatNobodyHolds) {
  Room room(1);
  const Lease a = room.grant("a", gib(1));
  AssignRequest bind = room.request("a", gib(1));
  bind.holder = Holder{77, 5, "boot"};
  const Decision d = room.decide(bind);
  ASSERT_EQ(d.verdict, Verdict::bound);
  const Applied applied = room.ledger.apply(d);
  EXPECT_EQ(applied.lease.holder->pid, 77);
  EXPECT_EQ(applied.lease.id, a.id);
  EXPECT_GT(applied.lease.sequence, a.sequence);
  EXPECT_EQ(room.decide(bind).verdict, Verdict::already_assigned);
  bind.holder->pid = 78;
  EXPECT_EQ(room.decide(bind).cause, Cause::held_by_another);
  EXPECT_NE(room.explain(bind).reason.find("77"), std::string::npos);
  room.ledger.roll_back(applied);
  EXPECT_FALSE(room.ledger.find_model("a")->lease.holder);
}

TEST(Assign, HolderOfTheSamePidAndAnotherStartIsAnother) {
  Room room(1);
  room.grant("a", gib(1), "auto", 77);
  AssignRequest bind = room.request("a", gib(1));
  bind.holder = Holder{77, 2, "boot"};
  EXPECT_EQ(room.decide(bind).cause, Cause::held_by_another);
}

TEST(Grow, LargerSizeIsGrantedWhereThereIsRoom) {
  Room room(1);
  room.grant("a", gib(1));
  const Decision d = room.ask("a", gib(4));
  ASSERT_EQ(d.verdict, Verdict::grown);
  const Applied applied = room.ledger.apply(d);
  EXPECT_EQ(applied.lease.shares[0].bytes, gib(4));
  EXPECT_EQ(room.free_on(0), Bytes{});
  room.ledger.roll_back(applied);
  EXPECT_EQ(room.free_on(0), gib(3));
  EXPECT_EQ(room.ledger.find_model("a")->lease.shares[0].bytes, gib(1));
}

TEST(Grow, OneByteTooMuchIsRefusedAndTheLeaseStays) {
  Room room(1);
  room.grant("a", gib(1));
  room.grant("b", gib(1));
  const AssignRequest more = room.request("a", gib(3) + Bytes{1});
  EXPECT_EQ(room.decide(more).cause, Cause::no_room);
  EXPECT_EQ(room.ask("a", gib(3)).verdict, Verdict::grown);
  EXPECT_EQ(room.ledger.find_model("a")->lease.shares[0].bytes, gib(1));
  const Explanation e = room.explain(more);
  EXPECT_EQ(e.gpus.at(0).missing, Bytes{1});
  EXPECT_EQ(e.gpus.at(0).free, gib(2));
}

TEST(Grow, WhatTheModelHoldsAlreadyIsNotCountedTwice) {
  Room room(1);
  const Lease a = room.grant("a", gib(1), "auto", 50);
  room.process(0, 50, gib(3), a.id);
  EXPECT_EQ(room.ask("a", gib(4)).verdict, Verdict::grown);
  EXPECT_EQ(room.ask("a", gib(4) + Bytes{1}).cause, Cause::no_room);
}

TEST(Grow, NeedsItsOwnRead) {
  Room room(1);
  room.grant("a", gib(1));
  EXPECT_EQ(decide_assign(room.ledger, room.request("a", gib(2))).verdict,
            Verdict::needs_fresh_reading);
  EXPECT_EQ(decide_assign(room.ledger, room.request("a", gib(1))).verdict,
            Verdict::already_assigned);
}

TEST(Grow, WithAHolderDoesBoth) {
  Room room(1);
  room.grant("a", gib(1));
  AssignRequest r = room.request("a", gib(2));
  r.holder = Holder{9, 1, "boot"};
  const Lease grown = room.ledger.apply(room.decide(r)).lease;
  EXPECT_EQ(grown.holder->pid, 9);
  EXPECT_EQ(grown.shares[0].bytes, gib(2));
}

TEST(Grow, OnALostGpuIsRefused) {
  Room room(2);
  room.grant("a", gib(1), "0");
  room.readings.gpus[0].sample.state = GpuState::lost;
  EXPECT_EQ(room.ask("a", gib(2)).cause, Cause::no_usable_gpu);
}

// A share that stays as it is asks nothing of its GPU, also where it is named with its full size.
TEST(Grow, OnOneGpuGoesThroughWhileTheOtherIsLost) {
  for (const Bytes kept : {gib(1), mib(512)}) {
    Room room(2);
    AssignRequest r = room.request("a", gib(1));
    r.shares = {{"0", gib(1)}, {"1", gib(1)}};
    room.ledger.apply(room.decide(r));
    room.readings.gpus[0].sample.state = GpuState::lost;
    r.shares = {{"0", kept}, {"1", gib(2)}};
    r.requested_at = {++room.now};
    const Decision d = room.decide(r);
    ASSERT_EQ(d.verdict, Verdict::grown);
    EXPECT_EQ(d.lease.shares[0].bytes, gib(1));
    EXPECT_EQ(d.lease.shares[1].bytes, gib(2));
  }
}

TEST(Grow, SharesAreDecidedAllOrNone) {
  Room room(2);
  AssignRequest r = room.request("a", gib(1));
  r.shares = on_any_gpus(2, gib(1));
  room.ledger.apply(room.decide(r));
  room.grant("b", gib(2), "1");
  r.shares = {{"auto", gib(3)}, {"auto", gib(3)}};
  EXPECT_EQ(room.decide(r).cause, Cause::no_room);
  r.shares = {{"1", gib(2)}, {"0", gib(4)}};
  const Decision d = room.decide(r);
  ASSERT_EQ(d.verdict, Verdict::grown);
  EXPECT_EQ(d.lease.shares[0].bytes, gib(4));
  EXPECT_EQ(d.lease.shares[1].bytes, gib(2));
}

TEST(Grow, ANamedShareTakesItsGpuAndTheOthersWhatIsLeft) {
  Room room(4);
  AssignRequest r = room.request("a", gib(1));
  r.shares = {{"0", gib(1)}, {"1", gib(1)}, {"2", gib(1)}};
  room.ledger.apply(room.decide(r));
  r.shares = {{"2", gib(3)}, {"auto", gib(1)}, {"auto", gib(2)}};
  const Decision d = room.decide(r);
  ASSERT_EQ(d.verdict, Verdict::grown);
  EXPECT_EQ(where(d), key(0) + " " + key(1) + " " + key(2));
  EXPECT_EQ(d.lease.shares[0].bytes, gib(2)) << "the last one, whose place was taken";
  EXPECT_EQ(d.lease.shares[1].bytes, gib(1)) << "in its own place";
  EXPECT_EQ(d.lease.shares[2].bytes, gib(3)) << "the named one";
  for (const auto& [first, second] : {std::pair{"3", "0"}, std::pair{"0", "3"}}) {
    r.shares = {{first, gib(1)}, {second, gib(1)}, {"auto", gib(1)}};
    EXPECT_EQ(room.decide(r).cause, Cause::assigned_elsewhere) << first << ' ' << second;
  }
}

TEST(Assign, FaultyWordsAreUsageErrors) {
  Room room(2);
  AssignRequest none = room.request("m", gib(1)), many = none, zero = none, twice = none,
                nameless = none, longest = none, rude = none;
  none.shares.clear();
  many.shares = on_any_gpus(kMostShares + 1, gib(1));
  zero.shares[0].bytes = {};
  twice.shares = {{"0", gib(1)}, {"GPU-00a0", gib(1)}};
  nameless.model.clear();
  longest.model = std::string(129, 'x');
  rude.model = "a\nb";
  for (const AssignRequest& r : {none, many, zero, twice, nameless, longest, rude}) {
    const Decision d = room.decide(r);
    EXPECT_EQ(d.cause, Cause::bad_request) << d.detail;
    EXPECT_FALSE(d.detail.empty());
    EXPECT_EQ(explain_refusal(room.ledger, r, d).kind, ErrorKind::usage);
  }
  longest.model.pop_back();
  longest.requested_at = {};
  EXPECT_EQ(room.decide(longest).verdict, Verdict::granted);
  rude.model = "llama 3.1:8b é";
  EXPECT_EQ(room.decide(rude).verdict, Verdict::granted);
  many.shares.pop_back();
  EXPECT_EQ(room.decide(many).cause, Cause::no_room);
}

TEST(Assign, UnknownAndAmbiguousGpusAreNamed) {
  Room room(2);
  const AssignRequest unknown = room.request("m", gib(1), "GPU-ffff");
  EXPECT_EQ(room.decide(unknown).cause, Cause::unknown_gpu);
  EXPECT_EQ(room.explain(unknown).kind, ErrorKind::not_found);
  EXPECT_NE(room.explain(unknown).reason.find("GPU-ffff"), std::string::npos);
  const Explanation both = room.explain(room.request("m", gib(1), "GPU-00a"));
  EXPECT_NE(both.reason.find("GPU-00a0, GPU-00a1"), std::string::npos) << both.reason;
  EXPECT_EQ(room.ask("m", gib(1), "2").cause, Cause::unknown_gpu);
  EXPECT_EQ(room.ask("m", gib(1), "1x").cause, Cause::unknown_gpu);
  EXPECT_EQ(room.ask("m", gib(1), "-1").cause, Cause::unknown_gpu);
}

// An ill GPU gets nothing more; what is there stays, and still counts.
TEST(Assign, AnUnfitGpuGetsNothingMore) {
  Room room(2);
  const Lease there = room.grant("there", gib(1), "0", 50);
  room.process(0, 50, gib(1), there.id);
  room.readings.unfit = {{key(0), "it is at 96 C"}};
  EXPECT_EQ(room.ask("named", gib(1), "0").cause, Cause::no_usable_gpu);
  const Explanation named = room.explain(room.request("named", gib(1), "0"));
  EXPECT_NE(named.reason.find("it is at 96 C"), std::string::npos) << named.reason;
  EXPECT_EQ(room.grant("any", gib(1)).shares.at(0).device.key(), key(1));
  EXPECT_EQ(room.free_on(0), Bytes{});
  EXPECT_EQ(bytes_of(*room.ledger.find(there.id)).measured, gib(1)) << "still looked at";
  EXPECT_EQ(room.ask("big", gib(4)).cause, Cause::no_room) << "the other GPU is judged as ever";
  room.readings.unfit.clear();
  EXPECT_EQ(room.grant("named", gib(1), "0").shares.at(0).device.key(), key(0));
}

}  // namespace
}  // namespace estiva::decide
