// The words that JSON, metrics and people see for the enumerations of this room.
#include "model/gpu.h"
#include "model/health.h"
#include "model/lease.h"
#include "model/reading.h"

namespace estiva {

std::string_view to_name(Missing why) {
  switch (why) {
    case Missing::not_read:
      return "not_read";
    case Missing::not_supported:
      return "not_supported";
    case Missing::not_permitted:
      return "not_permitted";
    case Missing::no_sample:
      return "no_sample";
    case Missing::lost:
      return "lost";
    case Missing::asleep:
      return "asleep";
    case Missing::unresponsive:
      return "unresponsive";
    case Missing::failed:
      return "failed";
  }
  return "failed";
}

std::string_view to_name(DriverState state) {
  switch (state) {
    case DriverState::absent:
      return "absent";
    case DriverState::no_driver:
      return "no_driver";
    case DriverState::no_library:
      return "no_library";
    case DriverState::mismatch:
      return "mismatch";
    case DriverState::initialising:
      return "initialising";
    case DriverState::ready:
      return "ok";
    case DriverState::partial:
      return "partial";
    case DriverState::unresponsive:
      return "unresponsive";
    case DriverState::stuck:
      return "stuck";
    case DriverState::crashed:
      return "crashed";
    case DriverState::released:
      return "released";
    case DriverState::failed:
      return "failed";
  }
  return "failed";
}

std::string_view to_name(GpuState state) {
  switch (state) {
    case GpuState::ok:
      return "ok";
    case GpuState::lost:
      return "lost";
    case GpuState::reset_required:
      return "reset_required";
    case GpuState::asleep:
      return "asleep";
    case GpuState::failed:
      return "failed";
  }
  return "failed";
}

// nvmlDeviceGpuRecoveryAction.
std::string_view recovery_name(unsigned action) {
  constexpr std::string_view kNames[] = {"none", "reset", "reboot", "drain_p2p", "drain_and_reset"};
  return action < std::size(kNames) ? kNames[action] : "unknown";
}

std::string_view to_name(LeaseState state) {
  switch (state) {
    case LeaseState::reserved:
      return "reserved";
    case LeaseState::active:
      return "active";
    case LeaseState::releasing:
      return "releasing";
  }
  return "releasing";
}

bool can_place(DriverState state) {
  return state == DriverState::ready || state == DriverState::partial;
}

std::string_view to_name(HealthState state) {
  switch (state) {
    case HealthState::ok:
      return "OK";
    case HealthState::warn:
      return "WARN";
    case HealthState::unknown:
      return "UNKNOWN";
    case HealthState::degraded:
      return "DEGRADED";
    case HealthState::unhealthy:
      return "UNHEALTHY";
  }
  return "UNKNOWN";
}

}  // namespace estiva
