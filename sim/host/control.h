// What the control socket answers: each line of a client is a command, each answer ends in a line
// "ok", "out-of-memory" or "error: ...".
#pragma once
#include <string>
#include <string_view>

#include "sim/core/engine.h"

namespace estiva::sim {

struct Session {
  State& state;
  const Scenario& scenario;
  bool manual_clock = false;  // time moves only by "advance"
  bool quit = false;
};

// Does one line. Beside the commands of a scenario: state, stats, reset-stats, time, ooms, wakes,
// advance TIME, quit.
std::string answer(Session& session, std::string_view line);

}  // namespace estiva::sim
