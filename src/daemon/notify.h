// Tells systemd how the daemon is doing, when systemd started it: the datagram protocol of
// sd_notify(3), which its manual page calls stable and simple enough to be implemented without
// libsystemd (docs/decisions says why we do). Without NOTIFY_SOCKET every call does nothing.
#pragma once
#include <chrono>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace estiva::daemon {

// Sends e.g. "READY=1\nSTATUS=3 GPUs". Errors: the socket is named but can't be reached.
Result<void> notify(std::string_view state);

// Half of WatchdogSec, the interval at which "WATCHDOG=1" is due; zero where none is asked for.
std::chrono::microseconds watchdog_interval();

// Descriptors passed by socket activation (LISTEN_FDS, LISTEN_FDNAMES), and the variables removed
// from the environment so that children don't take them for theirs. Call once, at start.
struct PassedSocket {
  int fd = -1;
  std::string_view name;  // lives as long as the process
};
std::vector<PassedSocket> take_passed_sockets();

}  // namespace estiva::daemon
