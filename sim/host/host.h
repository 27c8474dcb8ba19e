// The sim host: keeps a machine's time, answers the control socket DIR/control, keeps the fake host
// tree and the fake kernel log in step, and frees what dead processes held.
#pragma once
#include <string>

#include "sim/core/scenario.h"

namespace estiva::sim {

struct HostOptions {
  std::string dir;
  std::string tree;           // empty: none
  bool manual_clock = false;  // time moves only by the command "advance"
  bool spawn = false;         // make every process of the scenario a real, sleeping child
  bool quiet = false;         // does not say that it is ready
  double seconds = 0;         // stop after this long; 0: at SIGTERM or "quit"
};

// Runs until told to stop; prints "ready DIR" when clients may come, unless quiet. Returns the exit
// code.
int run_host(Scenario scenario, const HostOptions& options);

// Sends one line to the host of `dir` and prints its answer: 0 ok, 1 refused or out of memory,
// 2 malformed, 4 no answer.
int run_control(const std::string& dir, const std::string& line);

}  // namespace estiva::sim
