// The machine as doctor, verify, setup and cdi see it: gathered and judged once for a verb.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "model/finding.h"
#include "model/readiness.h"
#include "observe/readiness/collect.h"

namespace estiva::cli {

// --root, --nvml, --machine, --docker.
observe::ReadinessSources readiness_sources(const Arguments& args);
Result<ReadinessFacts> readiness_of(const Arguments& args);
// Without the start of CUDA, which can take seconds, for what does not judge it.
Result<ReadinessFacts> readiness_without_cuda(const Arguments& args);

}  // namespace estiva::cli
