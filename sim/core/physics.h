// Load, heat, power and clocks of one card.
#pragma once
#include "sim/core/state.h"

namespace estiva::sim {

// What follows at once from the load, at `seconds` of simulated time; `processes` is the sum of
// the processes' own utilisation in percent.
void refresh(Gpu& gpu, double seconds, double processes);
// One step of 0.1 s of warming and of energy; `decay` is heat_decay(), worked out once.
void heat_step(Gpu& gpu, double decay);
double heat_decay();

}  // namespace estiva::sim
