// One reading of every GPU without a daemon: starts a sensor, asks once, ends it. Blocking.
#pragma once
#include <chrono>
#include <functional>
#include <vector>

#include "base/error.h"
#include "gpu/backend.h"
#include "gpu/sensor_view.h"

namespace estiva::gpu {

// Never longer than `limit` (plus at most 50 ms for the sensor's end, which is then left to init):
// a driver that hangs or crashes takes the sensor with it, not the caller.
// A machine without GPU, driver or library is not an error: the view's driver state says so.
// Errors: timed_out (unresponsive driver), failed (no sensor program, sensor died).
Result<SensorView> read_once(const SensorOptions& options, Tiers tiers,
                             std::chrono::milliseconds limit);

// Readings one after the other from one sensor, `interval` from begin to begin, each no longer than
// `limit`; `on_view` sees each as it comes, and ends the series where it returns false; so does
// `wait`, which sleeps for a time between two of them. What the
// questions cost, where options.measures. Errors: as above; what on_view saw before stays valid.
Result<std::vector<CallCost>> read_series(const SensorOptions& options, Tiers tiers,
                                          std::chrono::milliseconds interval,
                                          std::chrono::milliseconds limit,
                                          const std::function<bool(const SensorView&)>& on_view,
                                          const std::function<bool(Nanoseconds)>& wait);

}  // namespace estiva::gpu
