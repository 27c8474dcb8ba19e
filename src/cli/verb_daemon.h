// estiva daemon: starts every program of estiva in the foreground, as the user who asked.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_daemon(Session& session, const Arguments& args);

}  // namespace estiva::cli
