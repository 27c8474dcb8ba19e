// The displays of a machine as sysfs shows them: who drives which card, and what keeps it awake.
// Wakes nothing: a sleeping card's configuration space is not read.
#pragma once
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

// NVIDIA's display and bridge devices (NVSwitches are bridges) and the displays of others, by bus
// id; at most kMostDevices.
inline constexpr std::size_t kMostDevices = 256;
std::vector<PciFact> read_pci(const Tree& tree);
bool has_nvswitch(const std::vector<PciFact>& pci);

}  // namespace estiva::observe
