// The words of a refusal. Each hint that is given is tried: what it says makes the request fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decide/placement/hints.h"
#include "unit/decide/room.h"

namespace estiva::decide {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Explain, NamesPerGpuWhatIsFreeAndWhatIsMissing) {
  Room room(2);
  room.grant("a", gib(3), "0");
  room.set_used(1, gib(2));
  const Explanation e = room.explain(room.request("b", gib(3)));
  EXPECT_EQ(e.kind, ErrorKind::no_room);
  EXPECT_EQ(e.reason, "no room for b (3.00 GiB) on any GPU");
  ASSERT_EQ(e.gpus.size(), 2u);
  EXPECT_EQ(e.gpus[0].uuid, key(0));
  EXPECT_EQ(e.gpus[0].free, gib(1));
  EXPECT_EQ(e.gpus[0].missing, gib(2));
  EXPECT_EQ(e.gpus[0].why, "of 4.00 GiB, 0 B are in use and 3.00 GiB more are promised");
  EXPECT_EQ(e.gpus[1].missing, gib(1));
  EXPECT_EQ(e.gpus[1].why, "of 4.00 GiB, 2.00 GiB are in use and 0 B more are promised");
}

TEST(Explain, OnlyTheNamedGpuIsLookedAt) {
  Room room(2);
  room.grant("a", gib(3), "0");
  const Explanation e = room.explain(room.request("b", gib(3), "0"));
  ASSERT_EQ(e.gpus.size(), 1u);
  EXPECT_EQ(e.reason, "no room for b (3.00 GiB) on GPU 0");
  EXPECT_THAT(e.would_fit_if, Contains("the request were at most 1024 MiB"));
  EXPECT_THAT(e.would_fit_if, Not(Contains(HasSubstr("there were a GPU"))));
}

TEST(Explain, EachGpuIsMeasuredByTheShareItWouldGet) {
  Room room(2);
  room.set_used(0, gib(3));
  AssignRequest r = room.request("b", gib(1));
  r.shares = {{"0", gib(2)}, {"auto", gib(3)}};
  const Explanation e = room.explain(r);
  ASSERT_EQ(e.gpus.size(), 2u);
  EXPECT_EQ(e.gpus[0].missing, gib(1));
  EXPECT_EQ(e.gpus[1].missing, Bytes{}) << "the share for any GPU fits there";
  r.shares = {{"0", gib(2)}, {"auto", gib(5)}};
  EXPECT_EQ(room.explain(r).gpus.at(1).missing, gib(1)) << "not the named share's size";
}

// What a client is told that is not to know of the others.
TEST(Explain, WithoutNamesThereAreTheSameAmountsAndNobodyIsNamed) {
  Room room(3);
  const Lease held = room.grant("secret-a", gib(3), "0", 50);
  room.process(0, 50, gib(3), held.id);
  room.grant("secret-b", gib(3), "1");
  room.process(1, 60, gib(3));
  room.readings.unfit = {{key(2), "Xid 31 hit process 77 in secret-container"}};
  const AssignRequest r = room.request("mine", gib(2));
  const Decision d = room.decide(r);
  const Explanation named = explain_refusal(room.ledger, r, d);
  const Explanation unnamed = explain_refusal(room.ledger, r, d, Names::none);
  const auto all_words = [](const Explanation& e) {
    std::string words = e.reason + "\n" + e.remedy + "\n";
    for (const GpuShortage& gpu : e.gpus) words += gpu.why + "\n";
    for (const std::string& hint : e.would_fit_if) words += hint + "\n";
    return words;
  };
  for (const char* secret : {"secret-", "python", "pid ", "60", "Xid"}) {
    EXPECT_THAT(all_words(named), HasSubstr(secret)) << "nothing to hide: the test is void";
    EXPECT_THAT(all_words(unnamed), Not(HasSubstr(secret)));
  }
  ASSERT_EQ(unnamed.gpus.size(), named.gpus.size());
  for (std::size_t i = 0; i < named.gpus.size(); ++i) {
    EXPECT_EQ(unnamed.gpus[i].missing, named.gpus[i].missing);
    EXPECT_EQ(unnamed.gpus[i].free, named.gpus[i].free);
  }
  EXPECT_THAT(unnamed.would_fit_if, Contains("3.00 GiB that other models hold were released"));
}

