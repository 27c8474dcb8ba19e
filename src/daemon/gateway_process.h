// The gateway as a process of its own: started when none is there, started again after it ended,
// left alone where an earlier daemon's still runs (its streams go on). Without a command it is a
// service of its own, and only told of. Loop thread only.
#pragma once
#include <memory>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/unique_fd.h"
#include "net/loop.h"

namespace estiva::daemon {

class GatewayProcess {
 public:
  GatewayProcess(net::Loop& loop, std::vector<std::string> command)
      : loop_(loop), command_(std::move(command)) {}

  // One has connected: nothing has to be started. `pid` as it said.
  void came(pid_t pid) { connected_pid_ = pid; }
  // Nobody is connected any more.
  void went();
  // Starts one unless one connects within `patience`.
  void want(Nanoseconds patience);
  // TERM to the one that is connected or was started by us.
  void stop();

 private:
  void start();
  void ended();

  net::Loop& loop_;
  std::vector<std::string> command_;
  pid_t connected_pid_ = 0;
  pid_t child_ = 0;
  UniqueFd child_end_;
  std::shared_ptr<void> watch_;
  std::shared_ptr<void> timer_;
  Nanoseconds pause_{0};
  bool stopped_ = false;
};

}  // namespace estiva::daemon
