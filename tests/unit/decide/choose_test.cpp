// Which GPU: the policies, explicit names, several shares, GPUs that can't be used.
#include "decide/placement/choose.h"

#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "base/messages/decide.h"
#include "decide/placement/selector.h"
#include "unit/decide/room.h"

namespace estiva::decide {
namespace {

struct Card {
  Bytes used;
  Reading<Ratio> utilization;
};
struct PolicyCase {
  const char* name;
  Choice choice;
  std::vector<Card> cards;
  Bytes wanted;
  unsigned expected;
};

TEST(Choose, PoliciesPickAsTheySay) {
  const Ratio idle{0}, half{0.5}, busy{0.9};
  const PolicyCase cases[] = {
      {"one GPU", Choice::by_gpu_count, {{{}, busy}}, gib(1), 0},
      {"two GPUs: the fuller one that fits",
       Choice::by_gpu_count,
       {{{}, idle}, {gib(2), busy}},
       gib(1),
       1},
      {"pack: the fuller one does not fit",
       Choice::pack,
       {{gib(1), idle}, {gib(3), idle}},
       gib(2),
       0},
      {"pack: exactly what is left", Choice::pack, {{gib(1), idle}, {gib(2), idle}}, gib(2), 1},
      {"pack: equal room, lowest index", Choice::pack, {{gib(1), busy}, {gib(1), idle}}, gib(2), 0},
      {"least utilised",
       Choice::least_utilized,
       {{{}, half}, {gib(2), idle}, {gib(1), busy}},
       gib(1),
       1},
      {"least utilised is full",
       Choice::least_utilized,
       {{{}, half}, {gib(4), idle}, {{}, busy}},
       gib(1),
       0},
      {"equally utilised: most room",
       Choice::least_utilized,
       {{gib(2), half}, {gib(1), half}},
       gib(1),
       1},
      {"equal in all: lowest index",
       Choice::least_utilized,
       {{gib(1), half}, {gib(1), half}},
       gib(1),
       0},
      {"unknown utilisation is not idleness",
       Choice::least_utilized,
       {{{}, Missing::not_supported}, {gib(1), busy}},
       gib(1),
       1},
      {"all unknown: most room",
       Choice::least_utilized,
       {{gib(1), Missing::not_supported}, {{}, Missing::not_supported}},
       gib(1),
       1},
  };
  for (const PolicyCase& c : cases) {
    Room room(c.cards.size());
    for (std::size_t i = 0; i < c.cards.size(); ++i) {
      room.set_used(i, c.cards[i].used);
      room.readings.gpus[i].sample.utilization = c.cards[i].utilization;
    }
    AssignRequest r = room.request("m", c.wanted);
    r.choice = c.choice;
    EXPECT_EQ(where(room.decide(r)), key(c.expected)) << c.name;
  }
}

TEST(Choose, DefaultCountsOnlyUsableGpus) {
  Room room(3);
  room.readings.gpus[2].sample.state = GpuState::lost;
  room.readings.gpus[0].sample.utilization = Ratio{0.9};
  room.set_used(0, gib(1));
  EXPECT_EQ(where(room.ask("m", gib(1))), key(0)) << "two usable: pack";
}

TEST(Choose, AnswerDoesNotDependOnTheOrderOfTheReadings) {
  Room room(3), turned(3);
  std::reverse(turned.readings.gpus.begin(), turned.readings.gpus.end());
  for (const Choice choice : {Choice::pack, Choice::least_utilized}) {
    AssignRequest r = room.request("m", gib(1)), same = turned.request("m", gib(1));
    r.choice = same.choice = choice;
    EXPECT_EQ(where(room.decide(r)), where(turned.decide(same)));
  }
}

TEST(Choose, GpusAreNamedByIndexUuidPrefixAndMigInstance) {
  Room room(2, gib(40));
  room.readings.gpus[1].identity.mig_enabled = true;
  for (const char* instance : {"MIG-1111", "MIG-2222"}) {
    Gpu part = room.readings.gpus[1];
    part.identity.id.instance = instance;
    part.identity.mig_enabled = false;
    part.sample.memory = GpuMemory{gib(10), {}, gib(10), {}, true};
    room.readings.gpus.push_back(part);
  }
  EXPECT_EQ(where(room.ask("a", gib(1), "0")), key(0));
  EXPECT_EQ(where(room.ask("a", gib(1), key(0))), key(0));
  EXPECT_EQ(where(room.ask("a", gib(1), "GPU-00a0")), key(0));
  EXPECT_EQ(where(room.ask("a", gib(1), "MIG-2222")), "MIG-2222");
  EXPECT_EQ(where(room.ask("a", gib(1), "MIG-1")), "MIG-1111");
  EXPECT_EQ(room.ask("a", gib(1), "MIG-").cause, Cause::unknown_gpu);
  const AssignRequest whole = room.request("a", gib(1), "1");
  EXPECT_EQ(room.decide(whole).cause, Cause::no_usable_gpu);
  EXPECT_NE(room.explain(whole).gpus.at(0).why.find("MIG"), std::string::npos);
  EXPECT_EQ(room.ask("a", gib(11), "MIG-1111").cause, Cause::no_room);
  EXPECT_EQ(where(room.ask("a", gib(2))), "MIG-1111") << "best fit of 40 and two of 10";
}

struct SharesCase {
  const char* name;
  std::vector<Bytes> used;
  std::vector<ShareWanted> shares;
  std::string expected;  // empty: no room
};

TEST(Choose, SharesAreOnDifferentGpusAllOrNone) {
  const SharesCase cases[] = {
      {"two equal", {{}, {}, gib(3)}, on_any_gpus(2, gib(2)), "GPU-00a0 GPU-00a1"},
      {"three do not fit on two and a half", {{}, {}, gib(3)}, on_any_gpus(3, gib(2)), ""},
      {"small one first, large one needs the emptier",
       {{}, gib(2)},
       {{"auto", gib(1)}, {"auto", gib(4)}},
       "GPU-00a1 GPU-00a0"},
      {"one named, one free", {{}, gib(1)}, {{"auto", gib(3)}, {"0", gib(2)}}, "GPU-00a1 GPU-00a0"},
      {"named one is full", {{}, gib(3)}, {{"auto", gib(1)}, {"1", gib(2)}}, ""},
      {"more than there are GPUs", {{}, {}}, on_any_gpus(3, gib(1)), ""},
      {"best fit of each",
       {{}, gib(1), gib(2)},
       {{"auto", gib(2)}, {"auto", gib(3)}},
       "GPU-00a2 GPU-00a1"},
  };
  for (const SharesCase& c : cases) {
    Room room(c.used.size());
    for (std::size_t i = 0; i < c.used.size(); ++i) room.set_used(i, c.used[i]);
    AssignRequest r = room.request("m", gib(1));
    r.shares = c.shares;
    const Decision d = room.decide(r);
    EXPECT_EQ(where(d), c.expected) << c.name;
    EXPECT_EQ(d.cause, c.expected.empty() ? Cause::no_room : Cause::none) << c.name;
    if (c.expected.empty()) continue;
    room.ledger.apply(d);
    for (std::size_t i = 0; i < c.shares.size(); ++i)
      EXPECT_EQ(d.lease.shares[i].bytes, c.shares[i].bytes) << c.name;
  }
}

TEST(Choose, UnusableGpusAreLeftOutWithTheReason) {
  struct {
    GpuState state;
    const char* word;
  } const cases[] = {{GpuState::lost, "lost"},
                     {GpuState::reset_required, "reset"},
                     {GpuState::asleep, "asleep"},
                     {GpuState::failed, "can't read"}};
  for (const auto& c : cases) {
    Room room(2);
    room.readings.gpus[0].sample.state = c.state;
    EXPECT_EQ(where(room.ask("m", gib(1))), key(1)) << c.word;
    const AssignRequest there = room.request("m", gib(1), "0");
    EXPECT_EQ(room.decide(there).cause, Cause::no_usable_gpu);
    const Explanation e = room.explain(there);
    EXPECT_EQ(e.kind, ErrorKind::refused);
    EXPECT_NE(e.gpus.at(0).why.find(c.word), std::string::npos) << e.gpus.at(0).why;
    EXPECT_NE(e.reason.find(c.word), std::string::npos) << e.reason;
    EXPECT_EQ(e.gpus.at(0).free, Bytes{});
  }
}

TEST(Choose, NoUsableGpuAtAllIsRefusedNotFull) {
  Room none(0), lost(2);
  EXPECT_EQ(none.ask("m", gib(1)).cause, Cause::no_usable_gpu);
  EXPECT_FALSE(none.explain(none.request("m", gib(1))).reason.empty());
  for (Gpu& gpu : lost.readings.gpus) gpu.sample.state = GpuState::lost;
  EXPECT_EQ(lost.ask("m", gib(1)).cause, Cause::no_usable_gpu);
  EXPECT_EQ(lost.explain(lost.request("m", gib(1))).gpus.size(), 2u);
}

TEST(Choose, MemoryThatTheDriverHidesCantBePromised) {
  Room room(1);
  room.readings.gpus[0].sample.memory = Missing::not_supported;
  EXPECT_EQ(room.ask("m", gib(1)).cause, Cause::no_usable_gpu);
  EXPECT_NE(room.explain(room.request("m", gib(1))).reason.find("how much memory"),
            std::string::npos);
}

TEST(Choose, UnifiedMemoryIsWhatTheKernelCallsAvailable) {
  Room room(1);
  room.readings.gpus[0].identity.unified_memory = true;
  room.readings.gpus[0].sample.memory = Missing::not_supported;
  EXPECT_EQ(room.ask("m", gib(1)).cause, Cause::no_usable_gpu)
      << "nor are the host's figures known";
  HostMemory host;
  host.total = gib(128);
  host.available = gib(100);
  room.readings.host_memory = host;
  EXPECT_EQ(room.ask("m", gib(100) + Bytes{1}).cause, Cause::no_room);
  EXPECT_EQ(room.ask("m", gib(100)).verdict, Verdict::granted);
  room.set_memory(0, gib(64), gib(4));
  EXPECT_EQ(room.ask("m", gib(61)).cause, Cause::no_room) << "the driver's own figures come first";
}

// Two GPUs that have no memory of their own, on a machine with `available` of RAM.
struct SharedRam : Room {
  explicit SharedRam(Bytes available) : Room(2) {
    for (Gpu& gpu : readings.gpus) {
      gpu.identity.unified_memory = true;
      gpu.sample.memory = Missing::not_supported;
    }
    HostMemory host;
    host.total = gib(128);
    host.available = available;
    readings.host_memory = host;
  }
};

TEST(Choose, TwoGpusWithTheSameRamDoNotBothPromiseIt) {
  SharedRam room(gib(100));
  EXPECT_EQ(where(room.ask("a", gib(60), "0")), key(0));
  room.grant("a", gib(60), "0");
  EXPECT_EQ(room.free_on(1), gib(40));
  EXPECT_EQ(room.ask("b", gib(40) + Bytes{1}, "1").cause, Cause::no_room);
  EXPECT_FALSE(room.grant("b", gib(40), "1").id.empty()) << "what is left is there to be had";
  EXPECT_EQ(room.free_on(0), Bytes{});
  EXPECT_EQ(room.ask("c", Bytes{1}).cause, Cause::no_room);
  const auto released = room.ledger.release("l-000000000001", {++room.now});
  ASSERT_EQ(released.size(), 1U);
  EXPECT_EQ(decide_assign(room.ledger, room.request("c", gib(60), "1")).verdict,
            Verdict::needs_fresh_reading);
  EXPECT_EQ(room.ask("c", gib(60), "1").verdict, Verdict::granted) << "back for both of them";
}

TEST(Choose, RamGivenBackThroughOneGpuIsWaitedForOnEveryOther) {
  for (const char* wanted : {"0", "1"}) {
    SharedRam room(gib(100));
    const Lease a = room.grant("a", gib(60), wanted == std::string_view("0") ? "1" : "0");
    room.ledger.release(a.id, {++room.now});
    AssignRequest b = room.request("b", gib(60), wanted);
    b.requested_at = {};  // the read is good enough, but for what was given back since
    EXPECT_EQ(decide_assign(room.ledger, b).verdict, Verdict::needs_fresh_reading) << wanted;
  }
}

// The name may be a part of a longer text.
TEST(Choose, AnIndexEndsWithItsName) {
  Room room(3);
  room.read();
  const std::string_view longer = "12";
  EXPECT_EQ(find_gpus(room.ledger.accounts(), longer.substr(0, 1)),
            (std::vector<std::uint32_t>{1}));
}

TEST(Choose, TwoGpusWithTheSameRamOnOneReadingPromiseItOnce) {
  SharedRam room(gib(100));
  const AssignRequest a = room.request("a", gib(60), "0"), b = room.request("b", gib(60), "1");
  room.read();
  const Applied applied = room.ledger.apply(decide_assign(room.ledger, a));
  EXPECT_EQ(decide_assign(room.ledger, b).cause, Cause::no_room);
  room.ledger.roll_back(applied);
  EXPECT_EQ(decide_assign(room.ledger, b).verdict, Verdict::granted) << "nobody has it any more";
}

TEST(Choose, SharesOnGpusWithTheSameRamAddUp) {
  SharedRam room(gib(100));
  AssignRequest two = room.request("two", gib(60));
  two.shares = on_any_gpus(2, gib(60));
  EXPECT_EQ(room.decide(two).cause, Cause::no_room);
  const Explanation words = room.explain(two);
  EXPECT_NE(std::find(words.would_fit_if.begin(), words.would_fit_if.end(),
                      fmt::format(msg::kFitIfSmaller, "51200 MiB")),
            words.would_fit_if.end())
      << fmt::format("{}", fmt::join(words.would_fit_if, "; "));
  two.shares = {{"0", gib(60)}, {"1", gib(60)}};
  EXPECT_EQ(room.decide(two).cause, Cause::no_room);
  two.shares = on_any_gpus(2, gib(50));
  two.requested_at = {++room.now};
  const Decision granted = room.decide(two);
  ASSERT_EQ(granted.verdict, Verdict::granted);
  room.ledger.apply(granted);
  two.shares = on_any_gpus(2, gib(51));
  EXPECT_EQ(room.decide(two).cause, Cause::no_room) << "nor do they grow into each other";
}

TEST(Choose, LoadedModelsOfGpusWithTheSameRamCountOnce) {
  SharedRam room(gib(100));
  room.grant("a", gib(60), "0", 4242);
  // The back end counts what a GPU's own processes hold as used and the rest as reserved.
  const auto show = [&](std::size_t i, Bytes used, Bytes available) {
    room.readings.gpus[i].sample.memory =
        GpuMemory{gib(128), used, available, gib(128) - used - available, true};
  };
  show(0, {}, gib(100));
  show(1, {}, gib(100));
  room.process(0, 4242, gib(60), "l-000000000001");
  show(0, gib(60), gib(40));
  show(1, {}, gib(40));
  room.read();
  EXPECT_EQ(room.free_on(0), gib(40));
  EXPECT_EQ(room.free_on(1), gib(40));
  EXPECT_TRUE(room.ledger.overcommitted().empty());
  show(0, gib(60), gib(10));
  show(1, {}, gib(10));
  EXPECT_FALSE(room.grant("b", gib(10), "1").id.empty());
  show(0, gib(60), gib(4));
  show(1, {}, gib(4));
  room.read();
  EXPECT_EQ(room.ledger.overcommitted().size(), 2U) << "both GPUs are short of the same RAM";
}

TEST(Choose, WhatEndsOnOneGpuMakesRoomOnItsNeighbourWithTheSameRam) {
  SharedRam room(gib(100));
  room.grant("chat", gib(60), "0");
  const Explanation words = room.explain(room.request("b", gib(80), "1"));
  EXPECT_TRUE(
      std::any_of(words.would_fit_if.begin(), words.would_fit_if.end(),
                  [](const std::string& hint) { return hint.find("chat") != std::string::npos; }))
      << fmt::format("{}", fmt::join(words.would_fit_if, "; "));
}

TEST(Choose, DriverThatIsNotReadyRefusesWithItsOwnWords) {
  for (const DriverState state :
       {DriverState::absent, DriverState::no_driver, DriverState::no_library, DriverState::mismatch,
        DriverState::initialising, DriverState::unresponsive, DriverState::stuck,
        DriverState::crashed, DriverState::released, DriverState::failed}) {
    Room room(1);
    room.read();
    room.readings.driver = {};
    room.readings.driver.state = state;
    room.readings.driver.reason = "the reason";
    room.readings.driver.remedy = "the remedy";
    room.ledger.observe_driver(room.readings.driver);
    const AssignRequest r = room.request("m", gib(1));
    const Decision d = decide_assign(room.ledger, r);
    EXPECT_EQ(d.cause, Cause::driver_not_ready) << to_name(state);
    const Explanation e = explain_refusal(room.ledger, r, d);
    EXPECT_EQ(e.kind, ErrorKind::refused);
    EXPECT_NE(e.reason.find("the reason"), std::string::npos);
    EXPECT_EQ(e.remedy, "the remedy");
  }
  Room room(1);
  room.readings.driver.state = DriverState::partial;
  EXPECT_EQ(room.ask("m", gib(1)).verdict, Verdict::granted);
}

TEST(Choose, WhatIfBytesWereFreed) {
  Room room(2);
  room.set_used(0, gib(3));
  room.set_used(1, gib(4));
  const AssignRequest r = room.request("m", gib(2));
  room.read();
  EXPECT_EQ(choose_gpus(room.ledger, r).cause, Cause::no_room);
  const std::vector<Bytes> enough{gib(1), {}}, little{gib(1) - Bytes{1}, gib(1)};
  EXPECT_EQ(choose_gpus(room.ledger, r, enough).accounts, std::vector<std::uint32_t>{0});
  EXPECT_EQ(choose_gpus(room.ledger, r, little).cause, Cause::no_room);
}

}  // namespace
}  // namespace estiva::decide
