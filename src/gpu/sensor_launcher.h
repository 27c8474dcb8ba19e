// Starting the sensor as a process. Separate from the rest so that a test can stand in for a
// process that can't be reaped.
#pragma once
#include <functional>
#include <string>
#include <utility>

#include "base/error.h"
#include "gpu/sensor_policy.h"
#include "gpu/sensor_view.h"

namespace estiva::gpu {

// An owned descriptor.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor();
  int get() const { return fd_; }
  int take() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

struct Launched {
  int pid = 0;
  Descriptor socket;  // our end, SEQPACKET, non-blocking
  Descriptor ended;   // readable once the process has ended: a pidfd
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
