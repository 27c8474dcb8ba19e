// Gathers what a recording holds: readings of the GPUs and of the machine side by side, what the
// container engine tells, and the kernel log's errors of GPUs. Blocking.
#pragma once
#include <chrono>
#include <functional>

#include "cli/local_world.h"
#include "observe/machine_recording.h"

namespace estiva::cli {

struct RecordOptions {
  LocalSources sources;
  std::chrono::milliseconds interval{1000};
  std::size_t readings = 3;
  std::string engine_host;  // of the container engine; empty: as always, "off": none is asked
  // After each reading, with how many there are.
  std::function<void(std::size_t)> on_reading;
  // Sleeps between two readings; false ends the recording with what there is.
  std::function<bool(Nanoseconds)> wait;
};

// Errors: there is no reading at all. What else can't be read is in `left_out` of the result.
Result<observe::MachineRecording> gather_recording(const RecordOptions& options);

}  // namespace estiva::cli
