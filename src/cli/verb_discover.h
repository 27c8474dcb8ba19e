// estiva models discover: finds models, and writes a configuration for them.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_discover(Session& session, const Arguments& args);

}  // namespace estiva::cli
