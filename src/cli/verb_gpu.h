// estiva gpu: every GPU, from the daemon or read by this process.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_gpu(Session& session, const Arguments& args);

}  // namespace estiva::cli
