// Names of CDI devices for GPUs and MIG instances, against those of the host. Source of the forms:
// NVIDIA's container toolkit (pkg/nvcdi, device namers): "0", "GPU-...", "gpu0"; "0:1", "MIG-...",
// "mig0:1".
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/driver_files.h"

namespace estiva::decide {

// "/dev/nvidia3": 3; nothing for any other path.
std::optional<unsigned> gpu_minor_of(std::string_view path);

struct GpuNameVerdict {
  std::string fault;               // a sentence; empty: nothing is wrong with it
  const DriverGpu* gpu = nullptr;  // the whole GPU that it names, where it names one
};

// Names of other forms ("all"), and anything where no GPU is known, have neither fault nor GPU. A
// UUID is only missed where those of all GPUs are known.
GpuNameVerdict judge_gpu_name(std::string_view name, std::span<const DriverGpu> gpus);

}  // namespace estiva::decide
