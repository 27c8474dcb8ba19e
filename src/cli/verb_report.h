// estiva report: one archive for a bug report, redacted, and listed before it is written.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_report(Session& session, const Arguments& args);

}  // namespace estiva::cli
