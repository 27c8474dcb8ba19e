// estiva simulate: the simulator's host in the foreground, for estiva and for other NVML programs.
#pragma once
#include "cli/arguments.h"

namespace estiva::cli {

// What is simulated where no scenario is named: a workstation with two GPUs.
inline constexpr std::string_view kDefaultScenario = "workstation-2";

Result<int> run_simulate(Session& session, const Arguments& args);

// Simulated GPUs beside real ones would mislead: `refused` where PCI (below `root`) shows an NVIDIA
// device or its driver is loaded.
Result<void> check_may_simulate(const std::string& root);

// Refuses when a simulator answers in `dir`: a second one there would take the first one's files.
Result<void> check_simulator_free(const std::string& dir);

}  // namespace estiva::cli
