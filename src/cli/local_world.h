// The World without a daemon: one reading by this process, through a sensor that is started for it.
#pragma once
#include "base/error.h"
#include "cli/arguments.h"
#include "gpu/sensor_view.h"
#include "model/world.h"

namespace estiva::cli {

struct LocalSources {
  std::string nvml_file;   // a library instead of the loader's
  std::string root = "/";  // where /proc and /sys are
  std::string machine;     // a recorded machine
};

// How a sensor is started for them.
gpu::SensorOptions sensor_options(const LocalSources& from);

// True where --nvml, --root or --machine says that the caller wants these and no daemon.
bool names_sources(const Arguments& args);
LocalSources sources_of(const Arguments& args);

enum class HostPart {
  never,            // GPUs only: the quick path of `gpu`
  without_gpu,      // memory and disk only where there is no GPU to show
  with_cpu_shares,  // everything; two samples 150 ms apart, so that CPU shares are known
};

// Blocks for at most a few seconds, whatever the driver does; a driver that can't be read is in the
// World's driver state. Errors: the root can't be opened, the sensor's program is missing.
Result<World> read_local_world(const LocalSources& sources, HostPart host);

}  // namespace estiva::cli
