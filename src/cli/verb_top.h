// estiva top: GPUs and the processes on them, once, or live until it is ended.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_top(Session& session, const Arguments& args);

}  // namespace estiva::cli
