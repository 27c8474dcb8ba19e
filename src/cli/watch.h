// Repeating a report: --watch, --interval and --seconds.
#pragma once
#include <chrono>
#include <functional>

#include "cli/arguments.h"
#include "cli/session.h"

namespace estiva::cli {

// Calls `report` once, or with --watch (or --seconds) at every --interval until --seconds are over,
// the reader of stdout is gone, or SIGINT or SIGTERM comes: both end it with the last report's
// code. On a terminal each report replaces the one before; in a pipe an empty line parts them.
// An error ends it.
Result<int> repeat(Session& session, const Arguments& args, std::chrono::nanoseconds interval,
                   const std::function<Result<int>()>& report);

}  // namespace estiva::cli
