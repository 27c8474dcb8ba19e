#include "observe/history_ring.h"

#include <algorithm>
#include <cmath>

namespace estiva::observe {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::int64_t slot_of(SteadyTime at, std::int64_t step_s) {
  return std::max<std::int64_t>(at.ns, 0) / (step_s * kSecond);
}

// Mean and highest of the known slots first .. last.
HistoryPoint merge(const HistoryRing& ring, std::size_t metric, std::int64_t first,
                   std::int64_t last) {
  double total = 0, highest = 0;
  unsigned count = 0;
  for (std::int64_t slot = first; slot <= last; ++slot) {
    const auto point = ring.point(slot, metric);
    if (!point.mean) continue;
    total += *point.mean;
    highest = count == 0 ? *point.highest : std::max(highest, *point.highest);
    ++count;
  }
  HistoryPoint merged{
      {first * ring.tier().step_s * kSecond}, Missing::no_sample, Missing::no_sample};
  if (count > 0) {
    merged.mean = total / count;
    merged.highest = highest;
  }
  return merged;
}

// Unknown points before the first and after the last known one say nothing.
void trim_unknown(std::vector<HistoryPoint>& points) {
  const auto known = [](const HistoryPoint& point) { return point.mean.known(); };
  const auto last = std::find_if(points.rbegin(), points.rend(), known).base();
  points.erase(last, points.end());
  points.erase(points.begin(), std::find_if(points.begin(), points.end(), known));
}

}  // namespace

std::uint16_t pack(Reading<double> value, Packing packing) {
  if (!value || !std::isfinite(*value)) return kUnknownPacked;
  const double scaled = std::round((*value + packing.offset) * packing.scale);
  return static_cast<std::uint16_t>(std::clamp(scaled, 0.0, kUnknownPacked - 1.0));
}

Reading<double> unpack(std::uint16_t packed, Packing packing) {
  if (packed == kUnknownPacked) return Missing::no_sample;
  return packed / packing.scale - packing.offset;
}

HistoryRing::HistoryRing(HistoryTier tier, std::span<const Packing> packings)
    : tier_(tier),
      packings_(packings),
      numbers_(tier.slots * packings.size() * (tier.has_highest ? 2 : 1), kUnknownPacked),
      sums_(packings.size()) {}

std::size_t HistoryRing::index(std::int64_t slot, std::size_t metric) const {
  const std::size_t row = static_cast<std::size_t>(slot) % tier_.slots;
  return (row * packings_.size() + metric) * (tier_.has_highest ? 2 : 1);
}

std::int64_t HistoryRing::oldest_slot() const {
  return std::max(first_, newest_ - static_cast<std::int64_t>(tier_.slots) + 1);
}

bool HistoryRing::covers(SteadyTime from) const {
  return oldest_slot() <= slot_of(from, tier_.step_s) || oldest_slot() == first_;
}

// Slots that were stepped over are unknown: at most a whole ring of them.
void HistoryRing::advance_to(std::int64_t slot) {
  if (newest_ < 0) {
    first_ = newest_ = slot;
    return;
  }
  const std::int64_t from =
      std::max(newest_ + 1, slot - static_cast<std::int64_t>(tier_.slots) + 1);
  const std::size_t width = packings_.size() * (tier_.has_highest ? 2 : 1);
  for (std::int64_t each = from; each <= slot; ++each) {
    std::fill_n(numbers_.begin() + static_cast<std::ptrdiff_t>(index(each, 0)), width,
                kUnknownPacked);
  }
  newest_ = slot;
  std::fill(sums_.begin(), sums_.end(), Sum{});
}

void HistoryRing::add(SteadyTime at, std::span<const Reading<double>> values) {
  const std::int64_t slot = slot_of(at, tier_.step_s);
  if (slot < newest_) return;
  if (slot > newest_) advance_to(slot);
  for (std::size_t metric = 0; metric < values.size() && metric < sums_.size(); ++metric) {
    if (!values[metric] || !std::isfinite(*values[metric])) continue;
    Sum& sum = sums_[metric];
    sum.highest = sum.count == 0 ? *values[metric] : std::max(sum.highest, *values[metric]);
    sum.total += *values[metric];
    ++sum.count;
    const std::size_t at_index = index(slot, metric);
    numbers_[at_index] = pack(sum.total / sum.count, packings_[metric]);
    if (tier_.has_highest) numbers_[at_index + 1] = pack(sum.highest, packings_[metric]);
  }
}

HistoryPoint HistoryRing::point(std::int64_t slot, std::size_t metric) const {
  HistoryPoint point{{slot * tier_.step_s * kSecond}, Missing::no_sample, Missing::no_sample};
  if (empty() || slot < oldest_slot() || slot > newest_) return point;
  const std::size_t at = index(slot, metric);
  point.mean = unpack(numbers_[at], packings_[metric]);
  point.highest = unpack(numbers_[tier_.has_highest ? at + 1 : at], packings_[metric]);
  return point;
}

HistorySeries::HistorySeries(std::span<const Packing> packings) {
  for (const auto& tier : kHistoryTiers) rings_.emplace_back(tier, packings);
}

void HistorySeries::add(SteadyTime at, std::span<const Reading<double>> values) {
  newest_ = std::max(newest_, at);
  for (auto& ring : rings_) ring.add(at, values);
}

std::size_t HistorySeries::bytes() const {
  std::size_t sum = 0;
  for (const auto& ring : rings_) sum += ring.bytes();
  return sum;
}

// Of the tiers that still have `from`: the coarsest that is fine enough, else the finest of them.
const HistoryRing& HistorySeries::ring_for(const HistoryRange& range) const {
  const HistoryRing* best = nullptr;
  for (const auto& ring : rings_) {
    if (!ring.covers(range.from)) continue;
    const bool fine_enough = ring.tier().step_s * kSecond <= range.step.count();
    if (best == nullptr || fine_enough) best = &ring;
  }
  return best == nullptr ? rings_.back() : *best;
}

std::vector<HistoryPoint> HistorySeries::query(std::size_t metric,
                                               const HistoryRange& range) const {
  std::vector<HistoryPoint> points;
  const HistoryRing& ring = ring_for(range);
  if (ring.empty() || range.to < range.from || range.limit == 0) return points;
  const std::int64_t step_s = ring.tier().step_s;
  const std::int64_t first = std::max(slot_of(range.from, step_s), ring.oldest_slot());
  const std::int64_t last = std::min(slot_of(range.to, step_s), ring.newest_slot());
  if (last < first) return points;
  // Slots merged into one point: as many as the step asks for, and as the limit needs.
  const std::int64_t wanted = range.step.count() / (step_s * kSecond);
  const auto limit = static_cast<std::int64_t>(std::min<std::size_t>(range.limit, 65536));
  const std::int64_t needed = (last - first) / limit + 1;
  const std::int64_t width = std::max({wanted, needed, std::int64_t{1}});
  for (std::int64_t slot = first; slot <= last; slot += width) {
    points.push_back(merge(ring, metric, slot, std::min(slot + width - 1, last)));
  }
  trim_unknown(points);
  return points;
}

}  // namespace estiva::observe
