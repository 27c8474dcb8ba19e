// estiva replay: makes the journal's decisions again, or shows a recorded machine from its first
// reading to its last.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_replay(Session& session, const Arguments& args);

}  // namespace estiva::cli
