// Which lease a process on a GPU belongs to: its holder, or an ancestor that is a holder. Evidence
// only, read from procfs; the ledger is told nothing it could not show. Loop thread only; costs one
// small read a process and generation, remembered for as long as the process lives.
#pragma once
#include <map>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "decide/placement/readings.h"
#include "host/files.h"
#include "model/lease.h"

namespace estiva::daemon {

class Owners {
 public:
  explicit Owners(const host::Root& root) : root_(root) {}

  // An entry for each of `gpus`' processes that procfs shows.
  std::vector<decide::ProcessOwner> find(const std::vector<Gpu>& gpus,
                                         std::span<const Lease> leases);

 private:
  struct Seen {
    std::uint64_t start_ticks = 0;
    pid_t parent = 0;
  };
  struct Known {
    std::uint64_t start_ticks = 0;
    std::string lease;
    std::uint64_t round = 0;
  };
  std::optional<Seen> look(pid_t pid) const;
  std::string lease_of(pid_t pid, Seen seen) const;

  const host::Root& root_;
  std::map<pid_t, const Lease*> holders_;  // of the call under way
  // A process stays its lease's after its parent ended and init adopted it.
  std::map<pid_t, Known> known_;
  std::uint64_t round_ = 0;
};

}  // namespace estiva::daemon
