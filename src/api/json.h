// The documents of the product's faces, as JSON text. Pure: a value in, a string out. The daemon
// serves them and the CLI prints the very same ones when it works alone. Numbers are in base units
// (bytes, celsius, watts, ratios 0..1, seconds); what is unknown is null, and its reason stands in
// the same object's "missing": {"power_watts": "not_supported"}.
#pragma once
#include <span>
#include <string>

#include "api/caller.h"
#include "base/error.h"
#include "model/world.h"

namespace estiva::api {

class Residents;

// {"schema":"estiva/gpu/1","simulated":..,"source":..,"driver":{..},"sampled_at":..,"stale":..,
//  "gpus":[..]}
std::string gpu_json(const World& world);

// {"schema":"estiva/status/1",..,"checks":[{"name":"gpu_status",..}],"host":{..},"gpus":[..],
//  "leases":[..]}; with residents also "on_battery" and "models", as in models_json()
std::string status_json(const World& world, const Residents* residents = nullptr);

// {"schema":"estiva/containers/1","engine":{..} or null,"containers":[..]}
std::string containers_json(const World& world);

// {"schema":"estiva/leases/1","leases":[..]}
std::string leases_json(const World& world);

// Only those for which `shown` says true, one a lease of the World.
std::string leases_json(const World& world, const std::vector<bool>& shown);

// {"schema":"estiva/self/1","pid":..,"container":..,"gpus":[..],"leases":[..]}: a client of the
// lease socket as the daemon sees it.
std::string self_json(const World& world, const Caller& caller, const std::vector<bool>& own);

// {"schema":"estiva/error/1","error":{"kind":..,"message":..,"remedy":..}}
std::string error_json(const Error& error);

// What the gpu_status check says: OK, WARN, DEGRADED, UNHEALTHY or UNKNOWN, with its reason.
struct Check {
  std::string name, state, reason, remedy;
};
Check gpu_status(const World& world);

}  // namespace estiva::api
