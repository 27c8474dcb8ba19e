// Which container a process on a GPU is in, by its control group: read once a process, since a
// process stays where it was started. Loop thread only.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "decide/placement/readings.h"
#include "host/files.h"
#include "model/container.h"
#include "model/xid.h"

namespace estiva::daemon {

class Whereabouts {
 public:
  explicit Whereabouts(const host::Root& root) : root_(root) {}

  // Those of `processes` that are in a container, by pid. Of nested containers the
  // innermost that the engine knows is taken, else the innermost.
  std::vector<ProcessContainer> find(const std::vector<decide::ProcessOwner>& processes,
                                     const Containers& known);

 private:
  struct Place {
    std::uint64_t start_ticks = 0;
    std::uint64_t round = 0;
    std::vector<std::string> ids;  // the innermost first; empty: in no container
    std::string runtime;
    bool rootless = false;
  };
  Place look(pid_t pid) const;

  const host::Root& root_;
  std::map<pid_t, Place> places_;
  std::uint64_t round_ = 0;
};

// Fills in container and victim of a report from its process, which may have ended: then the
// process itself is the victim.
void whose_work(XidReport& report, const host::Root& root, const Containers& known);

}  // namespace estiva::daemon
