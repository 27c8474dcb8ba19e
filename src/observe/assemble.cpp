#include "observe/assemble.h"

namespace estiva::observe {
namespace {

// There is nothing to read, so nothing can be out of date.
bool has_nothing_to_read(DriverState state) {
  return state == DriverState::absent || state == DriverState::no_driver ||
         state == DriverState::no_library;
}

}  // namespace

bool is_stale(SteadyTime read_at, SteadyTime now, Nanoseconds interval) {
  return read_at.ns == 0 || now - read_at > 2 * interval;
}

World assemble(Sources sources) {
  World world;
  world.node_id = std::move(sources.node_id);
  world.boot_epoch = sources.boot_epoch;
  world.sequence = sources.sequence;
  world.wall = sources.wall;
  world.made_at = sources.now;
  world.simulated = sources.simulated;
  if (sources.gpus) {
    world.driver = sources.gpus->driver;
    world.gpus_read_at = sources.gpus->read_at;
    world.gpus = sources.gpus->gpus;
  }
  world.stale = !has_nothing_to_read(world.driver.state) &&
                is_stale(world.gpus_read_at, sources.now, sources.interval);
  if (sources.host) world.host = *sources.host;
  world.leases = std::move(sources.leases);
  world.overcommitted = std::move(sources.overcommitted);
  return world;
}

}  // namespace estiva::observe
