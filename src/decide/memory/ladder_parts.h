// The rungs of the ladder, for ladder.cpp.
#pragma once
#include <string>

#include "decide/memory/ladder.h"

namespace estiva::decide::memory {

// One decision while it is being made.
struct Climb {
  LadderState& state;
  const LadderSettings& settings;
  const LadderLook& look;
  Ladder out;
};

// Bytes that are wanted within the horizon and not there; 0: nothing is short.
std::uint64_t deficit_of(const Climb& climb);
bool is_in_force(const Climb& climb, LeverKind kind);
std::string rate_text(double bytes_a_second);
std::string process_text(unsigned processes);

void climb_memory(Climb& climb);   // ladder_memory.cpp
void climb_weights(Climb& climb);  // ladder_weights.cpp: CPU and disks by pressure
void let_go(Climb& climb);

}  // namespace estiva::decide::memory
