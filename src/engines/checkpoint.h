// CUDA's checkpoint of an engine's processes, asked for by the loop: the driver is called in the
// helper program estiva-checkpoint, which is killed when it hangs.
//
// Loop thread only; nothing blocks.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "model/lease.h"
#include "net/loop.h"

namespace estiva::engines {

// What decides whether a model may be checkpointed. Sources of the conditions: NVIDIA's
// cuda-checkpoint README, and its issues 39, 42, 51 and 56.
struct CheckpointFacts {
  bool is_wanted = false;  // ModelSpec::may_checkpoint
  std::string driver;      // "570.86.15"; empty: not known
  std::string machine;     // as uname(2): "x86_64"
  bool is_on_mig = false;
  bool uses_managed_memory = false;  // where it is known
  bool shares_memory = false;        // CUDA IPC between its processes, where it is known
  // What the last trial with this engine and driver gave; empty text: it went well.
  std::optional<std::string> trial;
};
enum class CheckpointGate {
  closed,
  trial,  // nothing speaks against it, and it has not been tried: freeze and thaw once first
  open,
};
struct CheckpointVerdict {
  CheckpointGate gate = CheckpointGate::closed;
  std::string why;  // a sentence, where it is closed
};
CheckpointVerdict may_checkpoint(const CheckpointFacts& facts);

struct CheckpointSettings {
  std::string program;                   // the path of estiva-checkpoint
  std::string library = "libcuda.so.1";  // by the ordinary rules of the loader
  std::chrono::milliseconds lock_limit{10'000};
  // For all of it. 80 GB at the 5 GB/s of the plain path are 16 s (cuda-checkpoint issue 29);
  // others had to allow 3 min (modal-client PR 3835).
  std::chrono::milliseconds limit{180'000};
};

class Checkpoint {
 public:
  Checkpoint(net::Loop& loop, CheckpointSettings settings);

  // All processes of an engine, with their descendants, off their GPUs and into RAM, or back. In a
  // thaw the same processes as in the freeze, in the same order.
  //
  // Errors: refused: it is as it was before. no_room (thaw): GPU memory was taken meanwhile; it
  // stays frozen. failed and timed_out: its state is not known, or is FAILED: kill it and start it
  // anew.
  net::Awaitable<Result<void>> freeze(std::vector<Holder> unit);
  net::Awaitable<Result<void>> thaw(std::vector<Holder> unit);

 private:
  net::Awaitable<Result<void>> run(std::string verb, std::vector<Holder> unit);
  net::Loop& loop_;
  CheckpointSettings settings_;
};

}  // namespace estiva::engines
