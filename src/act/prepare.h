// A Plan as its maker wrote it, made ready to be shown: against the machine as it is now.
#pragma once
#include "act/machine.h"
#include "base/error.h"
#include "model/plan.h"

namespace estiva::act {

// Leaves out the steps whose outcome is there already, and those that only a running system can
// take where the machine is a tree in a folder. Notes what each file must still hold when the step
// runs (Step::expects) and how it will differ, and seals the plan with its hash. Without anything
// to do the plan has no steps. Changes nothing. Errors: what is there can't be read; what a
// generator would write can't be made; refused where a file is not what its maker read (a
// Step::expects that is set already).
Result<void> prepare(const Machine& machine, Plan& plan);

}  // namespace estiva::act
