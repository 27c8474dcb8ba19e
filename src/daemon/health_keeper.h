// Keeps the judgement of the GPUs' health: feeds it with readings and XIDs, writes down what
// changed and what has to outlive the daemon. Loop thread only.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "daemon/health_memory.h"
#include "decide/health/changes.h"
#include "decide/health/tracker.h"
#include "format/notification.h"
#include "gpu/sensor_view.h"
#include "store/store.h"

namespace estiva::daemon {

class HealthKeeper {
 public:
  struct Parts {
    store::Store& store;
    std::string boot_id;
    decide::HealthPolicy policy;
    std::function<void()> changed;  // publish soon
    // Tells the outside; `key` names what became another.
    std::function<void(const std::string& key, format::Notification)> notify;
  };
  explicit HealthKeeper(Parts parts);

  // What an earlier daemon knew. Before the first reading.
  void recall(const HealthMemory& memory) { tracker_.recall(memory.gpus, memory.xids); }
  // Writes it down where it changed, at most every few seconds; `at_once`: now.
  void remember(std::uint64_t kernel_log_read, bool at_once = false);

  void observe(const gpu::SensorView& view);
  // An error by number that the driver told. True: it is new and not from the past, so a reading of
  // the slow figures may say more.
  bool take_xid(const XidReport& report);
  // A person says that what is wrong with a device is over. Errors: not_found where nothing is.
  Result<void> forget(const std::string& device);

  const std::vector<GpuHealth>& health() const { return tracker_.health(); }
  std::vector<GpuXids> xids() const { return tracker_.xids(); }

 private:
  void journal(const std::string& subject, std::string text);
  // Journals what became another since the last call.
  void tell_changes();
  void tell_driver(const DriverStatus& driver);
  void notify(const std::string& key, HealthState state, std::string subject, std::string text,
              std::string remedy);
  std::string name_of(const std::string& device) const;

  Parts parts_;
  decide::HealthTracker tracker_;
  std::vector<GpuHealth> told_;              // as it was when changes were told last
  std::map<std::string, unsigned> indexes_;  // of the devices that are or were listed
  DriverState told_driver_ = DriverState::initialising;
  std::uint64_t remembered_ = 0;  // HealthTracker::changes() as it was written down last
  SteadyTime remembered_at_;
  std::map<std::pair<std::string, unsigned>, SteadyTime> xids_journalled_;  // by slot and number
};

}  // namespace estiva::daemon
