// The driver in the kernel: what is loaded, with which parameters, and what the files that are read
// at the next boot say.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

// Fills modules, module_version, is_open_module, nvidia_params and majors.
void read_modules(const Tree& tree, KernelFacts& kernel);

// The lines about NVIDIA's modules and nouveau in the *.conf files of such folders, as modprobe(8)
// and modules-load.d(5) find them: a file hides those of its name in later folders. Comments are
// left out, continued lines are joined. At most kMostLines.
inline constexpr std::size_t kMostLines = 1024;
std::vector<SourceLine> read_modprobe_lines(const Tree& tree);
std::vector<SourceLine> read_load_lines(const Tree& tree);

// "Key: value" and "Key value" rows, as /proc/driver/nvidia/params has them.
std::map<std::string, std::string> parse_params(std::string_view text);
// "195 nvidia-frontend" rows of the character part of /proc/devices: by name.
std::map<std::string, unsigned> parse_majors(std::string_view text);

}  // namespace estiva::observe
