// The kernels that are installed, and what of NVIDIA's modules each of them has.
#pragma once
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

// By release, the newest last; at most kMostKernels, of which the newest and the running one.
inline constexpr std::size_t kMostKernels = 16;
std::vector<KernelFact> read_kernels(const Tree& tree);

// "6.1.0-9" is older than "6.1.0-18": runs of digits are numbers.
bool is_older_release(std::string_view left, std::string_view right);

}  // namespace estiva::observe
