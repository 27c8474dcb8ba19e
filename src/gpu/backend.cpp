#include "gpu/backend.h"

#include <array>

namespace estiva::gpu {
namespace {

// `simulated` is the real back end on the simulator's library: the same code, another name.
constexpr std::array<BackendRow, 3> kBackends = {{
    {"nvml", make_nvml_backend},
    {"simulated", make_nvml_backend},
    {"recorded", make_recorded_backend},
}};

}  // namespace

std::unique_ptr<Backend> make_backend(const BackendOptions& options) {
  for (const BackendRow& row : kBackends) {
    if (row.source == options.source) return row.make(options);
  }
  return nullptr;
}

}  // namespace estiva::gpu
