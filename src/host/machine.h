// What identifies and describes the machine as a whole: boot, node, cgroup layout, Docker's folder.
#pragma once
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "host/files.h"

namespace estiva::host {

// /proc/sys/kernel/random/boot_id. Where it is hidden (some containers): "btime-<seconds>".
Result<std::string> read_boot_id(const Root& root);

// A stable UUID of this machine that does not give its machine-id away: UUID version 5 of
// /etc/machine-id (as machine-id(5) asks: never show it raw). Without one, of the host name.
std::string read_node_id(const Root& root);

// "v2", "v1", "hybrid" (v1 controllers and a v2 tree beside them) or "none".
std::string detect_cgroup_layout(const Root& root);
// Where the memory controller's files are: "/sys/fs/cgroup" or "/sys/fs/cgroup/memory"; empty where
// there is none.
std::string memory_cgroup_mount(const Root& root);

// `setting` if it is given; else data-root of /etc/docker/daemon.json; else /var/lib/docker.
std::string docker_root(const Root& root, const std::string& setting);

// When a record of the kernel log was written: printk's clock does not count what the machine
// slept, ours does. Right to that, and never later than now.
SteadyTime time_of_printk(std::uint64_t microseconds);

}  // namespace estiva::host
