// /proc/self/mountinfo and /proc/swaps. Paths carry blanks, tabs, newlines and backslashes as octal
// escapes (\040); they are undone here.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/host.h"

namespace estiva::format {

struct Mount {
  std::uint64_t id = 0, parent = 0;
  std::string root;        // what of the file system is mounted: "/" or a sub-tree (bind mount)
  std::string point;       // where
  std::string filesystem;  // "ext4", "nfs4", "cgroup2"
  std::string source;      // "/dev/sda1", "server:/export"
  std::string super_options;
  friend bool operator==(const Mount&, const Mount&) = default;
};
constexpr std::size_t kMaxMounts = 16384;
// Lines that are not understood are left out; at most kMaxMounts are kept.
std::vector<Mount> parse_mountinfo(std::string_view text);
// The mount that `path` (absolute, no "..") lies on: the longest point that is a prefix of it, and
// of equal ones the last, which covers the others. nullptr when there is none.
const Mount* mount_of(const std::vector<Mount>& mounts, std::string_view path);
// True for file systems that can hang when their server is away (nfs, cifs, fuse.sshfs, ...).
bool is_network_filesystem(std::string_view filesystem);

// At most 64 areas. The kernel's MAX_SWAPFILES is below 32.
std::vector<SwapArea> parse_swaps(std::string_view text);
std::string undo_octal_escapes(std::string_view text);

}  // namespace estiva::format
