#include "decide/health/tracker.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/messages/decide_health.h"

namespace estiva::decide {
using namespace std::chrono_literals;
using Says = Latch::Says;

namespace {

// More than any machine has; a slot is a few hundred bytes.
constexpr std::size_t kMostSlots = 256;

GpuHealth summed_up(std::string device, std::vector<Condition> conditions) {
  std::sort(conditions.begin(), conditions.end(), [](const Condition& a, const Condition& b) {
    return a.state != b.state ? a.state > b.state : a.id < b.id;
  });
  const HealthState state = conditions.empty() ? HealthState::ok : conditions.front().state;
  return {std::move(device), state, std::move(conditions)};
}

}  // namespace

void HealthTracker::observe(const DriverStatus& driver, const std::vector<Gpu>& gpus,
                            SteadyTime now) {
  if (driver.state == DriverState::no_driver) driver_was_gone_ = true;
  if (driver.state != DriverState::ready && driver.state != DriverState::partial) return;
  if (now <= last_) return;
  last_ = now;
  if (driver_was_gone_) {
    for (auto& [slot, book] : books_) changes_ += book.was_reset() ? 1 : 0;
  }
  driver_was_gone_ = false;
  for (auto& [key, track] : tracks_) track.listed = false;
  listed_.clear();
  for (const Gpu& gpu : gpus) {
    listed_.push_back(gpu.identity.id.key());
    const auto [track, is_new] = tracks_.try_emplace(listed_.back());
    if (is_new || track->second.pci_bus_id != gpu.identity.pci_bus_id) ++changes_;
    judge(gpu, track->second, now);
  }
  std::erase_if(tracks_,
                [](const auto& item) { return !item.second.listed && !item.second.whole; });
  for (auto& [key, track] : tracks_) {
    if (track.listed) continue;
    track.was_away = true;
    track.out_of_reach.update(Says::sign, now, 0s, 0s);
  }
  sum_up(now);
}

void HealthTracker::judge(const Gpu& gpu, Track& track, SteadyTime now) {
  track.listed = true;
  track.whole = gpu.identity.id.instance.empty();
  track.index = gpu.identity.index;
  if (track.pci_bus_id != gpu.identity.pci_bus_id) {
    track.pci_bus_id = gpu.identity.pci_bus_id;
    track.slot = pci_slot(track.pci_bus_id);
  }
  if (track.whole && !books_.empty()) settle_xids(gpu, track);
  if (const auto book = books_.find(track.slot); book != books_.end()) {
    track.recovery_said = book->second.recovery_said();
  }
  judge_sample(policy_, track, gpu, now);
  judge_wear(track, gpu);
  const GpuState state = gpu.sample.state;
  if (state == GpuState::ok) track.was_away = false;
  if (state == GpuState::lost || state == GpuState::reset_required) track.was_away = true;
}

// A GPU that was out of reach and answers again was reset; the driver's own verdict is the other
// sign that nothing is left to be done.
void HealthTracker::settle_xids(const Gpu& gpu, const Track& track) {
  const auto book = books_.find(track.slot);
  if (book == books_.end()) return;
  bool ended = false;
  if (gpu.sample.state == GpuState::ok && track.was_away) ended = book->second.was_reset();
  if (gpu.wear.recovery_action && *gpu.wear.recovery_action == 0) {
    ended = book->second.driver_is_content(gpu.wear.read_at) || ended;
  }
  if (ended) ++changes_;
}

std::uint64_t HealthTracker::observe_xid(const XidReport& report, SteadyTime now) {
  const bool makes_sense = report.code != 0 && report.code <= kMaxXid && report.count != 0;
  if (report.slot.empty() || !makes_sense) return 0;
  if (books_.size() >= kMostSlots && books_.count(report.slot) == 0) return 0;
  const std::uint64_t fresh = books_[report.slot].take(report);
  if (fresh > 0) ++changes_;
  sum_up(std::max(now, last_));
  return fresh;
}

void HealthTracker::sum_up(SteadyTime now) {
  std::map<std::string_view, std::vector<Condition>> by_slot;
  for (const auto& [slot, book] : books_) by_slot[slot] = book.conditions(now);
  std::set<std::string_view> shown;
  const auto with_xids = [&](std::vector<Condition> open, const Track& track) {
    if (by_slot.empty()) return open;
    shown.insert(track.slot);
    const auto more = by_slot.find(track.slot);
    if (more != by_slot.end()) open.insert(open.end(), more->second.begin(), more->second.end());
    return open;
  };
  health_.clear();
  for (const std::string& key : listed_) {
    const Track& track = tracks_.at(key);
    health_.push_back(summed_up(key, with_xids(track.open, track)));
  }
  for (const auto& [key, track] : tracks_) {
    if (track.listed) continue;
    const Condition missing{"missing",
                            HealthState::unhealthy,
                            true,
                            track.out_of_reach.since(),
                            fmt::format(msg::kHealthMissing, track.index, track.pci_bus_id),
                            std::string(msg::kHealthMissingRemedy)};
    health_.push_back(summed_up(key, with_xids({missing}, track)));
  }
  for (const auto& [slot, open] : by_slot) {
    if (open.empty() || shown.count(slot) != 0) continue;
    health_.push_back(summed_up(fmt::format("PCI:{}", slot), open));
  }
}

std::vector<KnownGpu> HealthTracker::known_gpus() const {
  std::vector<KnownGpu> known;
  for (const auto& [key, track] : tracks_) {
    if (track.whole) known.push_back({key, track.index, track.pci_bus_id});
  }
  return known;
}

std::vector<XidMemory> HealthTracker::xid_memory() const {
  std::vector<XidMemory> memory;
  for (const auto& [slot, book] : books_) book.remember(slot, memory);
  return memory;
}

void HealthTracker::recall(const std::vector<KnownGpu>& gpus, const std::vector<XidMemory>& xids) {
  for (const KnownGpu& gpu : gpus) {
    const auto [at, is_new] = tracks_.try_emplace(gpu.device);
    if (!is_new || tracks_.size() > kMostSlots) continue;
    at->second.index = gpu.index;
    at->second.pci_bus_id = gpu.pci_bus_id;
    at->second.slot = pci_slot(gpu.pci_bus_id);
  }
  for (const XidMemory& memory : xids) {
    if (!memory.slot.empty() && books_.size() < kMostSlots) books_[memory.slot].recall(memory);
  }
}

bool HealthTracker::forget_xids(const std::string& slot) {
  const auto book = books_.find(slot);
  return book != books_.end() && book->second.dismiss();
}

bool HealthTracker::forget(const std::string& device, SteadyTime now) {
  constexpr std::string_view kSlot = "PCI:";
  bool was_something = false;
  if (const auto track = tracks_.find(device); track != tracks_.end()) {
    was_something = forget_xids(track->second.slot);
    if (!track->second.listed) {
      tracks_.erase(track);
      was_something = true;
    }
  } else if (device.compare(0, kSlot.size(), kSlot) == 0) {
    was_something = forget_xids(device.substr(kSlot.size()));
  }
  if (!was_something) return false;
  ++changes_;
  sum_up(std::max(now, last_));
  return true;
}

std::vector<GpuXids> HealthTracker::xids() const {
  std::vector<GpuXids> all;
  for (const auto& [slot, book] : books_) all.push_back(book.counted(slot));
  return all;
}

std::vector<UnfitGpu> unfit_gpus(const std::vector<GpuHealth>& health) {
  std::vector<UnfitGpu> unfit;
  for (const GpuHealth& one : health) {
    const auto blocking = std::find_if(one.conditions.begin(), one.conditions.end(),
                                       [](const Condition& c) { return c.blocks_placement; });
    if (blocking != one.conditions.end()) unfit.push_back({one.device, blocking->reason});
  }
  return unfit;
}

HealthState worst_of(const std::vector<GpuHealth>& health) {
  HealthState worst = HealthState::ok;
  for (const GpuHealth& one : health) worst = std::max(worst, one.state);
  return worst;
}

}  // namespace estiva::decide
