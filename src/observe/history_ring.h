// The rings behind History: numbers over time in three resolutions, in memory that is taken once.
// Pure; time arrives as a value.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "observe/history.h"

namespace estiva::observe {

struct HistoryTier {
  std::int64_t step_s;
  std::size_t slots;
  bool has_highest;  // the finest slots hold about one sample: its highest is its mean
};
constexpr std::array<HistoryTier, 3> kHistoryTiers = {
    {{1, 3600, false}, {10, 2160, true}, {300, 2016, true}}};

constexpr std::size_t ring_bytes(std::size_t metrics) {
  std::size_t numbers = 0;
  for (const auto& tier : kHistoryTiers) {
    numbers += tier.slots * metrics * (tier.has_highest ? 2 : 1);
  }
  return numbers * sizeof(std::uint16_t);
}

// How a metric becomes 16 bits: (value + offset) * scale, rounded, cut to 0 .. 65534.
struct Packing {
  double scale = 50000, offset = 0;  // ratios up to 1.31 in steps of 0.00002
};
constexpr std::uint16_t kUnknownPacked = 0xFFFF;
std::uint16_t pack(Reading<double> value, Packing packing);
Reading<double> unpack(std::uint16_t packed, Packing packing);

// One tier of one series.
class HistoryRing {
 public:
  HistoryRing(HistoryTier tier, std::span<const Packing> packings);

  // One value per metric. A time before the newest slot is dropped.
  void add(SteadyTime at, std::span<const Reading<double>> values);
  // True where nothing between `from` and the newest slot has been overwritten.
  bool covers(SteadyTime from) const;
  bool empty() const { return newest_ < 0; }
  const HistoryTier& tier() const { return tier_; }
  std::int64_t newest_slot() const { return newest_; }
  std::int64_t oldest_slot() const;
  HistoryPoint point(std::int64_t slot, std::size_t metric) const;
  std::size_t bytes() const { return numbers_.size() * sizeof(std::uint16_t); }

 private:
  // What has fallen into the newest slot so far.
  struct Sum {
    double total = 0, highest = 0;
    unsigned count = 0;
  };
  std::size_t index(std::int64_t slot, std::size_t metric) const;
  void advance_to(std::int64_t slot);

  HistoryTier tier_;
  std::span<const Packing> packings_;  // of static storage
  std::vector<std::uint16_t> numbers_;
  std::vector<Sum> sums_;
  std::int64_t first_ = -1, newest_ = -1;
};

// All tiers of one GPU or of the host.
class HistorySeries {
 public:
  explicit HistorySeries(std::span<const Packing> packings);
  void add(SteadyTime at, std::span<const Reading<double>> values);
  std::vector<HistoryPoint> query(std::size_t metric, const HistoryRange& range) const;
  SteadyTime newest() const { return newest_; }
  std::size_t bytes() const;

 private:
  const HistoryRing& ring_for(const HistoryRange& range) const;

  std::vector<HistoryRing> rings_;  // as kHistoryTiers
  SteadyTime newest_;
};

}  // namespace estiva::observe
