// estiva notify test: a notification that is sent now.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_notify(Session& session, const Arguments& args);

}  // namespace estiva::cli