TEST(Explain, WithoutNamesWhatLeavesIsAnAmount) {
  Room room(1);
  const Lease held = room.grant("secret", gib(3), "auto", 50);
  room.process(0, 50, gib(3), held.id);
  room.read();
  room.ledger.release(held.id, {++room.now});
  const AssignRequest r = room.request("mine", gib(2));
  const Explanation e = explain_refusal(room.ledger, r, room.decide(r), Names::none);
  EXPECT_THAT(e.would_fit_if, Contains("3.00 GiB that were released had left the GPU"));
}

TEST(Explain, LargerThanTheCard) {
  Room room(1);
  const Explanation e = room.explain(room.request("b", gib(5)));
  EXPECT_EQ(e.gpus.at(0).why, "it has 4.00 GiB in all");
  EXPECT_THAT(e.would_fit_if, ElementsAre("the request were at most 4096 MiB",
                                          "there were a GPU with at least 5.00 GiB free"));
}

TEST(Explain, FreshReadingIsNobodysFault) {
  Room room(1);
  room.read();
  const AssignRequest r = room.request("b", gib(1));
  const Explanation e = explain_refusal(room.ledger, r, decide_assign(room.ledger, r));
  EXPECT_THAT(e.reason, HasSubstr("not read since"));
}

TEST(Hints, SmallestReleaseThatIsEnoughEasiestFirst) {
  Room room(1);
  const Lease used = room.grant("used", gib(1), "auto", 50);
  const Lease idle = room.grant("idle", gib(1), "auto", 60);
  room.grant("small", mib(256));
  room.grant("unloaded", gib(1));
  room.process(0, 50, gib(1), used.id);
  room.process(0, 60, gib(1), idle.id);
  auto list = *room.readings.gpus[0].sample.processes;
  list[0].sm_utilization = Ratio{0.5};
  list[1].sm_utilization = Ratio{0};
  room.readings.gpus[0].sample.processes = list;
  const auto hints = room.explain(room.request("b", mib(1324))).would_fit_if;
  EXPECT_THAT(hints, ElementsAre("the request were at most 768 MiB",
                                 "model unloaded (1.00 GiB, not loaded yet) were released",
                                 "model idle (1.00 GiB, idle) were released",
                                 "there were a GPU with at least 1.29 GiB free"));
  room.ledger.release(room.ledger.find_model("unloaded")->lease.id, {++room.now});
  EXPECT_EQ(room.ask("b", mib(1324)).verdict, Verdict::granted);
}

TEST(Hints, NoOneSizeIsOfferedToSharesThatDiffer) {
  for (const std::vector<ShareWanted>& shares :
       {std::vector<ShareWanted>{{"auto", gib(3)}, {"auto", gib(5)}},
        std::vector<ShareWanted>{{"auto", gib(5)}, {"0", gib(5)}}}) {
    Room room(2);
    AssignRequest r = room.request("b", gib(1));
    r.shares = shares;
    EXPECT_THAT(room.explain(r).would_fit_if, Not(Contains(HasSubstr("at most"))));
  }
  Room room(2);
  AssignRequest r = room.request("b", gib(1));
  r.shares = on_any_gpus(2, gib(5));
  EXPECT_THAT(room.explain(r).would_fit_if, Contains(HasSubstr("at most 4096 MiB")));
}

TEST(Hints, OfferedSizeIsRoundedDownAndFits) {
  Room room(1);
  room.set_used(0, gib(1) + Bytes{1});
  EXPECT_THAT(room.explain(room.request("b", gib(4))).would_fit_if,
              Contains("the request were at most 3071 MiB"));
  EXPECT_EQ(room.ask("b", mib(3071)).verdict, Verdict::granted);
  room.set_used(0, gib(4) - Bytes{100});
  EXPECT_THAT(room.explain(room.request("b", gib(4))).would_fit_if,
              Contains("the request were at most 100 B"));
  room.set_used(0, gib(4) - mib(1));
  EXPECT_THAT(room.explain(room.request("b", gib(4))).would_fit_if,
              Contains("the request were at most 1 MiB"));
}

