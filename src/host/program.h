// A program that is run to its end within a limit, and never left behind.
#pragma once
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace estiva::host {

struct ProgramAnswer {
  std::string output;  // of its standard output
  int exit_code = 0;   // only where `signal` is 0
  int signal = 0;      // that ended it
  std::string errors;  // of its standard error, where that is kept
};

struct ProgramLimits {
  std::chrono::milliseconds time{1'000};
  std::size_t output = 1 << 20;  // bytes, of each
  bool cuts_output = false;      // what is more is dropped; else it is an error
  bool keeps_errors = false;
  // It changes the machine and is to end what it began, also where we are killed meanwhile: its
  // words go into memory without an end, and not into a pipe that would kill it.
  bool outlives_us = false;
  std::vector<std::string> environment = {};  // empty: ours
};

// Runs words[0] (a path, or a name on PATH) with no input, in a process group of its own. At its
// end, or at the limit, the whole group is killed. A process that even then does not end (it hangs
// in the kernel) is left to init. Errors: not_found, timed_out, failed. Thread-safe, blocking.
Result<ProgramAnswer> ask_program(const std::vector<std::string>& words,
                                  const ProgramLimits& limits = {});

// The last line of what a program said, at most so many bytes of it; safe for a terminal.
std::string last_line(std::string_view said, std::size_t most);

}  // namespace estiva::host
