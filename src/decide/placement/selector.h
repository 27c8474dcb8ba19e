// Which GPU is meant by what a person wrote: "0", "GPU-1d2c...", "GPU-1d" or "MIG-...".
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "decide/placement/account.h"

namespace estiva::decide {

inline bool is_auto(std::string_view gpu) {
  return gpu.empty() || gpu == "auto";
}

// The accounts that `name` may mean: one where it is clear, none where nothing is called so,
// several where a prefix is too short. A number is an index and never a prefix.
std::vector<std::uint32_t> find_gpus(const std::vector<GpuAccount>& accounts,
                                     std::string_view name);

}  // namespace estiva::decide
