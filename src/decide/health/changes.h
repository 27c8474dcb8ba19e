// What became another between two judgements of the GPUs' health: for the journal and for whoever
// is told. Pure.
#pragma once
#include <string>
#include <vector>

#include "model/health.h"

namespace estiva::decide {

struct HealthChange {
  std::string device;                                             // DeviceId::key(), or "PCI:SLOT"
  std::string condition;                                          // "temperature"
  HealthState before = HealthState::ok, after = HealthState::ok;  // ok: not open
  std::string reason, remedy;                                     // as it is now, or was last
  friend bool operator==(const HealthChange&, const HealthChange&) = default;
};

// Conditions that opened, closed or became worse or better; what only has other figures in its
// reason is no change. In the order of `after`, then of what is gone. A device that left the list
// closes what was open on it.
std::vector<HealthChange> health_changes(const std::vector<GpuHealth>& before,
                                         const std::vector<GpuHealth>& after);

}  // namespace estiva::decide
