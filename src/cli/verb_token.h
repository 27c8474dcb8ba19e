// estiva token: what a program needs to use the API over TCP.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_token(Session& session, const Arguments& args);

}  // namespace estiva::cli
