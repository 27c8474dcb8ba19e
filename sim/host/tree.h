// A fake host tree: what procfs, sysfs and the kernel log of the simulated machine would say.
#pragma once
#include <string>

#include "sim/core/state.h"

namespace estiva::sim {

// Writes DIR/sys/bus/pci/devices/*, /sys/module/nvidia/version, /proc/driver/nvidia/*,
// /proc/modules, /dev/nvidia* (plain files) and /dev/kmsg.log (plain file). Files that hold what
// they should are not touched. Returns what went wrong, or nothing.
std::string write_tree(const std::string& dir, const State& state);
// Appends the kernel's line for each XID after `seen` to `file`; moves `seen`.
void write_kernel_log(const std::string& file, const State& state, std::uint64_t& seen);
// "NVRM: Xid (PCI:0000:01:00): 79, ..." as the driver writes it.
std::string xid_line(const Gpu& gpu, unsigned code);

}  // namespace estiva::sim
