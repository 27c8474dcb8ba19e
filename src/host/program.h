// A program that is asked one question: started, waited for within a limit, and never left behind.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"

namespace estiva::host {

struct ProgramAnswer {
  std::string output;  // of its standard output; what it says on the other one is dropped
  int exit_code = 0;   // only where `signal` is 0
  int signal = 0;      // that ended it
};

struct ProgramLimits {
  std::chrono::milliseconds time{1'000};
  std::size_t output = 1 << 20;  // bytes; more is an error
};

// Runs words[0] (a path, or a name on PATH) with no input, in a process group of its own, which is
// killed at the limit. A process that even then does not end (it hangs in the kernel) is left to
// init. Errors: not_found, timed_out, failed. Thread-safe, blocking.
Result<ProgramAnswer> ask_program(const std::vector<std::string>& words,
                                  const ProgramLimits& limits = {});

}  // namespace estiva::host
