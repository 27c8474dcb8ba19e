// estiva assign, release, leases: placing models by the VRAM they need.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

Result<int> run_assign(Session& session, const Arguments& args);
Result<int> run_release(Session& session, const Arguments& args);
Result<int> run_leases(Session& session, const Arguments& args);

// "/api/v1/leases/NAME", with NAME encoded; as a query where NAME has a slash. With an id it means
// that lease only.
std::string lease_target(std::string_view name, std::string_view id = {});

}  // namespace estiva::cli
