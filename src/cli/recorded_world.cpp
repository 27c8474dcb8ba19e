#include "cli/recorded_world.h"

#include <unistd.h>

#include "decide/health/tracker.h"

namespace estiva::cli {

bool is_recording(const std::string& dir) {
  return ::access((dir + "/recording.json").c_str(), F_OK) == 0;
}

bool has_recorded_gpus(const std::string& dir) {
  return ::access((dir + "/" + gpu::kRecordingFile).c_str(), F_OK) == 0;
}

void replay_worlds(const observe::MachineRecording& recording,
                   const std::function<bool(const World&)>& each) {
  decide::HealthTracker health;
  std::size_t next_xid = 0;
  for (std::size_t i = 0; i < recording.gpus.readings.size(); ++i) {
    World world = observe::world_at(recording, i);
    const SteadyTime now = world.gpus_read_at;
    while (next_xid < recording.xids.size() && recording.xids[next_xid].at <= now) {
      const XidReport& report = recording.xids[next_xid++];
      health.observe_xid(report, report.at);
    }
    health.observe(world.driver, world.gpus, now);
    world.health = health.health();
    world.xids_known = true;
    world.xids = health.xids();
    world.kernel_log_read = true;
    if (!each(world)) return;
  }
}

Result<World> last_recorded_world(const std::string& dir) {
  const auto recording = observe::read_machine(dir);
  if (!recording) return Failure(recording.error());
  World last;
  replay_worlds(*recording, [&last](const World& world) {
    last = world;
    return true;
  });
  return last;
}

}  // namespace estiva::cli
