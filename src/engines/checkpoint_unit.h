// All processes of one engine moved off their GPUs, or back, as one: all or none. Blocking, and a
// call of the driver may hang for ever: only the helper program estiva-checkpoint does this.
#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "engines/cuda_checkpoint_abi.h"

namespace estiva::engines {

struct CheckpointLibrary {
  cuda::Init init = nullptr;
  cuda::GetState state = nullptr;
  cuda::GetRestoreThreadId restore_thread = nullptr;
  cuda::Lock lock = nullptr;
  cuda::Checkpoint checkpoint = nullptr;
  cuda::Restore restore = nullptr;
  cuda::Unlock unlock = nullptr;
};
// By dlopen, and cuInit: a restore wants that, or persistence mode. Errors (refused): no such
// library, one without these functions (a driver before 570), CUDA does not start.
Result<CheckpointLibrary> open_checkpoint_library(const std::string& name);

struct UnitProcess {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;  // one with another start is a stranger, and is not touched
};

enum class UnitEnd {
  done,       // frozen, or thawed
  unchanged,  // it is as it was: a freeze was rolled back, a thaw found no room
  broken,     // it is neither, and has to be killed
};
std::string_view to_name(UnitEnd end);  // "done", "unchanged", "broken"

struct UnitOutcome {
  UnitEnd end = UnitEnd::done;
  bool is_out_of_memory = false;  // GPU memory was taken meanwhile
  std::string why;                // a sentence, where it is not done
};

// What was called, as it is called: the verb, the process, the code.
using UnitReport = std::function<void(std::string_view verb, pid_t pid, int code)>;

// Locks all within `lock_limit` together, then checkpoints all. Processes without CUDA are left
// out; with none that uses CUDA it is unchanged. After a failure those that were locked are
// unlocked, and those that were checkpointed are restored, in reverse.
UnitOutcome freeze_unit(const CheckpointLibrary& driver, const std::vector<UnitProcess>& unit,
                        std::chrono::milliseconds lock_limit, const UnitReport& report);
// Restores all in reverse, then unlocks them. Where one can't be restored for want of memory, those
// that were are checkpointed again.
UnitOutcome thaw_unit(const CheckpointLibrary& driver, const std::vector<UnitProcess>& unit,
                      const UnitReport& report);

}  // namespace estiva::engines
