// Many sources -> one immutable World. Pure: time arrives as a value.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "gpu/sensor_view.h"
#include "model/world.h"

namespace estiva::observe {

struct Sources {
  std::string node_id;
  std::uint64_t boot_epoch = 0;
  std::uint64_t sequence = 0;
  WallTime wall;
  SteadyTime now;
  bool simulated = false;
  Nanoseconds interval{std::chrono::seconds(1)};
  gpu::SensorViewPtr gpus;                 // may be null: nothing read yet
  std::shared_ptr<const HostSample> host;  // may be null
  std::vector<Lease> leases;
  std::vector<std::string> overcommitted;
};

// The GPU part is stale when it was read more than two intervals ago, or never while a driver is
// there to be read.
bool is_stale(SteadyTime read_at, SteadyTime now, Nanoseconds interval);
World assemble(Sources sources);

}  // namespace estiva::observe
