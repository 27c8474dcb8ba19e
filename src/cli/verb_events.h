// estiva events: the daemon's stream of Worlds, a line each.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_events(Session& session, const Arguments& args);

}  // namespace estiva::cli
