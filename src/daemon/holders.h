// Watches the processes that leases live and die with: a pidfd each, so that a death is noticed at
// once and another process that gets the same pid later is never mistaken for the holder. Loop
// thread only.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "host/files.h"
#include "model/lease.h"
#include "net/loop.h"

namespace estiva::daemon {

class Holders {
 public:
  // `died` is called with a lease's id, from the loop, never from inside watch().
  Holders(net::Loop& loop, const host::Root& root, std::string boot_id,
          std::function<void(const std::string&)> died);

  // Starts watching the lease's holder; a lease without one is not watched.
  void watch(const Lease& lease);
  void forget(const std::string& lease_id);
  // Looks at those that no descriptor could be had for (RLIMIT_NOFILE). Call it at every tick.
  void poll();

 private:
  struct Watch {
    UniqueFd pidfd;
    std::shared_ptr<void> handle;
  };
  void report(const std::string& lease_id);

  net::Loop& loop_;
  const host::Root& root_;
  std::string boot_id_;
  std::function<void(const std::string&)> died_;
  std::map<std::string, Watch> watches_;
  std::map<std::string, Holder> polled_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace estiva::daemon
