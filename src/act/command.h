// Other programs that a step needs (systemctl, modprobe), run to their end with a deadline.
// Blocking: for the command line and for estiva-actd, never for the loop.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"

namespace estiva::act {

struct Command {
  std::vector<std::string> words;           // looked up in PATH and the sbin folders; no shell
  std::chrono::milliseconds limit{30'000};  // then SIGKILL, to it and those it started
};

struct CommandEnd {
  int exit_code = 0;   // 128 + n for signal n
  std::string output;  // at most 64 KiB
  std::string errors;
};

class CommandRunner {
 public:
  virtual ~CommandRunner() = default;
  // Errors: not_found (no such program), timed_out, failed (it could not be started). A program
  // that ends with another code than 0 is no error here.
  virtual Result<CommandEnd> run(const Command& command) = 0;
};

class RealCommands final : public CommandRunner {
 public:
  Result<CommandEnd> run(const Command& command) override;
};

// "systemctl start docker.service", for sentences; safe for a terminal.
std::string shown(const Command& command);
// Runs it; another exit code than 0 is an error with the last line that it wrote.
Result<std::string> run_checked(CommandRunner& runner, const Command& command);

}  // namespace estiva::act
