// Control groups, v1 and v2, as text: /proc/PID/cgroup and the files of one group. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace estiva::format {

// One line "hierarchy:controllers:path". hierarchy 0 with no controllers is v2.
struct CgroupMembership {
  unsigned hierarchy = 0;
  std::string controllers;  // "cpu,cpuacct", "name=systemd" or empty
  std::string path;         // "/docker/<id>"
  friend bool operator==(const CgroupMembership&, const CgroupMembership&) = default;
};
// At most 64 lines; lines that are not understood are left out.
std::vector<CgroupMembership> parse_cgroup_memberships(std::string_view text);
// The path that counts for `controller` ("memory"): its v1 line if there is one, else the v2 line.
std::optional<std::string> cgroup_path_for(const std::vector<CgroupMembership>& lines,
                                           std::string_view controller);
// The container id (64 hex digits) in a cgroup path, in any of Docker's, containerd's, Podman's and
// Kubernetes' forms; the innermost one.
std::optional<std::string> container_id_of(std::string_view cgroup_path);

// All container ids in a path, the innermost first: Docker inside a container nests them.
std::vector<std::string> container_ids_of(std::string_view cgroup_path);
// A path down to the innermost container's own group. Ids can be made up by who may make groups
// somewhere; this can't: the path of another container's group is taken. Empty: in no container.
std::string_view container_group_of(std::string_view cgroup_path);
// The user below whose "user-UID.slice" a path lies, who may make groups of any name there.
std::optional<unsigned> slice_owner_of(std::string_view cgroup_path);
// Whose container it is, by the form of its path. Docker: "/docker/ID" (cgroupfs driver),
// ".../docker-ID.scope" (systemd driver). Podman: ".../libpod-ID.scope", "libpod-payload-ID",
// "/libpod_parent/libpod-ID". Kubernetes: below a "kubepods" group. containerd (nerdctl):
// "/default/ID", "nerdctl-ID.scope". Rootless ones live below "user.slice/user-UID.slice".
struct ContainerKind {
  std::string_view runtime;  // "docker", "podman", "kubernetes", "containerd"; empty: unknown
  bool rootless = false;
};
ContainerKind container_kind_of(std::string_view cgroup_path);

// memory.stat of v1 (the total_ lines are preferred: v1 counts children only there) or v2.
struct CgroupMemoryStat {
  std::optional<Bytes> anon, file, shmem, kernel;
  std::optional<std::uint64_t> refault_anon, refault_file, major_faults;
};
CgroupMemoryStat parse_cgroup_memory_stat(std::string_view text);
// memory.current, memory.usage_in_bytes, memory.max, memory.limit_in_bytes. "max" and the v1
// "no limit" value (about 2^63) are nullopt inside the value: known, and no limit.
struct CgroupAmount {
  std::optional<Bytes> bytes;  // nullopt: no limit
  friend bool operator==(const CgroupAmount&, const CgroupAmount&) = default;
};
std::optional<CgroupAmount> parse_cgroup_amount(std::string_view text);

// cpu.stat of v2 (everything) or v1 (throttling only), or cpuacct.usage of v1 (one number of
// nanoseconds: usage only).
struct CgroupCpu {
  std::optional<std::uint64_t> usage_us, throttled_us, throttled_periods;
};
std::optional<CgroupCpu> parse_cgroup_cpu(std::string_view text);

}  // namespace estiva::format
