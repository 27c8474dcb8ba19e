// Does CUDA start? cuInit of the driver's library is called in a process of its own (the sensor
// program with a hidden word), because it may hang or crash; both are results. It would wake a GPU
// that sleeps: the caller does not ask then.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "model/reading.h"

namespace estiva::gpu {

struct CudaProbe {
  std::string program;  // the sensor program; empty: where it usually is
  std::string library = "libcuda.so.1";
  // cuInit of eight GPUs without persistence was seen to take seconds (reference: nvmlInit does).
  std::chrono::milliseconds limit{5'000};
};

struct CudaAnswer {
  // What cuInit returned; not_supported: there is no such library; unresponsive: no answer in time;
  // failed: it crashed, or the library has no cuInit.
  Reading<int> init;
  Reading<unsigned> compute_mode;  // the strictest of any GPU: CUcomputemode, 0 is default
  friend bool operator==(const CudaAnswer&, const CudaAnswer&) = default;
};

CudaAnswer probe_cuda(const CudaProbe& probe);

// In the child: asks the library and prints what parse_cuda_answer reads. Its exit code.
int answer_cuda_probe(const std::string& library);
// "init 0\nmode 0\n"; also what a host tree's file `cuda` says.
CudaAnswer parse_cuda_answer(std::string_view text);

}  // namespace estiva::gpu
