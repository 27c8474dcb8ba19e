// What is seen to before the daemon begins.
#pragma once
#include "base/error.h"
#include "daemon/options.h"

namespace estiva::daemon {

// Raises the soft limit of open files as far as we need and may.
void allow_descriptors();
// Simulation never stands in for a real GPU. Errors: refused, where there is one.
Result<void> check_simulation(const DaemonOptions& options);

}  // namespace estiva::daemon
