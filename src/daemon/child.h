// A program run to its end beside the loop: its input is a text that is known, what it prints is
// kept up to a bound, and it has a time limit. Loop thread only; nothing here blocks.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/loop.h"

namespace estiva::daemon {

struct ChildRun {
  std::vector<std::string> command;      // looked up in PATH; never through a shell
  std::vector<std::string> environment;  // "NAME=VALUE", beside ours
  std::string input;
  std::chrono::milliseconds limit{15'000};  // then SIGKILL, to it and those it started
};

// How it ended: nothing for exit code 0. Errors: failed (exit code, signal; with the last line that
// it printed), timed_out, not_found (no such program).
using ChildDone = std::function<void(Result<void>)>;

// Starts it. `done` is called on the loop, once, after this returned; dropping the handle kills the
// program and forgets `done`.
std::shared_ptr<void> run_child(net::Loop& loop, ChildRun run, ChildDone done);

}  // namespace estiva::daemon
