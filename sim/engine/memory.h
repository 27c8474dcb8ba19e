// GPU memory of the stand-in engine: the simulated machine's where ESTIVA_SIM_DIR names one, a real
// GPU's through the CUDA driver otherwise. One owner, one thread.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace estiva::sim {

class GpuMemory {
 public:
  virtual ~GpuMemory() = default;
  // Takes so many bytes on the card that CUDA_VISIBLE_DEVICES names first, else on card 0. Empty:
  // done; else what the driver says, "CUDA out of memory" among it.
  virtual std::string take(std::uint64_t bytes) = 0;
  virtual void give_back() = 0;
};

// Nothing of a GPU is there: null, and `why` says it.
std::unique_ptr<GpuMemory> open_memory(std::string& why);

}  // namespace estiva::sim
