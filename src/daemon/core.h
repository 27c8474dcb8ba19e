// estivad itself: wires sensor, host sampler, store, ledger, history and API by hand, and owns the
// one loop. Everything here happens on that loop but for what store and Worker do on theirs.
#pragma once
#include <memory>
#include <string>

#include "base/error.h"
#include "daemon/options.h"

namespace estiva::daemon {

// Runs until SIGTERM, SIGINT or a failure to start. Returns when everything is shut down: no
// child left, driver handles given back, leases kept. Errors: what kept it from starting.
Result<void> run_daemon(const DaemonOptions& options);

}  // namespace estiva::daemon
