#include "gpu/sensor_server.h"

#include "base/messages/gpu.h"

namespace estiva::gpu {
namespace {

// How often to look for a driver that is not there: cheap (a few files of /sys), and never more
// often than this whatever the daemon asks.
constexpr Nanoseconds kLookAgain = std::chrono::seconds(2);

}  // namespace

SensorServer::SensorServer(std::unique_ptr<Backend> backend, std::function<void(Outbox&)> flush)
    : backend_(std::move(backend)), flush_(std::move(flush)) {}

void SensorServer::try_to_open(const Request& request, SteadyTime now) {
  if (tried_ && now - tried_at_ < kLookAgain) return;
  if (!tried_) {
    snapshot_.driver.reason = std::string(msg::kGpuInitialising);
    outbox_.add_state(request.id, snapshot_.driver);
    flush_(outbox_);
  }
  tried_ = true;
  tried_at_ = now;
  backend_->open(snapshot_);
  // Said at once: from here on a read has a 1 Hz deadline and no longer the one for starting.
  sent_driver_ = snapshot_.driver;
  outbox_.add_state(request.id, snapshot_.driver);
  if (snapshot_.is_readable()) flush_(outbox_);
}

void SensorServer::read(const Request& request, SteadyTime now) {
  Tiers tiers = request.tiers;
  if (!released_ && !snapshot_.is_readable()) {
    try_to_open(request, now);
    tiers = Tiers::all();
  }
  snapshot_.costs = {};
  if (snapshot_.is_readable()) backend_->read(tiers, snapshot_);
  if (snapshot_.driver != sent_driver_) outbox_.add_state(request.id, snapshot_.driver);
  sent_driver_ = snapshot_.driver;
  const bool is_new = snapshot_.inventory != sent_inventory_;
  if (is_new) outbox_.add_inventory(request.id, snapshot_.gpus);
  sent_inventory_ = snapshot_.inventory;
  outbox_.add_samples(request.id, snapshot_.gpus, is_new || lists_processes(tiers));
  if (is_new || tiers.has(Tier::slow)) outbox_.add_wear(request.id, snapshot_.gpus);
}

bool SensorServer::handle(const Request& request, SteadyTime now) {
  switch (request.kind) {
    case Kind::read:
      read(request, now);
      break;
    case Kind::release:
      backend_->close();
      released_ = true;
      snapshot_.driver.state = DriverState::released;
      snapshot_.driver.reason = std::string(msg::kGpuReleased);
      snapshot_.driver.remedy = std::string(msg::kGpuReleasedRemedy);
      break;
    case Kind::reacquire:
      released_ = false;
      tried_ = false;
      snapshot_.driver = {};
      break;
    default:
      return false;
  }
  if (request.kind != Kind::read) outbox_.add_state(request.id, snapshot_.driver);
  if (request.kind == Kind::read) outbox_.add_calls(request.id, snapshot_.calls);
  outbox_.add_done(request.id, snapshot_.costs);
  flush_(outbox_);
  return true;
}

}  // namespace estiva::gpu
