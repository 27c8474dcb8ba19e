// A recorded machine in the simulator's words (docs/simulator.md), so that other programs than
// estiva see its GPUs too: cards, processes, loads over time, and what each call cost. Pure.
#pragma once
#include <string>

#include "gpu/recording.h"

namespace estiva::observe {

// What the simulator has no word for is left out: the scenario says of itself what it shows.
std::string scenario_of(const gpu::GpuRecording& recording);

}  // namespace estiva::observe
