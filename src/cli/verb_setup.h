// estiva setup plan | apply | status | undo: GPUs in containers, also after a reboot.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_setup(Session& session, const Arguments& args);

}  // namespace estiva::cli
