// Runs a Plan: every precondition first, then each step with its journal record before the effect.
// Blocking, one at a time on a machine (the journal's lock). A crash anywhere leaves a run that can
// be continued, or undone exactly (undo.h).
#pragma once
#include <string>

#include "act/machine.h"
#include "act/report.h"
#include "base/error.h"
#include "model/plan.h"

namespace estiva::act {

struct ApplyOptions {
  std::string shown_hash;  // of the plan that a person agreed to; empty: of this one
  OnStep on_step;
};

// Can it be done as shown? Changes nothing. Refused: something has changed since the plan was made,
// or a step can't be done here. The sentence names the first reason and how many more there are.
Result<void> check_plan(const Machine& machine, const Plan& plan);

// `journal` is the journal's folder. A Failure means that nothing was changed: refused (exit 5)
// where a precondition does not hold, the hash is another one, an earlier run was interrupted, or
// another process is at it. Once the first step has begun there is a report; its `error` says why
// it stopped.
Result<RunReport> apply(const Machine& machine, const std::string& journal, const Plan& plan,
                        const ApplyOptions& options = {});

// Goes on with a run that a crash or a failure cut off, where what it left is as it was before or
// after the step at which it stopped; refused otherwise, and then the undo is what is left.
Result<RunReport> continue_run(const Machine& machine, const std::string& journal,
                               const std::string& run, const OnStep& on_step = {});

}  // namespace estiva::act
