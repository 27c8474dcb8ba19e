// The hard cases of the reference's section 11 that are the law's: in simulation, before a referee.
#include <cmath>
#include <gtest/gtest.h>

#include "memory/memory_referee.h"

namespace estiva::memory_sim {
namespace {

using decide::memory::Blocked;
using Broken = std::vector<std::string>;

TEST(MemoryHard, LockedMemoryMakesNoAreaAndIsNamedWithinASecond) {
  for (const double rate : {50.0, 250.0, 1000.0}) {
    Host host(HostSpec{});
    Hog hog = ramp(rate * kMiB, 800.0 * kMiB, 10, 1e9);
    hog.locked = true;
    host.add(hog);
    Law law;
    run(host, law, 40);
    EXPECT_EQ(host.kills(), 0U);
    EXPECT_EQ(host.reserved(), 1.0 * kGiB) << "beyond the floor swap is of no use";
    EXPECT_GE(law.first_blocked, 10);
    EXPECT_LE(law.first_blocked, 11) << rate;
    EXPECT_GE(law.asked, 1U) << "models that are idle are what helps";
  }
}

TEST(MemoryHard, LockedMemoryThatWouldFillTheMachineIsBraked) {
  Host host(HostSpec{});
  Hog hog = ramp(100.0 * kMiB, 2048.0 * kMiB, 10, 1e9);
  hog.locked = true;
  host.add(hog);
  Law law;
  run(host, law, 19);
  EXPECT_GE(law.braked, 1U);
  EXPECT_EQ(host.reserved(), 1.0 * kGiB);
}

TEST(MemoryHard, FilesInATmpfsAreSwappedLikeMemory) {
  Host host(HostSpec{});
  Hog hog = ramp(500.0 * kMiB, 3072.0 * kMiB, 1, 60);
  hog.tmpfs = true;
  host.add(hog);
  Law law;
  EXPECT_EQ(run(host, law, 60).kills, 0U);
  EXPECT_GT(host.reserved(), 2.0 * kGiB);
}

TEST(MemoryHard, TwoThousandSmallProgramsSurvive) {
  Host host(HostSpec{});
  for (int i = 0; i < 2000; ++i) host.add(ramp(1.0 * kMiB, 1.4 * kMiB, 1 + i * 0.001, 1e9));
  Law law;
  MemoryReferee referee(law);
  EXPECT_EQ(run(host, law, 12, 0.005).kills, 0U);
  EXPECT_EQ(referee.broken(), Broken{});
  EXPECT_GT(host.swap_used(), 1.5 * kGiB);
}

// A 4 GiB area of someone else, 1.4 GiB of it used, goes while its owners are still there.
TEST(MemoryHard, SomeoneElsesSwapoffKillsNobody) {
  Host host(HostSpec{});
  const std::uint32_t other = host.add_foreign(4.0 * kGiB);
  host.add(ramp(400.0 * kMiB, 2400.0 * kMiB, 1, 1e9));
  Law law;
  MemoryReferee referee(law);
  run(host, law, 20);
  ASSERT_GT(host.swap_used(), 1.2 * kGiB);
  host.swapoff_foreign(other);
  EXPECT_EQ(run(host, law, 90).kills, 0U);
  EXPECT_EQ(referee.broken(), Broken{});
}

// Without swap of ours the same kills, as it did on the real machine.
TEST(MemoryHard, WithoutAnySwapOfOursThatSwapoffKills) {
  class Nobody final : public Manager {
    double tick(Host&) override { return 1000; }
  } rule;
  Host host(HostSpec{});
  const std::uint32_t other = host.add_foreign(4.0 * kGiB);
  host.add(ramp(400.0 * kMiB, 2400.0 * kMiB, 1, 1e9));
  run(host, rule, 20);
  host.swapoff_foreign(other);
  EXPECT_GE(run(host, rule, 90).kills, 1U);
}

class Wave : public testing::TestWithParam<double> {};

TEST_P(Wave, OneGrowAndOneShrinkAPeriodAtMost) {
  const double period = GetParam();
  Host host(HostSpec{});
  Hog hog;
  hog.wants = [period](double t) {
    const double phase = std::fmod(t, period);
    return phase < period / 2 ? std::min(phase * 400.0 * kMiB, 2600.0 * kMiB) : 0.0;
  };
  host.add(hog);
  Law law;
  MemoryReferee referee(law);
  const double day = 86400;
  EXPECT_EQ(run(host, law, day, 0.02).kills, 0U);
  EXPECT_EQ(referee.broken(), Broken{});
  EXPECT_LE(law.grow_episodes, day / period + 1);
  EXPECT_LE(law.shrink_episodes, day / period + 1);
  EXPECT_LE(law.shrink_episodes, 12U) << "each regrow doubles how long it waits";
}

INSTANTIATE_TEST_SUITE_P(Periods, Wave, testing::Values(60, 700, 1200, 3600));

TEST(MemoryHard, ADiskThatFillsUpGetsTheEmptyAreasBackAtOnce) {
  HostSpec spec;
  spec.disk = 100.0 * kGiB, spec.disk_used = 60.0 * kGiB;
  spec.disk_filler = [](double t) {
    return t < 100 ? 0.0 : std::min((t - 100) * kGiB, 19.0 * kGiB);
  };
  Host host(spec);
  host.add(ramp(400.0 * kMiB, 2800.0 * kMiB, 1, 95));
  Law law;
  MemoryReferee referee(law);
  run(host, law, 100);
  ASSERT_GT(host.reserved(), 2.4 * kGiB);
  EXPECT_EQ(run(host, law, 160).kills, 0U);
  EXPECT_LE(host.reserved(), 2.0 * kGiB) << "the small-disk minimum at most";
  EXPECT_EQ(referee.broken(), Broken{});
}

TEST(MemoryHard, AFullDiskIsNamedAndTheGrowerBraked) {
  HostSpec spec;
  spec.disk = 100.0 * kGiB, spec.disk_used = 95.0 * kGiB;
  Host host(spec);
  host.add(ramp(100.0 * kMiB, 3072.0 * kMiB, 1, 60));
  Law law;
  run(host, law, 10);
  EXPECT_EQ(host.reserved(), 0);
  EXPECT_EQ(law.last.blocked, Blocked::disk_floor);
  EXPECT_GT(law.last.missing, 0U);
  EXPECT_GE(law.braked, 1U);
}

TEST(MemoryHard, SlotsThatOthersTookAreNamed) {
  HostSpec spec;
  spec.slots = 5;
  Host host(spec);
  for (int i = 0; i < 3; ++i) host.add_foreign(64.0 * kMiB);
  host.add(ramp(300.0 * kMiB, 3072.0 * kMiB, 1, 60));
  Law law;
  run(host, law, 8);
  EXPECT_EQ(law.last.blocked, Blocked::slots);
  EXPECT_GE(law.braked, 1U);
}

// Any curve: random breakpoints of several programs that together never want more than the machine
// may hold. Nobody dies, and the referee has nothing to say.
class AnyCurve : public testing::TestWithParam<std::uint32_t> {};

Hog random_hog(std::uint32_t& seed) {
  const auto next = [&seed] {
    seed = seed * 1664525U + 1013904223U;
    return static_cast<double>(seed >> 8) / static_cast<double>(1U << 24);
  };
  std::vector<std::pair<double, double>> points{{0.0, 0.0}};
  while (points.back().first < 60) {
    const double gap = std::pow(10.0, next() * 3 - 2);  // 10 ms to 10 s
    points.emplace_back(points.back().first + gap, next() * 900.0 * kMiB);
  }
  Hog hog;
  hog.wants = [points](double t) {
    for (std::size_t i = 1; i < points.size(); ++i) {
      const auto& [from, low] = points[i - 1];
      const auto& [to, high] = points[i];
      if (t < to) return low + (high - low) * (t - from) / (to - from);
    }
    return 0.0;
  };
  return hog;
}

TEST_P(AnyCurve, NobodyDies) {
  std::uint32_t seed = GetParam() * 2654435761U + 1;
  HostSpec spec;
  spec.write_out = (50 + 37.0 * (GetParam() % 20)) * kMiB;
  Host host(spec);
  for (int i = 0; i < 4; ++i) host.add(random_hog(seed));
  decide::memory::LawSettings settings;
  if (GetParam() % 3 == 0) settings.floor = 0;
  Law law(settings);
  MemoryReferee referee(law, static_cast<double>(settings.floor));
  EXPECT_EQ(run(host, law, 62, 0.002).kills, 0U);
  EXPECT_EQ(referee.broken(), Broken{});
}

INSTANTIATE_TEST_SUITE_P(Seeds, AnyCurve, testing::Range(1U, 41U));

}  // namespace
}  // namespace estiva::memory_sim
