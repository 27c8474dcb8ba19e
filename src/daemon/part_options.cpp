#include "daemon/part_options.h"

namespace estiva::daemon {

gpu::SensorOptions sensor_options(const DaemonOptions& options) {
  gpu::SensorOptions sensor;
  sensor.program = options.sensor_program;
  sensor.nvml_file = options.nvml_file;
  sensor.root = options.root;
  sensor.machine = options.machine;
  sensor.interval =
      std::chrono::duration_cast<std::chrono::milliseconds>(options.settings.daemon.interval);
  if (!options.machine.empty()) sensor.source = "recorded";
  if (options.simulated) sensor.source = "simulated";
  sensor.listens = options.machine.empty();
  return sensor;
}

decide::PlacementPolicy policy_of(const format::PlacementSettings& settings) {
  decide::PlacementPolicy policy;
  policy.margin = settings.margin;
  policy.context_allowance = settings.context_allowance;
  policy.foreign_window = settings.foreign_window;
  policy.desktop_window = settings.desktop_window;
  policy.desktop_reserve = settings.desktop_reserve;
  return policy;
}

decide::Choice choice_of(format::PlacementChoice choice) {
  switch (choice) {
    case format::PlacementChoice::automatic:
      return decide::Choice::by_gpu_count;
    case format::PlacementChoice::least_utilized:
      return decide::Choice::least_utilized;
    case format::PlacementChoice::pack:
      return decide::Choice::pack;
  }
  return decide::Choice::by_gpu_count;
}

}  // namespace estiva::daemon
