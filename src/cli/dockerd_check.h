// Docker's own opinion of a daemon.json, before it stands where Docker reads it.
#pragma once
#include "base/error.h"
#include "cli/plan_run.h"
#include "model/plan.h"
#include "model/readiness.h"

namespace estiva::cli {

// Asks 'dockerd --validate', with the flags that Docker is started with, about the text of each
// step that writes its daemon.json. Errors: refused, with what dockerd says. No opinion: a machine
// in a folder, no dockerd on PATH, one older than 23.0, which has no such flag, and one that does
// not answer within 10 s. Blocking.
Result<void> check_with_dockerd(const PlanMachine& where, const ReadinessFacts& facts,
                                const Plan& plan);

}  // namespace estiva::cli
