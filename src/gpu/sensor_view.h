// What the sensor last said, as an immutable value: readers share it, nobody changes it.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "gpu/tiers.h"
#include "model/gpu.h"

namespace estiva::gpu {

struct SensorView {
  DriverStatus driver;
  std::vector<Gpu> gpus;       // ordered by index, MIG instances after their GPU
  SteadyTime read_at;          // when the last answered read was SENT (nothing in it is older than
                               // that, for the tiers it asked); {0} before the first answer
  Tiers tiers;                 // what that read asked for
  std::uint64_t sequence = 0;  // counts published views, from 1
};
using SensorViewPtr = std::shared_ptr<const SensorView>;

struct SensorOptions {
  // The estiva-sensor program; empty: the one beside the running program (/proc/self/exe), then
  // in ../libexec/estiva beside it.
  std::string program;
  // A library instead of the loader's libnvidia-ml.so.1; skips the look at /proc and /sys.
  std::string nvml_file;
  // Where /proc and /sys are ("/" or the root of a recorded host).
  std::string root = "/";
  // What `source` says to users: "nvml", "simulated" (nvml_file is the simulator), "recorded".
  std::string source = "nvml";
  // The recorded machine's folder; only for source "recorded".
  std::string machine;
  // Whether the sensor listens for XIDs (Sensor::on_xids()).
  bool listens = false;
  // Whether the sensor times each question (read_series()).
  bool measures = false;
  std::chrono::milliseconds interval{1000};      // of the 1 Hz tier; at least 50 ms
  std::chrono::milliseconds start_limit{15000};  // for loading and initialising the driver
  std::chrono::milliseconds reap_limit{2000};    // from SIGKILL to STUCK
};

}  // namespace estiva::gpu
