// What placement is told about reality. Everything arrives as a value: the GPUs as the sensor read
// them, which lease each GPU process belongs to, and when that read was begun. Nothing here reads
// the machine.
#pragma once
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/clock.h"
#include "model/gpu.h"
#include "model/host.h"

namespace estiva::decide {

// Who a process on a GPU belongs to. The daemon makes one for every GPU process it finds in procfs:
// `lease` is the id of the lease whose holder is this process or an ancestor of it, and empty where
// there is none. A GPU process without an entry is one that procfs does not show (it is dead, or in
// another PID namespace).
struct ProcessOwner {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::string lease;
};

// A GPU that is too ill for new shares, and the sentence that says so.
struct UnfitGpu {
  std::string device;  // DeviceId::key()
  std::string why;
};

struct Readings {
  // When the read was ASKED FOR. A request that arrived later may not be decided on it (I2).
  SteadyTime begun_at;
  DriverStatus driver;
  std::vector<Gpu> gpus;
  std::vector<ProcessOwner> owners;  // any order; at most one entry a pid
  std::vector<UnfitGpu> unfit;
  // Only looked at for unified-memory GPUs whose driver gives no memory figures of its own.
  Reading<HostMemory> host_memory;
};

}  // namespace estiva::decide
