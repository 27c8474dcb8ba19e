#include "observe/history.h"

#include <algorithm>

#include "observe/history_ring.h"

namespace estiva::observe {
namespace {

constexpr Packing kRatio = {50000, 0};
constexpr Packing kCelsius = {100, 100};  // -100 .. 555 C
constexpr Packing kWatts = {20, 0};       // 0 .. 3276 W
// In the order of the enumerations.
constexpr std::array<Packing, kGpuMetrics> kGpuPackings = {kRatio, kRatio, kCelsius, kWatts};
constexpr std::array<Packing, kHostMetrics> kHostPackings = {kRatio, kRatio, kRatio, kRatio,
                                                             kRatio, kRatio, kRatio, kRatio};

template <class Unit>
Reading<double> plain(const Reading<Unit>& reading) {
  if (!reading) return reading.why();
  return reading->value;
}

Reading<double> share(Bytes part, Bytes whole) {
  if (whole.value == 0) return Missing::not_supported;
  return static_cast<double>(part.value) / static_cast<double>(whole.value);
}

std::array<Reading<double>, kGpuMetrics> values_of(const GpuSample& sample) {
  const auto memory = sample.memory ? share(sample.memory->used, sample.memory->total)
                                    : Reading<double>(sample.memory.why());
  return {plain(sample.utilization), memory, plain(sample.temperature), plain(sample.power)};
}

Reading<double> disk_share(const HostSample& host, std::string_view role) {
  for (const auto& disk : host.disks) {
    if (disk.role == role) return disk.used_ratio.value;
  }
  return Missing::not_read;
}

Reading<double> pressure_share(const Pressure& pressure) {
  if (!pressure.some) return pressure.some.why();
  return pressure.some->avg10.value;
}

std::array<Reading<double>, kHostMetrics> values_of(const HostSample& host) {
  Reading<double> memory = host.memory.why(), swap = host.memory.why();
  if (host.memory) {
    memory = share(host.memory->total - host.memory->available, host.memory->total);
    swap = share(host.memory->swap_total - host.memory->swap_free, host.memory->swap_total);
  }
  return {plain(host.cpu),
          memory,
          swap,
          pressure_share(host.cpu_pressure),
          pressure_share(host.memory_pressure),
          pressure_share(host.io_pressure),
          disk_share(host, "root"),
          disk_share(host, "docker")};
}

}  // namespace

struct History::Series : HistorySeries {
  using HistorySeries::HistorySeries;
};

const std::size_t History::kBytesPerGpu = ring_bytes(kGpuMetrics);
const std::size_t History::kBytesForHost = ring_bytes(kHostMetrics);

History::History() : host_(std::make_unique<Series>(kHostPackings)) {}
History::History(History&&) noexcept = default;
History& History::operator=(History&&) noexcept = default;
History::~History() = default;

void History::make_room() {
  if (gpus_.size() < kMaxGpus) return;
  gpus_.erase(std::min_element(gpus_.begin(), gpus_.end(), [](const auto& a, const auto& b) {
    return a.second->newest() < b.second->newest();
  }));
}

void History::add(const World& world) {
  // Stale values are not samples: the graph has a gap instead of a flat line.
  for (const auto& gpu : world.gpus) {
    if (world.stale || gpu.sample.state != GpuState::ok) continue;
    auto found = gpus_.find(gpu.identity.id.key());
    if (found == gpus_.end()) {
      make_room();
      found = gpus_.emplace(gpu.identity.id.key(), std::make_unique<Series>(kGpuPackings)).first;
    }
    found->second->add(world.made_at, values_of(gpu.sample));
  }
  if (world.host.read_at.ns != 0) host_->add(world.made_at, values_of(world.host));
}

std::vector<HistoryPoint> History::gpu(std::string_view key, GpuMetric metric,
                                       HistoryRange range) const {
  const auto found = gpus_.find(key);
  if (found == gpus_.end()) return {};
  return found->second->query(static_cast<std::size_t>(metric), range);
}

std::vector<HistoryPoint> History::host(HostMetric metric, HistoryRange range) const {
  return host_->query(static_cast<std::size_t>(metric), range);
}

std::vector<std::string> History::gpu_keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, series] : gpus_) keys.push_back(key);
  return keys;
}

std::size_t History::bytes() const {
  std::size_t sum = host_->bytes();
  for (const auto& [key, series] : gpus_) sum += series->bytes();
  return sum;
}

}  // namespace estiva::observe
