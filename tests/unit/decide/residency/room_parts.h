// Machines in a few words, for the tables of this folder.
#pragma once
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "residency/machine_room.h"

namespace estiva::residency_test {

using decide::Residency;
using decide::ResidencySettings;
using namespace decide::residency;

inline Behaviour loads_in(Nanoseconds load) {
  Behaviour behaviour;
  behaviour.load = load;
  return behaviour;
}

inline Behaviour sleeps_in(Nanoseconds sleep, Nanoseconds wake) {
  Behaviour behaviour;
  behaviour.can_sleep = true;
  behaviour.sleep = sleep;
  behaviour.wake = wake;
  behaviour.residue = mib(100);
  return behaviour;
}

// XTTS and F5 on the card of the seed.
inline MachineRoom seeds_card() {
  return MachineRoom({gib(4)}, {model("f5", gib(2)), model("xtts", mib(3500))},
                     {{"xtts", loads_in(seconds(3))}, {"f5", loads_in(seconds(2))}});
}

// Loads each and lets its quantum pass.
inline void bring_in(MachineRoom& room, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    room.ask(name);
    room.run_for(seconds(20));
  }
}

inline void expect_clean(const MachineRoom& room) {
  EXPECT_EQ(room.violations(), std::vector<std::string>{});
}

}  // namespace estiva::residency_test
