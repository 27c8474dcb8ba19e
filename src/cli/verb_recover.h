// estiva recover: a GPU that containers have lost is brought back.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

// Exit code 0 where nothing is left to do, 3 where a person has to do something, 1 where containers
// could not be made again.
Result<int> run_recover(Session& session, const Arguments& args);

}  // namespace estiva::cli
