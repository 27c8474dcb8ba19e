#include "observe/history.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "observe/history_ring.h"

namespace estiva::observe {
namespace {

using namespace std::chrono_literals;

SteadyTime at_second(double seconds) {
  return {static_cast<std::int64_t>(seconds * 1e9)};
}

World world_at(double second, double utilization, const std::string& uuid = "GPU-1") {
  World world;
  world.made_at = at_second(second);
  Gpu gpu;
  gpu.identity.id.uuid = uuid;
  gpu.sample.utilization = Ratio{utilization};
  gpu.sample.memory = GpuMemory{gib(8), gib(2), gib(6), {}, false};
  gpu.sample.temperature = Celsius{71.5};
  world.gpus.push_back(gpu);
  return world;
}

HistoryRange range(double from, double to, Nanoseconds step = 0ns, std::size_t limit = 4096) {
  return {at_second(from), at_second(to), step, limit};
}

TEST(HistoryMemory, IsWhatTheHeaderSays) {
  // Hand calculation: (3600 + 2160 * 2 + 2016 * 2) slots * 4 metrics * 2 bytes.
  EXPECT_EQ(History::kBytesPerGpu, 95616u);
  EXPECT_EQ(History::kBytesForHost, 191232u);
  EXPECT_LT(8 * History::kBytesPerGpu + History::kBytesForHost, 1u << 20);
  EXPECT_LT(64 * History::kBytesPerGpu + History::kBytesForHost, 6.2 * (1 << 20));
}

TEST(HistoryMemory, DoesNotGrowAndGpusAreBounded) {
  History history;
  EXPECT_EQ(history.bytes(), History::kBytesForHost);
  for (int i = 0; i < 300; ++i) history.add(world_at(1 + i, 0.5, "GPU-" + std::to_string(i)));
  EXPECT_EQ(history.gpu_keys().size(), History::kMaxGpus);
  EXPECT_EQ(history.bytes(), History::kBytesForHost + History::kMaxGpus * History::kBytesPerGpu);
  // The ones seen last are kept.
  EXPECT_FALSE(history.gpu("GPU-299", GpuMetric::utilization, range(0, 400)).empty());
  EXPECT_TRUE(history.gpu("GPU-0", GpuMetric::utilization, range(0, 400)).empty());
}

TEST(HistoryQuery, OneSecondPointsComeBackAsTheyWere) {
  History history;
  for (int s = 100; s < 110; ++s) history.add(world_at(s, (s - 100) / 10.0));
  const auto points = history.gpu("GPU-1", GpuMetric::utilization, range(102, 104));
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0].at, at_second(102));
  EXPECT_NEAR(*points[0].mean, 0.2, 1e-4);
  EXPECT_NEAR(*points[2].highest, 0.4, 1e-4);
  EXPECT_NEAR(*history.gpu("GPU-1", GpuMetric::memory, range(102, 104))[0].mean, 0.25, 1e-4);
  EXPECT_NEAR(*history.gpu("GPU-1", GpuMetric::temperature, range(102, 104))[0].mean, 71.5, 0.01);
  EXPECT_TRUE(history.gpu("GPU-1", GpuMetric::power, range(102, 104)).empty());  // never known
}

TEST(HistoryQuery, AGapIsUnknownAndNotZero) {
  History history;
  history.add(world_at(10, 0.5));
  history.add(world_at(13, 0.7));
  const auto points = history.gpu("GPU-1", GpuMetric::utilization, range(0, 100));
  ASSERT_EQ(points.size(), 4u);
  EXPECT_FALSE(points[1].mean);
  EXPECT_EQ(points[1].mean.why(), Missing::no_sample);
  EXPECT_FALSE(points[2].highest);
}

TEST(HistoryQuery, OlderThanAnHourComesFromTheTenSecondTierWithItsPeak) {
  History history;
  for (int s = 0; s < 2 * 3600; ++s) history.add(world_at(1 + s, s == 55 ? 1.0 : 0.1));
  const auto points = history.gpu("GPU-1", GpuMetric::utilization, range(40, 80));
  ASSERT_EQ(points.size(), 5u);
  EXPECT_EQ(points[0].at, at_second(40));
  EXPECT_NEAR(*points[1].mean, 0.19, 1e-3);  // 50..59: one of ten is 1.0
  EXPECT_NEAR(*points[1].highest, 1.0, 1e-3);
  EXPECT_NEAR(*points[2].highest, 0.1, 1e-3);
}

