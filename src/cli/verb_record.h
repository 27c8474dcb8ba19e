// estiva record: a machine as it is, in a folder that can be looked at elsewhere.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_record(Session& session, const Arguments& args);

}  // namespace estiva::cli
