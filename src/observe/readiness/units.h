// systemd's units as its files have them (systemd.unit(5)): the main file of highest precedence,
// the drop-ins of all folders, links that enable, and masks. No bus is asked.
#pragma once
#include <string>
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

// The units that matter for GPUs in containers (docker, containerd, podman, nvidia-*, estiva*, any
// whose file in /etc or /run speaks of them), and, from them on, what they name: the graph in which
// an ordering cycle would be. By name; at most kMostUnits.
inline constexpr std::size_t kMostUnits = 256;
std::vector<UnitFact> read_units(const Tree& tree);

// The units that a unit's text orders itself by or pulls in.
std::vector<std::string> units_named_in(std::string_view text);

}  // namespace estiva::observe
