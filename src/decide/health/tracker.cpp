#include "decide/health/tracker.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_health.h"

namespace estiva::decide {
using namespace std::chrono_literals;
using Says = Latch::Says;

namespace {

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
  if (driver.state != DriverState::ready && driver.state != DriverState::partial) return;
  if (now <= last_) return;
  last_ = now;
  for (auto& [key, track] : tracks_) track.listed = false;
  health_.clear();
  for (const Gpu& gpu : gpus) {
    Track& track = tracks_[gpu.identity.id.key()];
    track.listed = true;
    track.whole = gpu.identity.id.instance.empty();
    track.index = gpu.identity.index;
    track.pci_bus_id = gpu.identity.pci_bus_id;
    judge_sample(policy_, track, gpu, now);
    judge_wear(track, gpu);
    health_.push_back(summed_up(gpu.identity.id.key(), track.open));
  }
  std::erase_if(tracks_,
                [](const auto& item) { return !item.second.listed && !item.second.whole; });
  for (auto& [key, track] : tracks_) {
    if (track.listed) continue;
    track.out_of_reach.update(Says::sign, now, 0s, 0s);
    health_.push_back(
        summed_up(key, {{"missing", HealthState::unhealthy, true, track.out_of_reach.since(),
                         fmt::format(msg::kHealthMissing, track.index, track.pci_bus_id),
                         std::string(msg::kHealthMissingRemedy)}}));
  }
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
