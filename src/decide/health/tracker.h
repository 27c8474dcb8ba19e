// Judges the health of each GPU from what the driver says of it, one reading after the other. Pure:
// time arrives with the reading. Thresholds are the device's own where it has them (decisions
// 0008, 0015); a reading that is missing judges nothing, so what was open stays open.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "decide/health/latch.h"
#include "decide/placement/readings.h"
#include "model/gpu.h"
#include "model/health.h"

namespace estiva::decide {

struct HealthPolicy {
  std::optional<Celsius> max_temperature;  // instead of the device's own thresholds
};

class HealthTracker {
 public:
  explicit HealthTracker(HealthPolicy policy = {}) : policy_(policy) {}

  // `now` is when the reading was taken; an older one than the last is ignored.
  void observe(const DriverStatus& driver, const std::vector<Gpu>& gpus, SteadyTime now);

  // In the order of the last reading's GPUs, then those that are missing.
  const std::vector<GpuHealth>& health() const { return health_; }

 private:
  // What is remembered of one GPU.
  struct Track {
    Latch warm, hot, critical;
    Latch throttled, throttled_badly, throttled_by_software;
    ShareWindow hardware_slowdown, software_thermal;
    Latch uncorrected;
    Latch narrow_link, slow_link;
    Latch dead_fan, over_power;
    Latch out_of_reach;
    bool listed = false;
    bool whole = true;  // not a part of a split GPU: those come and go as the user likes
    unsigned index = 0;
    std::string pci_bus_id;
    std::vector<Condition> open;  // stays where a reading is missing
  };
  class Judge;

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
