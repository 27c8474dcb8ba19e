// A control group (v2) of one engine's own, below estivad's: membership that no process of the
// engine leaves by forking or changing its session, and one write that kills them all. Where none
// may be made (no v2 tree, not delegated to us), process_tree.h has the other way. Blocking, but
// no disk is asked.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/unique_fd.h"
#include "host/files.h"

namespace estiva::engines {

// A group is its folder and the folder's inode: a later group of the same name is another one.
struct ControlGroup {
  std::string folder;  // "/sys/fs/cgroup/system.slice/estiva.service/model-xtts-1f00c2"
  std::uint64_t inode = 0;
  friend bool operator==(const ControlGroup&, const ControlGroup&) = default;
};

// A new one, empty. nullopt: none may be made here, or `root` is not this machine's. Empty ones
// that an earlier daemon left beside it are removed.
std::optional<ControlGroup> make_control_group(const host::Root& root, std::string_view name);
// What the group of a model is called: its name as far as it may stand in a path, and its mark.
std::string group_name(std::string_view model, std::string_view mark);
// Its folder, for host::fork_into(). Empty: it is gone, or is another one by now.
UniqueFd open_control_group(const ControlGroup& group);
// False: it can't be put there, and stays where it is.
bool put_into(const ControlGroup& group, pid_t pid);
// All of it, with the groups below. nullopt: the group is gone, or is another one by now.
std::optional<std::vector<pid_t>> members_of(const ControlGroup& group);
// SIGKILL to all of them at once. False where the kernel can't (before 5.14) or the group is gone.
bool kill_members(const ControlGroup& group);
// This user may kill_members() of it from now on. False: the kernel refuses.
bool let_kill(const ControlGroup& group, uid_t user);
// Was that given to this user? Not for a folder that only looks like a group.
bool may_kill(const ControlGroup& group, uid_t user);
// Only an empty group can be removed: false where it has members, or had one a moment ago.
bool remove_control_group(const ControlGroup& group);

}  // namespace estiva::engines
