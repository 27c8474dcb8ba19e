// A recorded machine from its first reading to its last: the Worlds that a daemon would have shown,
// with every time as it was then, so that each run gives the very same.
#pragma once
#include <functional>

#include "base/error.h"
#include "model/world.h"
#include "observe/machine_recording.h"

namespace estiva::cli {

// The folder is a whole recording, not only the GPUs' part of one.
bool is_recording(const std::string& dir);

// It holds at least readings of GPUs.
bool has_recorded_gpus(const std::string& dir);

// Calls `each` for every World in order, until it returns false.
void replay_worlds(const observe::MachineRecording& recording,
                   const std::function<bool(const World&)>& each);

// The last of them. Errors: as observe::read_machine().
Result<World> last_recorded_world(const std::string& dir);

}  // namespace estiva::cli
