#include "decide/health/changes.h"

#include <algorithm>

namespace estiva::decide {
namespace {

const GpuHealth* find_device(const std::vector<GpuHealth>& health, const std::string& device) {
  const auto found = std::find_if(health.begin(), health.end(),
                                  [&](const GpuHealth& one) { return one.device == device; });
  return found == health.end() ? nullptr : &*found;
}

const Condition* find_condition(const GpuHealth* health, const std::string& id) {
  if (health == nullptr) return nullptr;
  const auto found = std::find_if(health->conditions.begin(), health->conditions.end(),
                                  [&](const Condition& one) { return one.id == id; });
  return found == health->conditions.end() ? nullptr : &*found;
}

}  // namespace

std::vector<HealthChange> health_changes(const std::vector<GpuHealth>& before,
                                         const std::vector<GpuHealth>& after) {
  std::vector<HealthChange> changes;
  for (const GpuHealth& now : after) {
    const GpuHealth* then = find_device(before, now.device);
    for (const Condition& open : now.conditions) {
      const Condition* was = find_condition(then, open.id);
      const HealthState state = was == nullptr ? HealthState::ok : was->state;
      if (state == open.state) continue;
      changes.push_back({now.device, open.id, state, open.state, open.reason, open.remedy});
    }
  }
  for (const GpuHealth& then : before) {
    const GpuHealth* now = find_device(after, then.device);
    for (const Condition& was : then.conditions) {
      if (find_condition(now, was.id) != nullptr) continue;
      changes.push_back({then.device, was.id, was.state, HealthState::ok, was.reason, was.remedy});
    }
  }
  return changes;
}

}  // namespace estiva::decide
