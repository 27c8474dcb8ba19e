// Processes by identity: a pid is given to another process after its owner is gone, so a process
// is pid + start time + boot (the model's Holder). Thread-safe; each call is a few system calls.
#pragma once
#include <cstdint>
#include <string>
#include <sys/types.h>

#include "base/error.h"
#include "host/files.h"
#include "model/lease.h"
#include "model/reading.h"

namespace estiva::host {

// Clock ticks between boot and the start of the process; not_found where there is no such process.
Result<std::uint64_t> start_ticks_of(const Root& root, pid_t pid);

// The identity of a process that runs now. `boot_id` as read_boot_id gives it.
Result<Holder> identify(const Root& root, pid_t pid, const std::string& boot_id);

enum class HolderState : std::uint8_t {
  alive,
  dead,     // gone, or a zombie, or its pid is another process's, or of an earlier boot
  unknown,  // procfs could not be read: never taken for dead
};
HolderState check_holder(const Root& root, const Holder& holder, const std::string& boot_id);

// A descriptor that becomes readable when the process ends: opened first, then the identity is
// checked, so that it can't be a later process of the same pid. not_found when it is dead already.
// Bigger than RLIMIT_NOFILE allows: an error; poll check_holder then.
Result<UniqueFd> watch_holder(const Root& root, const Holder& holder, const std::string& boot_id);
// Has the process behind this pidfd ended? Does not block.
bool has_ended(int pidfd);

// "python3", from comm; empty where it can't be read.
std::string name_of(const Root& root, pid_t pid);
// The cgroup path that counts for memory; empty where it can't be read.
std::string cgroup_of(const Root& root, pid_t pid);

}  // namespace estiva::host