TEST(HistoryQuery, ADayComesInFiveMinuteSlotsAndALimitMakesThemWider) {
  History history;
  for (int s = 0; s < 86400; s += 10) history.add(world_at(1 + s, 0.5));
  const auto day = history.gpu("GPU-1", GpuMetric::utilization, range(0, 86400));
  EXPECT_EQ(day.size(), 288u);
  const auto few = history.gpu("GPU-1", GpuMetric::utilization, range(0, 86400, 0ns, 10));
  EXPECT_LE(few.size(), 10u);
  EXPECT_GE(few.size(), 9u);
  const auto minutes = history.gpu("GPU-1", GpuMetric::utilization, range(85000, 86400, 60s));
  EXPECT_LE(minutes.size(), 25u);
  EXPECT_NEAR(*minutes[3].mean, 0.5, 1e-4);
}

TEST(HistoryQuery, AskedBadlyItAnswersNothing) {
  History history;
  EXPECT_TRUE(history.gpu("GPU-1", GpuMetric::power, range(0, 1)).empty());
  EXPECT_TRUE(history.host(HostMetric::cpu, range(0, 1)).empty());
  history.add(world_at(10, 0.5));
  EXPECT_TRUE(history.gpu("GPU-1", GpuMetric::utilization, range(20, 10)).empty());
  EXPECT_TRUE(history.gpu("GPU-1", GpuMetric::utilization, range(0, 100, 0ns, 0)).empty());
  EXPECT_TRUE(history.gpu("GPU-2", GpuMetric::utilization, range(0, 100)).empty());
}

TEST(HistoryAdd, StaleWorldsAndLostGpusLeaveAGap) {
  History history;
  auto stale = world_at(10, 0.5);
  stale.stale = true;
  history.add(stale);
  auto lost = world_at(11, 0.5);
  lost.gpus[0].sample.state = GpuState::lost;
  history.add(lost);
  EXPECT_TRUE(history.gpu("GPU-1", GpuMetric::utilization, range(0, 100)).empty());
}

TEST(HistoryAdd, HostValues) {
  History history;
  World world;
  world.made_at = at_second(5);
  world.host.read_at = at_second(5);
  world.host.cpu = Ratio{0.5};
  world.host.memory = HostMemory{gib(10), gib(4), {}, {}, {}, {}, gib(2), gib(1)};
  world.host.memory_pressure.some = PressureLine{{0.2}, {0}, {0}, 0};
  world.host.disks = {{"docker", "/d", "ext4", gib(1), {}, {}, {0.75}}};
  history.add(world);
  const auto value = [&](HostMetric metric) { return history.host(metric, range(0, 10)); };
  EXPECT_NEAR(*value(HostMetric::cpu)[0].mean, 0.5, 1e-4);
  EXPECT_NEAR(*value(HostMetric::memory)[0].mean, 0.6, 1e-4);
  EXPECT_NEAR(*value(HostMetric::swap)[0].mean, 0.5, 1e-4);
  EXPECT_NEAR(*value(HostMetric::memory_pressure)[0].mean, 0.2, 1e-4);
  EXPECT_NEAR(*value(HostMetric::disk_docker)[0].mean, 0.75, 1e-4);
  EXPECT_TRUE(value(HostMetric::disk_root).empty());
}

TEST(HistoryPacking, NumbersBeyondTheRangeAreCutAndNanIsUnknown) {
  EXPECT_EQ(pack(Reading<double>(Missing::lost), {}), kUnknownPacked);
  EXPECT_EQ(pack(std::numeric_limits<double>::quiet_NaN(), {}), kUnknownPacked);
  EXPECT_EQ(pack(1e9, {}), kUnknownPacked - 1);
  EXPECT_EQ(pack(-1.0, {}), 0);
}

// Referee: every value that was added is kept in a plain list, and the answer is worked out from
// it.
TEST(HistoryProperty, AnswersAgreeWithAPlainListOfEverythingAdded) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint16_t>& gaps) {
    static constexpr std::array<Packing, 1> kPackings = {Packing{}};
    HistorySeries series(kPackings);
    std::map<std::int64_t, std::vector<double>> truth;
    std::int64_t second = 1;
    for (const auto gap : gaps) {
      second += gap % 4000;
      const double value = (gap % 101) / 100.0;
      const std::array<Reading<double>, 1> values = {Reading<double>(value)};
      series.add({second * 1'000'000'000}, values);
      truth[second].push_back(value);
    }
    const std::int64_t from = second - 3599;
    const auto points = series.query(0, {{from * 1'000'000'000}, {second * 1'000'000'000}});
    std::size_t known = 0;
    for (const auto& point : points) {
      if (!point.mean) continue;
      ++known;
      const auto& list = truth.at(point.at.ns / 1'000'000'000);
      double sum = 0;
      for (const auto value : list) sum += value;
      RC_ASSERT(std::abs(*point.mean - sum / static_cast<double>(list.size())) < 1e-4);
    }
    std::size_t expected = 0;
    for (const auto& [when, list] : truth) expected += when >= from ? 1 : 0;
    RC_ASSERT(known == expected);
  }));
}

}  // namespace
}  // namespace estiva::observe
