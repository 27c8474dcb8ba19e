// What is wrong with a GPU, as plain values.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace estiva {

// Ordered from best to worst, so that the state of several conditions is the largest of theirs;
// unknown stands between "a person should look" and "it works worse than it should".
enum class HealthState : std::uint8_t { ok, warn, unknown, degraded, unhealthy };

struct Condition {
  std::string id;  // "temperature", "pcie_width": stable, for alerts
  HealthState state = HealthState::ok;
  bool blocks_placement = false;
  SteadyTime since;    // when it opened
  std::string reason;  // a sentence with the raw values it rests on
  std::string remedy;
  friend bool operator==(const Condition&, const Condition&) = default;
};

struct GpuHealth {
  std::string device;                   // DeviceId::key(); may be one that is not listed any more
  HealthState state = HealthState::ok;  // the worst of its conditions'
  std::vector<Condition> conditions;    // worst first, then by id
  friend bool operator==(const GpuHealth&, const GpuHealth&) = default;
};

// "DEGRADED", the form JSON and metrics carry.
std::string_view to_name(HealthState state);

}  // namespace estiva
