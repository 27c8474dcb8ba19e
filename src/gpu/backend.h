// A source of GPU readings, as the sensor sees it: three verbs. What exists is a table.
// Lives in the sensor process: any call may hang or crash there, and nowhere else.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gpu/tiers.h"
#include "model/gpu.h"
#include "model/xid.h"

namespace estiva::gpu {

// What one question to the driver about one device cost since it was opened.
struct CallCost {
  std::string call;          // "nvmlDeviceGetPowerUsage"
  std::uint32_t device = 0;  // its place in Snapshot::gpus
  int code = 0;              // the driver's last answer; 0: success
  std::uint64_t count = 0;
  Nanoseconds total{0}, longest{0};
  friend bool operator==(const CallCost&, const CallCost&) = default;
};

// The back end's picture of the machine, changed in place by open() and read().
struct Snapshot {
  DriverStatus driver;
  std::vector<Gpu> gpus;        // at most kMaxDevices (sensor_protocol.h)
  std::uint64_t inventory = 0;  // counts changes of `gpus`' identities, order or number
  TierCosts costs{};            // of the last read()
  std::vector<CallCost> calls;  // only where BackendOptions::measures
  bool is_readable() const { return can_place(driver.state); }
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Takes hold of the driver; afterwards driver.state says how it went. Fills identities.
  virtual void open(Snapshot& snapshot) = 0;
  // Reads these tiers of every device. Only after open() left the snapshot readable; a driver that
  // went away changes driver.state and closes the back end by itself.
  virtual void read(Tiers tiers, Snapshot& snapshot) = 0;
  // Gives up every handle and mapping. open() may follow.
  virtual void close() = 0;
};

struct BackendOptions {
  std::string source = "nvml";
  std::string nvml_file, root = "/", machine;
  // Nothing but the back end opens descriptors in this process (the sensor): what an unloaded
  // library left behind is closed.
  bool owns_process = false;
  // Each question is timed, for a recording.
  bool measures = false;
  // Gets XIDs as they happen, on a thread of the back end's; returns false where it can't take them
  // now. Empty: nobody listens.
  std::function<bool(const std::vector<XidReport>&)> on_xids = {};
};

struct BackendRow {
  std::string_view source;
  std::unique_ptr<Backend> (*make)(const BackendOptions&);
};

// nullptr for a source that no row names.
std::unique_ptr<Backend> make_backend(const BackendOptions& options);

// The rows' makers.
std::unique_ptr<Backend> make_nvml_backend(const BackendOptions& options);
std::unique_ptr<Backend> make_recorded_backend(const BackendOptions& options);

}  // namespace estiva::gpu
