// estiva run: a command with a lease that begins before it and ends with it.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_run(Session& session, const Arguments& args);

}  // namespace estiva::cli
