// The event loop, without Asio's headers. One thread runs it; only post() and stop() may be called
// from other threads. Everything else in net/ must be used on the loop's thread.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>

#include "base/clock.h"

namespace boost::asio {
class io_context;
}

namespace estiva::net {

template <class T>
using Awaitable = boost::asio::awaitable<T>;

// How a wait ended.
enum class Wake { notified, timed_out, hung_up };

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs until stop() or until nothing is left to wait for. May be called again after it returned.
  void run();
  // Handles what is ready or becomes ready within `most`; returns whether anything ran. For tests.
  bool run_for(Nanoseconds most);
  // Thread-safe. run() returns soon; pending work stays and is dropped with the loop.
  void stop();
  // Thread-safe. Runs `work` on the loop's thread, after what is already queued.
  void post(std::function<void()> work);
  // Starts a coroutine on the loop. An exception that escapes it is logged and swallowed.
  void spawn(Awaitable<void> work);
  // Resumes after `time`.
  Awaitable<void> sleep(Nanoseconds time);
  // Calls `tick` every `period` until the returned handle is dropped. The first call comes one
  // period from now; late calls are not made up for.
  std::shared_ptr<void> every(Nanoseconds period, std::function<void()> tick);
  // Calls `ready` whenever `fd` is readable (level-triggered, also at end of file and on a pidfd
  // whose process ended) until the handle is dropped. The fd stays the caller's and must outlive
  // it.
  std::shared_ptr<void> on_readable(int fd, std::function<void()> ready);
  // Calls `caught` on the loop for each of the given signals, until the handle is dropped.
  std::shared_ptr<void> on_signals(std::initializer_list<int> signals,
                                   std::function<void(int)> caught);

  boost::asio::io_context& context() { return *context_; }

 private:
  std::unique_ptr<boost::asio::io_context> context_;
};

// What coroutines wait for: "a new World", "the batch is durable". Not counting: a notify with
// nobody waiting is lost, so check your condition first, then wait (nothing runs in between on the
// one thread of the loop). Loop thread only.
class Notice {
 public:
  explicit Notice(Loop& loop);
  ~Notice();  // wakes all who wait, as timed_out
  Notice(const Notice&) = delete;
  Notice& operator=(const Notice&) = delete;

  void notify_all();
  // Waits at most `most` (Nanoseconds::max(): for ever). Inside a handler use Exchange::wait, which
  // also ends when the client hangs up.
  Awaitable<Wake> wait(Nanoseconds most = Nanoseconds::max());
  std::size_t waiting() const;

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace estiva::net
