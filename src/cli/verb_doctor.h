// estiva doctor: what keeps GPUs out of containers, and what a pasted error means.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

// Exit code 1 with findings of severity error (with --explain-error: with any cause), else 0.
Result<int> run_doctor(Session& session, const Arguments& args);

}  // namespace estiva::cli
