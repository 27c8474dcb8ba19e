// Which steps of a run still stand, and what somebody changed since. Reads only; needs no lock.
#pragma once
#include <string>

#include "act/machine.h"
#include "act/report.h"
#include "base/error.h"

namespace estiva::act {

// Errors: not_found, a damaged journal. What can't be looked at is a step's own failure.
Result<RunReport> status_of(const Machine& machine, const std::string& journal,
                            const std::string& run);

}  // namespace estiva::act
