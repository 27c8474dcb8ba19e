// Random schedules against a referee. 10^4 in the ordinary suite, 10^6 with ESTIVA_LONG=1;
// ESTIVA_SEED=N replays schedule N alone.
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "property/schedule.h"

namespace estiva::property {
namespace {

constexpr std::uint64_t kFirstSeed = 20260101;
constexpr std::uint64_t kOrdinary = 10'000, kLong = 1'000'000;
// Shards run side by side under ctest -j and stay far from its time limit.
constexpr int kShards = 8;
constexpr std::uint64_t kToFindABug = 4'000;

void add(Outcome& sum, const Outcome& one) {
  sum.grants += one.grants;
  sum.refusals += one.refusals;
  sum.rereads += one.rereads;
  sum.grown += one.grown;
  sum.bound += one.bound;
  sum.crashes += one.crashes;
  sum.rolled_back += one.rolled_back;
  sum.overcommits_seen += one.overcommits_seen;
  sum.releases_awaited += one.releases_awaited;
  sum.unlucky_loads += one.unlucky_loads;
  sum.shrunk += one.shrunk;
}

class Schedules : public testing::TestWithParam<int> {};

TEST_P(Schedules, BreakNoInvariant) {
  const char* replay = std::getenv("ESTIVA_SEED");
  if (replay && GetParam() > 0) GTEST_SKIP() << "ESTIVA_SEED replays one schedule, in shard 0";
  const std::uint64_t all = std::getenv("ESTIVA_LONG") ? kLong : kOrdinary;
  const std::uint64_t count = replay ? 1 : all / kShards;
  const std::uint64_t first = replay ? std::strtoull(replay, nullptr, 10)
                                     : kFirstSeed + count * static_cast<std::uint64_t>(GetParam());
  Outcome sum;
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Outcome one = run_schedule(seed);
    ASSERT_TRUE(one.violations.empty()) << "replay with ESTIVA_SEED=" << seed << "\n"
                                        << fmt::format("{}", fmt::join(one.violations, "\n"));
    add(sum, one);
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print(
      "{} schedules from seed {} in {:.1f} s: {} grants, {} refusals, {} read again, {} grown, {} "
      "bound, {} crashes, {} rolled back, {} overcommitted states, {} releases awaited, {} loads "
      "out of memory beside strangers and liars, {} shrunk; 0 violations\n",
      count, first, took.count(), sum.grants, sum.refusals, sum.rereads, sum.grown, sum.bound,
      sum.crashes, sum.rolled_back, sum.overcommits_seen, sum.releases_awaited, sum.unlucky_loads,
      sum.shrunk);
  if (replay) return;
  // A schedule that never reaches a state proves nothing about it.
  for (const std::uint64_t reached :
       {sum.grants, sum.refusals, sum.rereads, sum.grown, sum.bound, sum.crashes, sum.rolled_back,
        sum.overcommits_seen, sum.releases_awaited, sum.unlucky_loads, sum.shrunk})
    EXPECT_GT(reached, count / 100);
}

INSTANTIATE_TEST_SUITE_P(Shard, Schedules, testing::Range(0, kShards));

TEST(PlacementProperty, ScheduleIsItsSeed) {
  for (std::uint64_t seed = 1; seed < 50; ++seed) {
    const Outcome a = run_schedule(seed), b = run_schedule(seed);
    EXPECT_EQ(a.grants, b.grants);
    EXPECT_EQ(a.refusals, b.refusals);
    EXPECT_EQ(a.rereads, b.rereads);
  }
}

struct Planted {
  const char* name;
  Bug bug;
  std::vector<Rule> found_as;  // any of these
};

class PlantedBug : public testing::TestWithParam<Planted> {};

TEST_P(PlantedBug, IsFoundByTheReferee) {
  for (std::uint64_t seed = kFirstSeed; seed < kFirstSeed + kToFindABug; ++seed) {
    const Outcome one = run_schedule(seed, GetParam().bug);
    for (const Rule rule : GetParam().found_as)
      if (one.counts[static_cast<std::size_t>(rule)] > 0) return;
  }
  FAIL() << "the referee saw nothing wrong in " << kToFindABug << " schedules";
}

INSTANTIATE_TEST_SUITE_P(
    Each, PlantedBug,
    testing::Values(
        Planted{"SkipCharge", Bug::skip_charge, {Rule::overcommit, Rule::evidence}},
        Planted{"OldSample", Bug::old_sample, {Rule::overcommit}},
        Planted{"CreditAtOnce", Bug::credit_at_once, {Rule::evidence}},
        Planted{"GuessTheModel", Bug::guess_the_model, {Rule::overcommit, Rule::arithmetic}},
        Planted{"ForgetALease", Bug::forget_a_lease, {Rule::recovery}},
        Planted{"KeepAfterReboot", Bug::keep_after_reboot, {Rule::recovery}},
        Planted{"HideOvercommit", Bug::hide_overcommit, {Rule::honesty}},
        Planted{"KeepTooMuchFree", Bug::keep_too_much_free, {Rule::wrongly_no}},
        Planted{
            "BelieveTheSleeper", Bug::believe_the_sleeper, {Rule::overcommit, Rule::arithmetic}},
        Planted{"TrustAnyPid", Bug::trust_any_pid, {Rule::overcommit, Rule::arithmetic}}),
    [](const testing::TestParamInfo<Planted>& planted) { return planted.param.name; });

}  // namespace
}  // namespace estiva::property
