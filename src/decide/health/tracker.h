// Judges the health of each GPU from what the driver says of it, one reading after the other. Pure:
// time arrives with the reading. Thresholds are the device's own where it has them (decisions
// 0008, 0015); a reading that is missing judges nothing, so what was open stays open.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "decide/health/track.h"
#include "decide/placement/readings.h"
#include "model/gpu.h"
#include "model/health.h"

namespace estiva::decide {

class HealthTracker {
 public:
  explicit HealthTracker(HealthPolicy policy = {}) : policy_(policy) {}

  // `now` is when the reading was taken; an older one than the last is ignored.
  void observe(const DriverStatus& driver, const std::vector<Gpu>& gpus, SteadyTime now);

  // In the order of the last reading's GPUs, then those that are missing.
  const std::vector<GpuHealth>& health() const { return health_; }

 private:
  HealthPolicy policy_;
  std::map<std::string, Track> tracks_;  // by DeviceId::key()
  std::vector<GpuHealth> health_;
  SteadyTime last_;
};

// The worst state of all; ok when there is none.
HealthState worst_of(const std::vector<GpuHealth>& health);
// Those where nothing more may be placed, each with the worst reason.
std::vector<UnfitGpu> unfit_gpus(const std::vector<GpuHealth>& health);

}  // namespace estiva::decide
