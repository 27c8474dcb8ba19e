// Which programs of this machine can be reached on its loopback, and by which port.
#pragma once
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

#include "host/files.h"

namespace estiva::host {

struct Listener {
  std::uint16_t port = 0;
  bool is_v6_only_loopback = false;
  pid_t pid = 0;                     // 0: this user may not see whose it is
  std::string name;                  // of the process; empty likewise
  std::vector<std::string> command;  // its words, at most 4096 bytes; empty likewise
};

// By port, each once. Looks at the descriptors of at most 4,096 processes. Blocking. Errors:
// /proc/net/tcp can't be read.
Result<std::vector<Listener>> read_listeners(const Root& root);

}  // namespace estiva::host
