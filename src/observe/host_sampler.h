// Samples the machine: CPU, memory, pressure, disks, swap, and the processes that use most. Keeps
// the counters of the previous call to make shares of them. One object on one worker thread; every
// call blocks for as long as procfs and the disks take.
//
// Cost decides what is read when: the fast part is a handful of small files at every call, disks
// and swap areas come every 10 s, the process table (one file a process) as often as its own
// measured cost allows (next_process_scan).
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "host/files.h"
#include "model/host.h"

namespace estiva::observe {

constexpr std::size_t kTopProcesses = 20;
constexpr std::size_t kMaxProcesses = 32768;  // beyond: the rest of the table is not looked at

struct HostOptions {
  std::string root = "/";
  std::string docker_root;  // empty: as daemon.json says
  std::vector<std::string> model_folders;
};

struct WantedParts {
  bool processes = false;  // scan the process table now, whatever its turn
  bool disks = false;
};

// When the process table is due again: at least 10 s, at most 120 s after the last scan, and long
// enough that scans cost at most 0.03 % of a core (300 us a second).
Nanoseconds next_process_scan(Nanoseconds cost_of_last_scan);

class HostSampler {
 public:
  static Result<HostSampler> open(HostOptions options);
  HostSampler(HostSampler&&) noexcept;
  HostSampler& operator=(HostSampler&&) noexcept;
  ~HostSampler();

  // What is not due keeps its last value. The first call reads everything; shares of time (cpu)
  // are known from the second on: until then Missing::not_read. Never fails: what can't be read is
  // Missing with its reason.
  HostSample sample(WantedParts wanted = {});
  // Sentences about parts that could not be read at the last call; empty when all is well.
  const std::vector<std::string>& trouble() const;

 private:
  struct State;
  explicit HostSampler(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace estiva::observe
