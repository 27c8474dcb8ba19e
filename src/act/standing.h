// How what a step did stands now: undo and status ask the same.
#pragma once
#include "act/run_log.h"
#include "act/steps.h"

namespace estiva::act {

enum class Standing : std::uint8_t {
  as_before,  // nothing to undo
  as_after,   // as the step left it
  changed,    // by somebody else since
};

struct Stand {
  Standing is = Standing::as_before;
  Found now;
  State after;  // as the step left it; for one that was cut off: as far as it is known
};

// `known` has an intent. Errors: what is there can't be read.
Result<Stand> stand_of(const Machine& machine, const Step& step, const StepLog& known);

// Does a later step of the plan act on the same thing?
bool is_touched_again(const Plan& plan, const std::vector<StepLog>& known, std::size_t i);

}  // namespace estiva::act
