// Which of the driver's files are mounted, and where in the container. Part of generate.h.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "decide/cdi/generate.h"
#include "model/cdi.h"
#include "model/driver_files.h"

namespace estiva::decide {

enum class Capability : std::uint8_t { compute, utility, graphics, video, display };
// Of a library's file name. What is not known is compute: a new library of a new driver is more
// often needed than in the way.
Capability capability_of(std::string_view library);

// By container path, each of them once.
std::vector<CdiMount> driver_mounts(const DriverFiles& files, const CdiOptions& options);

// The multi-arch folder in which the mounts show libcuda.so.1; empty: none.
std::string linker_folder_of_libcuda(const std::vector<CdiMount>& mounts);

// /dev/dxg is there: the GPU is that of the Windows below, and everything of it lies in
// /usr/lib/wsl.
bool is_wsl(const DriverFiles& files);

}  // namespace estiva::decide
