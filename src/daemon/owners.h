// Which lease a process on a GPU belongs to: its holder, or an ancestor that is a holder. Evidence
// only, read from procfs; the ledger is told nothing it could not show. Loop thread only; a look at
// a process costs one small read, and one more a generation the first time.
#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/clock.h"
#include "decide/placement/readings.h"
#include "host/files.h"
#include "model/lease.h"

namespace estiva::daemon {

class Owners {
 public:
  explicit Owners(const host::Root& root) : root_(root) {}

  // How far an earlier look may be believed. `every_one`: not at all, each process is looked at
  // again, so that a reused number is never taken for the process before it; what a grant is
  // decided on needs this. `new_ones`: for what is shown each second; a process known by its number
  // is looked at again when kTrustedFor has passed since the last look at all, or when the leases'
  // holders have changed.
  enum class Look { every_one, new_ones };
  static constexpr std::chrono::seconds kTrustedFor{10};

  // An entry for each of `gpus`' processes that procfs shows, or showed when it was last looked at.
  // `now` is the time of the reading that lists them.
  std::vector<decide::ProcessOwner> find(const std::vector<Gpu>& gpus,
                                         std::span<const Lease> leases, Look look, SteadyTime now);

 private:
  struct LeaseHolder {
    std::uint64_t start_ticks = 0;
    std::string lease;
    bool operator==(const LeaseHolder&) const = default;
  };
  struct Seen {
    std::uint64_t start_ticks = 0;
    pid_t parent = 0;
  };
  struct Known {
    std::uint64_t start_ticks = 0;
    std::string lease;
    std::uint64_t round = 0;
    bool shown = false;  // procfs has it
  };
  std::optional<Seen> look_at(pid_t pid) const;
  std::string lease_of(pid_t pid, Seen seen) const;

  const host::Root& root_;
  std::map<pid_t, LeaseHolder> holders_;
  // A process stays its lease's after its parent ended and init adopted it.
  std::map<pid_t, Known> known_;
  std::uint64_t round_ = 0;
  std::optional<SteadyTime> looked_at_all_;
};

}  // namespace estiva::daemon