TEST(Hints, AModelOnTwoGpusHelpsWithTheOneThatFits) {
  Room room(2);
  AssignRequest both = room.request("a", gib(1));
  both.shares = {{"0", gib(3)}, {"1", mib(256)}};
  const Decision d = room.decide(both);
  ASSERT_EQ(d.verdict, Verdict::granted);
  room.ledger.apply(d);
  room.set_used(1, gib(3));  // nobody's that estiva knows
  EXPECT_THAT(room.explain(room.request("b", gib(4))).would_fit_if,
              Contains(HasSubstr("model a (3.25 GiB, not loaded yet) were released")));
}

TEST(Hints, SeveralReleasesWhereNoneAloneIsEnough) {
  Room room(1);
  room.grant("a", gib(1));
  room.grant("b", gib(1));
  room.grant("c", gib(2));
  EXPECT_THAT(room.explain(room.request("d", gib(3))).would_fit_if,
              Contains("the models a, c (3.00 GiB together) were released"));
  EXPECT_THAT(room.explain(room.request("d", gib(4))).would_fit_if,
              Contains("the models a, b, c (4.00 GiB together) were released"));
  EXPECT_THAT(room.explain(room.request("d", gib(5))).would_fit_if,
              Not(Contains(HasSubstr("released"))));
}

TEST(Hints, LeavingModelIsNamedAsLeaving) {
  Room room(1);
  const Lease a = room.grant("a", gib(3), "auto", 50);
  room.process(0, 50, gib(3), a.id);
  room.read();
  room.ledger.release(a.id, {++room.now});
  EXPECT_THAT(room.explain(room.request("b", gib(2))).would_fit_if,
              Contains("a (3.00 GiB), which was released, had left the GPU"));
}

TEST(Hints, BindingTheStrangerThatMayBeTheModel) {
  Room room(1);
  const Lease a = room.grant("a", gib(2));
  room.process(0, 123, mib(1900));
  const AssignRequest b = room.request("b", mib(1500));
  EXPECT_THAT(room.explain(b).would_fit_if,
              Contains("pid 123 (1.86 GiB) is a: bind it with 'estiva assign a --pid 123'"));
  room.readings.owners = {{123, 1, a.id}};
  EXPECT_EQ(room.decide(b).verdict, Verdict::granted) << "and bound it does fit";
}

TEST(Hints, BindingIsNotOfferedWhereItWouldNotHelp) {
  Room room(1);
  room.grant("a", gib(2));
  room.process(0, 123, mib(100));
  EXPECT_THAT(room.explain(room.request("b", gib(3))).would_fit_if,
              Not(Contains(HasSubstr("bind it"))));
}

TEST(Hints, UnboundLeaseNearestInSizeIsNamed) {
  Room room(1, gib(8));
  room.grant("small", gib(1));
  const Lease like = room.grant("like", gib(2));
  room.grant("held", gib(2), "auto", 50);
  room.read();
  EXPECT_EQ(unbound_like(room.ledger, 0, gib(2) - mib(1))->lease.id, like.id);
  EXPECT_EQ(unbound_like(room.ledger, 0, gib(2) + mib(1))->lease.id, like.id);
  EXPECT_EQ(unbound_like(room.ledger, 0, gib(1))->lease.model, "small");
  EXPECT_EQ(unbound_like(room.ledger, 0, gib(1) + mib(512))->lease.model, "small")
      << "equally near: the older lease";
  EXPECT_EQ(unbound_like(room.ledger, 0, {}), nullptr);
}

TEST(Hints, StrangersWhoseEndWouldBeEnough) {
  Room room(1);
  room.process(0, 99, gib(2));
  room.process(0, 98, gib(1));
  EXPECT_THAT(room.explain(room.request("b", gib(4))).would_fit_if,
              Contains("the processes outside estiva on GPU 0 (3.00 GiB) ended"));
  EXPECT_THAT(room.explain(room.request("b", gib(5))).would_fit_if,
              Not(Contains(HasSubstr("outside estiva"))));
  EXPECT_THAT(room.explain(room.request("b", gib(4))).gpus.at(0).why,
              HasSubstr("2.00 GiB are held by pid 99 (python)"));
}

