// Files that are mounted in a container and are gone from the host: what an upgrade of the driver
// leaves in the containers that ran meanwhile.
#pragma once
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

// Looks at /proc/PID/mountinfo of each container that runs. A file that was replaced counts as
// well: the container has the one that was removed.
void find_gone_mounts(const Tree& tree, std::vector<ContainerFact>& containers);

}  // namespace estiva::observe
