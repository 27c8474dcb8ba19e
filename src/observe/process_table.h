// The process table: who uses most CPU and memory. One file a process, so it is the dear part of a
// host sample. Keeps the CPU counters of the last scan. Worker thread only.
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "host/files.h"
#include "model/host.h"

namespace estiva::observe {

class ProcessTable {
 public:
  struct Entry {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0, cpu_ticks = 0, resident_pages = 0;
    std::uint64_t new_ticks = 0;  // since the last scan
    std::array<char, 16> name{};  // TASK_COMM_LEN; kernel threads may have more, cut here
  };

  // Reads the whole table (at most kMaxProcesses). False where /proc can't be listed.
  bool scan(const host::Root& root, SteadyTime now);
  // By CPU since the scan before: empty until there were two. By resident memory. Largest first,
  // at most kTopProcesses; processes that use nothing are left out.
  std::vector<ProcessUse> top_cpu() const;
  std::vector<ProcessUse> top_memory() const;
  std::size_t size() const { return entries_.size(); }
  bool cut() const { return cut_; }

 private:
  void count_new_ticks(const std::vector<Entry>& before);
  ProcessUse to_use(const Entry& entry) const;

  std::vector<Entry> entries_;  // by pid
  SteadyTime scanned_at_;
  double seconds_ = 0;  // between the last two scans; 0 before the second
  bool cut_ = false;
};

// Orders the largest `kTopProcesses` by `amount`, leaving out zeros; ties by pid. Exposed for
// tests.
std::vector<const ProcessTable::Entry*> largest(const std::vector<ProcessTable::Entry>& entries,
                                                std::uint64_t ProcessTable::Entry::*amount);

}  // namespace estiva::observe
