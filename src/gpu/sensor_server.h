// The sensor's side of the conversation: takes a request, fills the outbox with the answer. Knows
// when to look for a driver again, so that a machine that gets its driver later is read later.
#pragma once
#include <functional>
#include <memory>

#include "gpu/backend.h"
#include "gpu/wire.h"

namespace estiva::gpu {

class SensorServer {
 public:
  // `flush` sends what is in the outbox now: called before anything that may take long, so that
  // the daemon knows what the sensor is doing when it hangs there.
  SensorServer(std::unique_ptr<Backend> backend, std::function<void(Outbox&)> flush);

  // Answers one request. False: the request was to quit.
  bool handle(const Request& request, SteadyTime now);
  // Gives up the driver: nvmlShutdown and dlclose.
  void close() { backend_->close(); }
  const Snapshot& snapshot() const { return snapshot_; }

 private:
  void read(const Request& request, SteadyTime now);
  void try_to_open(const Request& request, SteadyTime now);

  std::unique_ptr<Backend> backend_;
  std::function<void(Outbox&)> flush_;
  Outbox outbox_;
  Snapshot snapshot_;
  bool released_ = false;
  bool tried_ = false;
  SteadyTime tried_at_;
  std::uint64_t sent_inventory_ = ~std::uint64_t{0};
  DriverStatus sent_driver_;
};

}  // namespace estiva::gpu
