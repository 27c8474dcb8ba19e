// estiva login: a link that lets one browser in, once. The daemon gives it over the control socket.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_login(Session& session, const Arguments& args);

}  // namespace estiva::cli
