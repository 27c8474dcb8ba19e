// The machine around the driver: its release, its firmware's and SELinux' word, and whether it is a
// machine at all or a container or WSL.
#pragma once
#include "observe/readiness/tree.h"

namespace estiva::observe {

HostRelease read_release(const Tree& tree);

// Fills command_line, secure_boot, overcommit_memory, selinux, container_use_devices,
// device_boolean, in_container, container_manager, in_wsl, is_tegra, root_fs, has_dxg and
// cgroup_layout.
void read_system(const Tree& tree, KernelFacts& kernel);

// ID, VERSION_ID and ID_LIKE of os-release(5).
HostRelease parse_release(std::string_view text);

}  // namespace estiva::observe
