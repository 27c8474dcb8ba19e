// Makes Worlds and shows them around: one for each change that readers should see, at most 20 a
// second, the newest always. Keeps the history. Loop thread only.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "gpu/sensor_view.h"
#include "model/world.h"
#include "net/loop.h"

namespace estiva::observe {
class History;
}

namespace estiva::daemon {

class Keeper;
class Notifier;

class Publisher {
 public:
  struct Facts {
    std::string node_id;
    std::uint64_t boot_epoch = 0;
    bool simulated = false;
    Nanoseconds interval{std::chrono::seconds(1)};
    bool history = true;
  };
  // `notifier`: null where nobody is to be told anything.
  Publisher(net::Loop& loop, Facts facts, const Keeper& keeper, const Notifier* notifier = nullptr);
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // `host_follows`: a look at the machine is under way, which takes a millisecond or two; the view
  // is shown together with it, and at the next tick should it not come.
  void take_gpus(gpu::SensorViewPtr view, bool host_follows = false);
  void take_host(std::shared_ptr<const HostSample> sample);
  void leases_changed();
  // Whether the kernel log is listened to, once that was tried.
  void kernel_log_opened(Result<void> opened);

  // A container changed, or the engine's own state.
  void containers_changed(EngineStatus engine, Containers containers);

  // The newest there is: a reader that was told of a change sees it, even between two publications.
  WorldPtr world();
  // What was shown last.
  WorldPtr published() const { return published_; }
  // Call it at every interval: shows how old everything has become where nothing arrives any more.
  void tick();
  Reading<HostMemory> host_memory() const;
  net::Notice& changed() { return changed_; }
  const observe::History* history() const { return history_.get(); }
  // Wakes whoever waits for a World, for the last time.
  void end_streams() { changed_.notify_all(); }

  static constexpr std::chrono::milliseconds kShortestGap{50};

 private:
  void soon();
  void publish();
  void rebuild();

  net::Loop& loop_;
  Facts facts_;
  const Keeper& keeper_;
  const Notifier* notifier_;
  net::Notice changed_;
  std::unique_ptr<observe::History> history_;
  std::optional<Result<void>> kernel_log_;
  EngineStatus engine_;
  Containers containers_;
  gpu::SensorViewPtr gpus_;
  std::shared_ptr<const HostSample> host_;
  WorldPtr world_, published_;
  std::uint64_t sequence_ = 0;
  bool outdated_ = true;  // something changed since world_ was made
  SteadyTime published_at_;
  SteadyTime host_read_at_;  // or when waiting for the first began
  std::shared_ptr<void> delayed_;
};

}  // namespace estiva::daemon
