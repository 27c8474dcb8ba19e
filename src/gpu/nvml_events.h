// Listens for XIDs on a thread of its own, which spends its life inside the driver's wait: an error
// is told within moments, and the readings never wait for one. What happened before it listened is
// not told; the kernel log has that.
#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gpu/nvml_library.h"
#include "model/xid.h"

namespace estiva::gpu::nvml {

struct Watched {
  Handle handle = nullptr;
  std::string slot;  // pci_slot()
  friend bool operator==(const Watched&, const Watched&) = default;
};

class EventWatch {
 public:
  // Gets what happened since it was last called, one report for each GPU and number; returns false
  // where it could not take them, and gets them again. Called on the thread.
  using Tell = std::function<bool(const std::vector<XidReport>&)>;
  explicit EventWatch(Tell tell) : tell_(std::move(tell)) {}
  ~EventWatch() { stop(); }
  EventWatch(const EventWatch&) = delete;
  EventWatch& operator=(const EventWatch&) = delete;

  // Listens to these devices instead of those before. The handles must stay good until the next
  // call or stop(). Does nothing where the list is the same or the library has no events; returns
  // at once, and the thread follows within kTurn.
  void watch(const Functions& f, std::vector<Watched> devices);
  // Returns when the thread has left the driver: within kTurn, or never where the driver hangs.
  void stop();

  // How long the thread stays in one wait: how often an idle machine is woken for it.
  static constexpr std::chrono::milliseconds kTurn{500};

 private:
  class Listener;
  void run();
  bool is_current(unsigned generation);
  // Waits until stop() or a new list, at most `most`.
  void pause(Nanoseconds most, unsigned generation);

  Tell tell_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Under the mutex.
  const Functions* functions_ = nullptr;
  std::vector<Watched> devices_;
  unsigned generation_ = 0;  // counts lists
  bool stopping_ = false;
};

}  // namespace estiva::gpu::nvml
