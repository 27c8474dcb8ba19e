// The descriptors of this process, for cleaning up after a library that is gone: driver 580.159.04
// was seen to leave one behind each time it is initialised and unloaded (docs/benchmarks.md).
#pragma once
#include <cstddef>
#include <vector>

namespace estiva::gpu {

// All that are open now, ordered. Empty where /proc can't be read.
std::vector<int> open_descriptors();
// Closes those that are not in `known`, but never stdio, and nothing when `known` is empty; returns
// how many. Only where no other code of the process may have opened any since `known` was taken.
std::size_t close_all_but(const std::vector<int>& known);

}  // namespace estiva::gpu
