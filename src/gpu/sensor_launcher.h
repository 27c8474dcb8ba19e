// Starting the sensor as a process. Separate from the rest so that a test can stand in for a
// process that can't be reaped.
#pragma once
#include <functional>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/unique_fd.h"
#include "gpu/sensor_policy.h"
#include "gpu/sensor_view.h"

namespace estiva::gpu {

struct Launched {
  int pid = 0;
  UniqueFd socket;  // our end, SEQPACKET, non-blocking
  UniqueFd ended;   // readable once the process has ended: a pidfd
};

using Launcher = std::function<Result<Launched>(const SensorOptions&)>;

// The sensor program: options.program, or the one beside this program, or in ../libexec/estiva.
std::string sensor_program(const SensorOptions& options);
// Starts it in a process group of its own, with no descriptors but stdio and its socket.
// Errors: failed (the program is missing or can't be run; no descriptors left).
Result<Launched> launch_sensor(const SensorOptions& options);
// Takes the ended process's status: "exit code 3". Nothing where it has not ended.
std::optional<Ending> reap(int pid);

}  // namespace estiva::gpu