TEST(Hints, SeveralSharesAreExplainedTogether) {
  Room room(3);
  room.set_used(0, gib(3));
  room.set_used(1, gib(2));
  AssignRequest r = room.request("b", gib(1));
  r.shares = on_any_gpus(2, gib(3));
  const Explanation e = room.explain(r);
  EXPECT_EQ(e.reason, "no room for b (2 shares of up to 3.00 GiB on different GPUs)");
  EXPECT_THAT(e.would_fit_if, ElementsAre("the request were at most 2048 MiB",
                                          "there were 2 GPUs with at least 3.00 GiB free each"));
  EXPECT_EQ(e.gpus.at(2).missing, Bytes{});
  EXPECT_EQ(e.gpus.at(2).why, "it has room");
  r.shares = on_any_gpus(2, gib(2));
  EXPECT_EQ(room.decide(r).verdict, Verdict::granted);
}

TEST(Hints, ContextAllowanceIsTakenOffTheLargestSize) {
  Room room(1, gib(4), PlacementPolicy{{}, mib(512), {}});
  EXPECT_THAT(room.explain(room.request("b", gib(4))).would_fit_if,
              ElementsAre("the request were at most 3584 MiB",
                          "there were a GPU with at least 4.50 GiB free"));
}

TEST(Hints, GrowthKnowsWhatIsLeft) {
  Room room(1);
  room.grant("a", gib(1));
  room.grant("b", gib(2));
  const Explanation e = room.explain(room.request("a", gib(3)));
  EXPECT_EQ(e.reason, "no room for a to grow to 3.00 GiB");
  EXPECT_THAT(e.would_fit_if, ElementsAre("the request were at most 2048 MiB",
                                          "model b (2.00 GiB, not loaded yet) were released"));
}

// What would help one share only is no way out.
TEST(Hints, GrowthThatNeverFitsNamesNobody) {
  Room room(2);
  AssignRequest r = room.request("a", gib(1));
  r.shares = {{"0", gib(1)}, {"1", gib(1)}};
  room.ledger.apply(room.decide(r));
  room.grant("b", gib(2), "1");
  r.shares = {{"0", gib(5)}, {"1", gib(3)}};
  const Explanation e = room.explain(r);
  EXPECT_EQ(e.kind, ErrorKind::no_room);
  for (const std::string& way : e.would_fit_if)
    EXPECT_EQ(way.find("model b"), std::string::npos) << way;
}

TEST(Explain, GrowthSaysWhatEachGpuLacks) {
  Room room(2);
  AssignRequest r = room.request("a", gib(1));
  r.shares = {{"0", gib(1)}, {"1", gib(1)}};
  room.ledger.apply(room.decide(r));
  r.shares = {{"0", gib(5)}, {"1", gib(6)}};
  const Explanation e = room.explain(r);
  ASSERT_EQ(e.gpus.size(), 2U);
  EXPECT_EQ(e.gpus[0].missing, gib(1));  // 4 more, and 3 are free
  EXPECT_EQ(e.gpus[1].missing, gib(2));
}

TEST(Hints, AreBounded) {
  Room room(1, gib(40));
  for (int i = 0; i < 20; ++i) room.grant(fmt::format("m{}", i), gib(2));
  room.process(0, 99, gib(1));
  EXPECT_LE(room.explain(room.request("b", gib(1))).would_fit_if.size(), kMostHints);
}

TEST(Explain, OfSeveralSizesTheSmallestSaysWhatAGpuLacks) {
  for (const bool reversed : {false, true}) {
    Room room(2, gib(4));
    AssignRequest r = room.request("m", gib(8));
    r.shares = {{"auto", gib(8)}, {"auto", gib(5)}};
    if (reversed) std::swap(r.shares[0], r.shares[1]);
    const Explanation e = room.explain(r);
    ASSERT_EQ(e.gpus.size(), 2u);
    EXPECT_EQ(e.gpus[0].missing, gib(1));
    EXPECT_EQ(e.gpus[1].missing, gib(1));
  }
}

TEST(Hints, BindingIsNotOfferedForMoreThanItGivesBack) {
  const auto offers_binding = [](Bytes wanted) {
    Room room(1, gib(5));
    room.grant("a", gib(1));
    room.process(0, 99, gib(3));  // a's own, larger than was asked for, or a stranger
    const auto hints = room.explain(room.request("b", wanted)).would_fit_if;
    return std::any_of(hints.begin(), hints.end(), [](const std::string& hint) {
      return hint.find("bind it") != std::string::npos;
    });
  };
  EXPECT_TRUE(offers_binding(gib(2)));
  EXPECT_FALSE(offers_binding(gib(3))) << "only the promise comes back, not what is in use";
}

}  // namespace
}  // namespace estiva::decide
