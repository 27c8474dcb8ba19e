// The processes of one engine: the one that we started and all that came of it, also those that
// left its session or lost their parent. Found by the control group where it has one; else by
// session, by descent and by a mark in the environment, which children inherit.
//
// A process number alone is never trusted: each one is held by a descriptor (pidfd) and compared
// with its start time before a signal goes to it. Blocking: without a control group all of /proc is
// looked through, some 10 us a process.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "engines/control_group.h"
#include "host/files.h"
#include "model/lease.h"

namespace estiva::engines {

// The variable of the mark.
inline constexpr std::string_view kMarkVariable = "ESTIVA_ENGINE_ID";

struct ProcessTree {
  Holder leader;
  std::string mark;  // unlike any other engine's, ever
  std::optional<ControlGroup> group;
};

struct Member {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  friend bool operator==(const Member&, const Member&) = default;
};

// Those that live at the moment; zombies are none. Of another boot: none.
std::vector<Member> members_of(const host::Root& root, const ProcessTree& tree,
                               const std::string& boot_id);
// `signal` to each that is still the process that it was. False: one is another user's, and lives.
bool signal_members(const host::Root& root, const std::vector<Member>& members, int signal);
// SIGKILL to all of it. Such as are born meanwhile are left: ask members_of() again.
void kill_tree(const host::Root& root, const ProcessTree& tree, const std::string& boot_id);

}  // namespace estiva::engines
