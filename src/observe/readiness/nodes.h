// NVIDIA's device nodes as they are, whoever made them, and what a path is.
#pragma once
#include <string>
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

// /dev/nvidia*, /dev/nvidia-caps/* and /dev/nvidia-caps-imex-channels/*, character devices, by
// path.
std::vector<DeviceNode> read_nodes(const Tree& tree);
// "/dev/char/195:0" and the others of NVIDIA's majors.
std::vector<std::string> read_char_links(const Tree& tree, const KernelFacts& kernel);
// Nodes that CUDA needs and that are not there: nvidiactl, nvidia-uvm, and one for each GPU
// (`minors`). Empty where no module is loaded: then they can't be.
std::vector<std::string> missing_nodes(const KernelFacts& kernel,
                                       const std::vector<DeviceNode>& nodes,
                                       const std::vector<unsigned>& minors);
// Minor numbers of /proc/driver/nvidia/gpus/*/information.
std::vector<unsigned> read_minors(const Tree& tree);

HostPath read_host_path(const Tree& tree, const std::string& path);

}  // namespace estiva::observe
