// One immutable picture of the machine. Built by observe/, owned by the loop, handed to readers as
// shared_ptr<const World>; nobody changes one after it was published.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/gpu.h"
#include "model/host.h"
#include "model/lease.h"

namespace estiva {

struct World {
  std::string node_id;
  std::uint64_t boot_epoch = 0;
  std::uint64_t sequence = 0;
  WallTime wall;
  SteadyTime made_at;
  bool simulated = false;
  bool stale = false;  // the GPU part is older than two intervals
  DriverStatus driver;
  SteadyTime gpus_read_at;
  std::vector<Gpu> gpus;
  HostSample host;
  std::vector<Lease> leases;
  std::vector<std::string> overcommitted;  // device keys in the named state of invariant I8
};

using WorldPtr = std::shared_ptr<const World>;

}  // namespace estiva
