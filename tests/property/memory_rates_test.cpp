// The matrix of the reference's section 6, in simulation: RAM 1 GiB, demand three times that, every
// rate. First the rules whose fate on a real machine is known, which proves the simulation; then
// ours.
#include <gtest/gtest.h>

#include "memory/memory_referee.h"

namespace estiva::memory_sim {
namespace {

constexpr double kDemand = 3072.0 * kMiB;
constexpr double kEnd = 60;  // of the job

Outcome fate(Manager& manager, double mib_per_second, double start = 1, HostSpec spec = {},
             double seconds = 90) {
  Host host(std::move(spec));
  host.add(ramp(mib_per_second * kMiB, kDemand, start, kEnd + start));
  return run(host, manager, seconds);
}

unsigned kills_of_seed(double rate) {
  SeedRule rule;
  return fate(rule, rate, 1, {}, 62).kills;
}

// Its luck is where in its second the job begins; half past is what was measured.
Outcome swapspace_at(double rate) {
  SwapspaceRule rule;
  return fate(rule, rate, 0.5, {}, 62);
}

TEST(MemorySimulation, TheSeedsRuleDiesWhereItDied) {
  EXPECT_EQ(kills_of_seed(50), 0U);
  EXPECT_EQ(kills_of_seed(100), 0U);
  EXPECT_EQ(kills_of_seed(250), 1U);
  EXPECT_EQ(kills_of_seed(500), 1U);
  EXPECT_EQ(kills_of_seed(1000), 1U);
}

TEST(MemorySimulation, SwapspaceDiesWhereItDied) {
  EXPECT_EQ(swapspace_at(50).kills + swapspace_at(100).kills, 0U);
  const Outcome alive = swapspace_at(250);
  EXPECT_EQ(alive.kills, 0U);
  EXPECT_EQ(alive.most_areas, 7);  // 3.2 GiB in 7 files, measured
  EXPECT_NEAR(alive.most_reserved / kGiB, 3.2, 0.2);
  for (const double rate : {500.0, 1000.0}) {
    EXPECT_EQ(swapspace_at(rate).kills, 1U) << rate;
    EXPECT_EQ(swapspace_at(rate).most_reserved, 0) << "before it made one byte of swap";
  }
}

TEST(MemorySimulation, NobodySurvivesWithoutSwapAndEveryoneWithSwapFromTheStart) {
  class Nobody final : public Manager {
    double tick(Host&) override { return 1000; }
  } nobody;
  for (const double rate : {50.0, 250.0, 1000.0, 2000.0}) {
    Oracle oracle;
    EXPECT_EQ(fate(nobody, rate).kills, 1U) << rate;
    EXPECT_EQ(fate(oracle, rate).kills, 0U) << rate;
  }
}

struct Case {
  double rate, device, floor;  // MiB a second; MiB
};

class EveryRate : public testing::TestWithParam<Case> {};

TEST_P(EveryRate, AliveAsFastAsTheOracleAndGivenBack) {
  const Case& one = GetParam();
  HostSpec spec;
  spec.write_out = one.device * kMiB;
  decide::memory::LawSettings settings;
  settings.floor = static_cast<std::uint64_t>(one.floor * kMiB);
  Law law(settings);
  MemoryReferee referee(law, one.floor * kMiB);
  const Outcome outcome = fate(law, one.rate, 1, spec, kEnd + 1 + 400);
  EXPECT_EQ(outcome.kills, 0U);
  EXPECT_EQ(referee.broken(), std::vector<std::string>{});
  EXPECT_LE(outcome.most_reserved, 1.5 * outcome.most_used);
  EXPECT_LE(outcome.most_areas, 8);
  EXPECT_LE(outcome.last_above_floor - (kEnd + 1), 360);
  EXPECT_GE(law.grown, 2U);
  Oracle oracle;
  const Outcome best = fate(oracle, one.rate, 1, spec, kEnd);
  EXPECT_LE(outcome.filled_at, 1.1 * best.filled_at);
  EXPECT_GT(outcome.filled_at, 0);
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const double rate : {60.0, 100.0, 250.0, 500.0, 1000.0, 2000.0})
    for (const double device : {60.0, 200.0, 560.0, 2000.0})
      for (const double floor : {0.0, 1024.0}) cases.push_back({rate, device, floor});
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Memory, EveryRate, testing::ValuesIn(all_cases()));

TEST(MemoryAtRest, TheFloorAndNoMore) {
  Host host(HostSpec{});
  Law law;
  const Outcome outcome = run(host, law, 600);
  EXPECT_EQ(outcome.most_reserved, 1.0 * kGiB);
  EXPECT_EQ(outcome.most_areas, 2);
  EXPECT_EQ(law.retired, 0U);
}

// A workload at 91 % of RAM whose swap stays empty is no reason: the seed's rule took 1 GiB more
// each 30 s for it.
TEST(MemoryAtRest, HighUseThatDoesNotGrowTakesNothing) {
  Host host(HostSpec{});
  host.add(ramp(50.0 * kMiB, 860.0 * kMiB, 1, 1e9));
  Law law;
  const Outcome outcome = run(host, law, 600);
  EXPECT_EQ(outcome.most_reserved, 1.0 * kGiB);
  Host other(HostSpec{});
  other.add(ramp(50.0 * kMiB, 860.0 * kMiB, 1, 1e9));
  SeedRule seed;
  EXPECT_EQ(run(other, seed, 600).most_reserved, 16.0 * kGiB);
}

}  // namespace
}  // namespace estiva::memory_sim
