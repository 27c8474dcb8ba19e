// The few processes that matter here, found by name in one walk over /proc.
#pragma once
#include <string>
#include <sys/types.h>
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

struct FoundProcess {
  pid_t pid = 0;
  std::string name;
};
// dockerd, nvidia-persistenced, nv-fabricmanager and nvidia-cuda-mps-control, by pid. The kernel
// cuts names to 15 bytes: so are these.
std::vector<FoundProcess> find_processes(const Tree& tree);
bool is_running(const std::vector<FoundProcess>& processes, std::string_view name);

struct ProcessDetail {
  std::string program;                 // its file; empty: not to be read
  std::vector<std::string> arguments;  // without the program's own name
  std::vector<std::string> environment;
  bool environment_known = false;  // only its own user and root may read it
  uid_t uid = 0;
  std::vector<gid_t> gids;           // its own and the others
  Reading<std::int64_t> started_at;  // seconds of the Unix epoch
};
ProcessDetail read_process(const Tree& tree, pid_t pid);
// The value in "NAME=value" entries; empty where there is none.
std::string value_of(const std::vector<std::string>& environment, std::string_view name);

}  // namespace estiva::observe
