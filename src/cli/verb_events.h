// estiva events: the daemon's journal, a line each record, and what is added to it.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_events(Session& session, const Arguments& args);

}  // namespace estiva::cli
