// The list of coroutines that wait for one thing. A waiter sits in at most two lists (a notice and
// an exchange); whoever wakes it first decides what it is told.
#pragma once
#include <memory>
#include <vector>

#include "net/loop.h"

namespace estiva::net {

struct Waiter;

class WaiterList {
 public:
  void add(Waiter& waiter) { waiters_.push_back(&waiter); }
  void remove(Waiter& waiter);
  void wake_all(Wake why);
  std::size_t size() const { return waiters_.size(); }

 private:
  std::vector<Waiter*> waiters_;
};

struct Notice::Impl {
  Loop& loop;
  WaiterList waiters;
};

// Waits in up to two lists (either may be null) at most `most`.
Awaitable<Wake> wait_in(Loop& loop, WaiterList* first, WaiterList* second, Nanoseconds most);

}  // namespace estiva::net
