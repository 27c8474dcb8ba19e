// What the daemon's options and settings mean for the parts that it is made of.
#pragma once
#include "daemon/options.h"
#include "decide/placement/request.h"
#include "gpu/sensor_view.h"

namespace estiva::daemon {

gpu::SensorOptions sensor_options(const DaemonOptions& options);
decide::PlacementPolicy policy_of(const format::PlacementSettings& settings);
decide::Choice choice_of(format::PlacementChoice choice);

}  // namespace estiva::daemon
