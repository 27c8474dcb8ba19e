// A process that is started but waits before it runs its command, so that its number is known (and
// a lease can be bound to it) before it can touch a GPU. Whatever happens to us, it does not stay
// behind: while held it ends when we do, and afterwards it gets SIGTERM.
#pragma once
#include <csignal>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "base/error.h"

namespace estiva::cli {

using EnvironmentChanges = std::vector<std::pair<std::string, std::string>>;

class HeldChild {
 public:
  // Forks. The command is looked up in PATH when it is let go. `signals` is the mask the command
  // starts with. The caller must have one thread only.
  static Result<HeldChild> start(const std::vector<std::string>& command, const sigset_t& signals);
  HeldChild(HeldChild&& other) noexcept;
  HeldChild& operator=(HeldChild&&) = delete;
  ~HeldChild();  // kills and reaps it if it was not waited for

  pid_t pid() const { return pid_; }
  // Lets it run the command with these variables set. Returns once it runs; 0, or the errno with
  // which it could not be started (it is gone then).
  int let_go(const EnvironmentChanges& environment);
  // The exit status as a shell gives it (128 + n for signal n), or nullopt while it runs.
  std::optional<int> poll_exit();
  // Waits for its end.
  int wait_exit();

 private:
  HeldChild(pid_t pid, int go, int errors) : pid_(pid), go_(go), errors_(errors) {}
  pid_t pid_ = -1;  // -1: reaped, or moved from
  int go_ = -1, errors_ = -1;
};

}  // namespace estiva::cli
