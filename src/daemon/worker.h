// One thread for work that may block (procfs, disks that hang). It takes one job at a time; while
// one runs, another is refused, so a hung disk costs a thread and never a queue.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace estiva::daemon {

class Worker {
 public:
  Worker();
  // Waits for the job under way at most `kPatience`, then leaves the thread behind: a read of a
  // dead network mount must not keep the daemon from ending.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False while the last job still runs.
  bool try_run(std::function<void()> job);

  static constexpr std::chrono::milliseconds kPatience{500};

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> job;
    bool running = false;
    bool ending = false;
    bool ended = false;
  };
  static void serve(const std::shared_ptr<State>& state);
  std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace estiva::daemon
