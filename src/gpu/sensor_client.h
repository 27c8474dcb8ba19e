// The daemon's end of the sensor: starts estiva-sensor, asks it for readings, and replaces it when
// the driver hangs, crashes or changes under it. Nothing here waits for the driver: current() is
// always there at once, and a read ends at its deadline whatever the driver does.
//
// Threading: everything happens on the executor given to the constructor, which must not run two
// handlers at the same time. Construct, call and destroy it there.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "base/error.h"
#include "gpu/sensor_view.h"
#include "model/xid.h"

namespace estiva::gpu {

struct Launched;
// How the sensor is started; a test hands in its own (gpu/sensor_launcher.h has the real one).
using Launcher = std::function<Result<Launched>(const SensorOptions&)>;

class Sensor {
 public:
  Sensor(boost::asio::any_io_executor executor, SensorOptions options);
  Sensor(boost::asio::any_io_executor executor, SensorOptions options, const Launcher& launcher);
  ~Sensor();  // kills the sensor and forgets it; call stop() first for a clean end
  Sensor(const Sensor&) = delete;
  Sensor& operator=(const Sensor&) = delete;

  // Starts the sensor and reads the tiers that are due at every interval. `on_update` gets each
  // new view: a new sample, or a new driver state with the last sample. Call once.
  void start(std::function<void(SensorViewPtr)> on_update);

  // Gets the XIDs that the driver tells, within moments. Only with options.listens; call before
  // start().
  void on_xids(std::function<void(const std::vector<XidReport>&)> told);

  // The last view; never null, never waits. Before the first answer: state initialising, no GPUs.
  SensorViewPtr current() const;

  // A reading whose request is sent to the driver after this call was made (so that nothing in
  // it is older than the caller's question). Calls made while one is in flight share the next one.
  // Errors: timed_out after `limit` (the sensor is not disturbed by that: it has its own
  // deadline), refused while the driver can't be read (its state's sentence and remedy), failed
  // when the sensor died under the read. At most 4096 wait at a time; more are refused.
  boost::asio::awaitable<Result<SensorViewPtr>> read(Tiers tiers, std::chrono::milliseconds limit);

  // Gives up every driver handle and unloads the library, so that the kernel module can be
  // removed; the state becomes `released` until reacquire(). Both return at once.
  void release();
  void reacquire();

  // Asks the sensor to leave, kills it after a second, waits for it (at most reap_limit).
  // No update is published after stop() was called.
  boost::asio::awaitable<void> stop();

  // The running sensor's process id, 0 where none runs. For tests and `status`.
  int pid() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace estiva::gpu
