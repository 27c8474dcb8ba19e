// estiva status: the machine, its GPUs, their health and what is placed on them.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_status(Session& session, const Arguments& args);

}  // namespace estiva::cli
