// estiva key: who may use the models through the gateway from beyond this machine's own users.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_key(Session& session, const Arguments& args);

}  // namespace estiva::cli
