// The start of another program, the same for all: signals as a fresh program has them, a process
// group of its own, and none of our descriptors but those that are handed on. Thread-safe.
#pragma once
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace estiva::host {

struct Handed {
  int ours = -1;  // -1: /dev/null
  int theirs = 0;
};

struct Spawn {
  std::vector<std::string> words;        // the first is a path, or a name on PATH
  std::vector<std::string> environment;  // "NAME=value"; empty: ours
  std::vector<Handed> handed;            // by rising number of theirs; what is above is closed
  std::string directory = {};            // to start it in; empty: ours
  bool own_session = false;              // no terminal is theirs and ours; else a process group
};

// As fork(2), but the child is born in the control group (v2) of this folder: to move it there
// afterwards takes the kernel 10 ms, since it waits for all processors. -1: it can't (before Linux
// 5.7, or the group is not ours). The child of a program with threads may call no more than after
// fork().
pid_t fork_into(int group_folder);
// spawn() with fork_into(): the first word has to be a path. nullopt: the kernel can't.
std::optional<int> spawn_into(int group_folder, const Spawn& what, pid_t& pid);

// 0, or an errno value: ENOENT where there is no such program or folder. The caller reaps `pid`.
int spawn(const Spawn& what, pid_t& pid);

}  // namespace estiva::host
