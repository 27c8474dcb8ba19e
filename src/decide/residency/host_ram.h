// How much RAM sleeping models may take together, so that they give way before the machine swaps.
// Pure.
#pragma once
#include "base/units.h"
#include "model/host.h"

namespace estiva::decide {

// Half of what is available and what they take already; and where less than the reserve (a
// twentieth of the RAM, at least 1 GiB) is available, so much less than they take now as is missing
// of it.
Bytes sleepers_budget(const HostMemory& memory, Bytes taken);

}  // namespace estiva::decide
