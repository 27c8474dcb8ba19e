// Bounded history of samples in fixed memory: a ring of points per GPU and one for the host, in
// three resolutions. A point is a handful of 16-bit numbers; a slot that nothing was written to is
// unknown, never zero. Owned by the loop; not thread-safe.
//
//   resolution   kept      what a slot holds
//   1 s          1 h       the mean of what fell into it
//   10 s         6 h       mean and highest
//   5 min        7 days    mean and highest
//
// Memory: kBytesPerGpu (about 93 KiB) a GPU and kBytesForHost (about 187 KiB) for the host: 8 GPUs
// take below 1 MiB, 64 below 6.2 MiB.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/world.h"

namespace estiva::observe {

enum class GpuMetric : std::uint8_t { utilization, memory, temperature, power };
enum class HostMetric : std::uint8_t {
  cpu,
  memory,
  swap,
  cpu_pressure,
  memory_pressure,
  io_pressure,
  disk_root,
  disk_docker,
};
constexpr std::size_t kGpuMetrics = 4;
constexpr std::size_t kHostMetrics = 8;

// One slot of an answer; ratios 0..1 (memory: used of total), celsius, watts.
struct HistoryPoint {
  SteadyTime at;  // start of the slot
  Reading<double> mean, highest;
  friend bool operator==(const HistoryPoint&, const HistoryPoint&) = default;
};

struct HistoryRange {
  SteadyTime from, to;       // both inclusive
  Nanoseconds step{0};       // wanted width of a slot; 0: the finest that covers the range
  std::size_t limit = 4096;  // at most so many points: the step grows until it fits
};

class History {
 public:
  static constexpr std::size_t kMaxGpus = 128;
  static const std::size_t kBytesPerGpu, kBytesForHost;

  History();
  History(History&&) noexcept;
  History& operator=(History&&) noexcept;
  ~History();

  // Takes the values of one World that are known. Worlds come in order of made_at; one that is
  // older than the newest slot is dropped, as are the GPU values of a stale one. A 129th GPU takes
  // the place of the one unseen longest.
  void add(const World& world);

  // Oldest first, one point a slot, unknown ones included between the first and the last known.
  std::vector<HistoryPoint> gpu(std::string_view key, GpuMetric metric, HistoryRange range) const;
  std::vector<HistoryPoint> host(HostMetric metric, HistoryRange range) const;
  std::vector<std::string> gpu_keys() const;
  std::size_t bytes() const;  // heap held by the points

 private:
  void make_room();

  struct Series;
  std::map<std::string, std::unique_ptr<Series>, std::less<>> gpus_;
  std::unique_ptr<Series> host_;
};

}  // namespace estiva::observe
