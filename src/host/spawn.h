// The start of another program, the same for all: signals as a fresh program has them, a process
// group of its own, and none of our descriptors but those that are handed on. Thread-safe.
#pragma once
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

// 0, or an errno value: ENOENT where there is no such program or folder. The caller reaps `pid`.
int spawn(const Spawn& what, pid_t& pid);

}  // namespace estiva::host
