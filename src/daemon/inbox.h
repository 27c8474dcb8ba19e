// The way back to the loop from a thread that may outlive it (a read of a disk that hangs).
#pragma once
#include <functional>
#include <mutex>

#include "net/loop.h"

namespace estiva::daemon {

// Thread-safe. Shared by the daemon and the jobs of its worker.
class Inbox {
 public:
  explicit Inbox(net::Loop* loop) : loop_(loop) {}
  // Runs `work` on the loop; drops it once the inbox is closed.
  void post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) loop_->post(std::move(work));
  }
  // To be called before the loop goes.
  void close() {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

 private:
  std::mutex mutex_;
  net::Loop* loop_;
};

}  // namespace estiva::daemon
