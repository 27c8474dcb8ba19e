// What is known of the machine apart from its GPUs.
#pragma once
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "model/reading.h"

namespace estiva {

struct HostMemory {
  Bytes total, available, free, cached, dirty, shmem;
  Bytes swap_total, swap_free;
  friend bool operator==(const HostMemory&, const HostMemory&) = default;
};

// One line pair of /proc/pressure/*: shares of wall time (0..1) over 10, 60 and 300 s.
struct PressureLine {
  Ratio avg10, avg60, avg300;
  std::uint64_t total_us = 0;
  friend bool operator==(const PressureLine&, const PressureLine&) = default;
};
struct Pressure {
  Reading<PressureLine> some, full;
  friend bool operator==(const Pressure&, const Pressure&) = default;
};

struct Disk {
  std::string role;  // "root" | "docker" | "models"
  std::string path;
  std::string filesystem;
  Bytes total, used, available;
  Ratio used_ratio;  // used / (used + available), as df prints it
  friend bool operator==(const Disk&, const Disk&) = default;
};

struct SwapArea {
  std::string path;
  std::string type;  // "file" | "partition"
  Bytes size, used;
  int priority = 0;
  friend bool operator==(const SwapArea&, const SwapArea&) = default;
};

struct ProcessUse {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // since boot; pid + start_ticks defeats PID reuse
  std::string name;
  Reading<Ratio> cpu;  // of one core; 2.0 is two cores
  Bytes resident;
  friend bool operator==(const ProcessUse&, const ProcessUse&) = default;
};

struct HostSample {
  SteadyTime read_at;
  unsigned cores = 0;
  Reading<Ratio> cpu;  // busy share of all cores since the previous sample
  Reading<double> load1;
  Reading<HostMemory> memory;
  Pressure cpu_pressure, memory_pressure, io_pressure;
  std::vector<Disk> disks;
  std::vector<SwapArea> swaps;
  std::vector<ProcessUse> top_cpu, top_memory;  // at most 20 each, largest first
  std::string cgroup_layout;                    // "v1" | "v2" | "hybrid" | "none"
  friend bool operator==(const HostSample&, const HostSample&) = default;
};

}  // namespace estiva
