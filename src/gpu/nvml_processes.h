// The processes that hold memory on a device: three lists of the driver, each row checked, and
// names from procfs. Blocking; only in the sensor process.
#pragma once
#include <string>
#include <vector>

#include "gpu/nvml_device.h"

namespace estiva::gpu::nvml {

// Process names by pid, so that an unchanged list costs no file access. Bounded.
class NameCache {
 public:
  explicit NameCache(std::string root) : root_(std::move(root)) {}
  // The name in /proc/PID/comm, printable ASCII; empty where it can't be read.
  std::string name_of(pid_t pid);
  // Drops the names that were not asked for since the last call; with `refresh`, all of them.
  void end_sweep(bool refresh);

 private:
  struct Row {
    pid_t pid;
    bool used;
    std::string name;
  };
  std::string root_;
  std::vector<Row> rows_;  // sorted by pid
};

class ProcessReader {
 public:
  explicit ProcessReader(std::string root) : names_(std::move(root)) {}
  // Fills sample.processes, ordered by pid. What they do is asked only `with_activity`; else a
  // process keeps what was last known of it. Memory that can't be true (more than the device has)
  // is unknown, not a number; pids that can't be (0, -1, above the kernel's limit) are dropped.
  void read(Asker& asker, Device& device, Gpu& gpu, bool with_activity);
  void end_sweep(bool refresh) { names_.end_sweep(refresh); }

 private:
  int list(Asker& asker, Device& device, Metric metric,
           int (*function)(Handle, U32*, ProcessInfo*));
  void merge(Bytes most, bool GpuProcess::*kind, std::vector<GpuProcess>& into) const;
  void read_utilization(Asker& asker, Device& device, std::vector<GpuProcess>& processes);
  int read_new_rows(Asker& asker, Device& device);
  int read_old_rows(Asker& asker, Device& device);

  NameCache names_;
  std::vector<ProcessInfo> rows_;
  std::size_t row_count_ = 0;
  std::vector<ProcessUtilizationRow> busy_;
  std::size_t busy_count_ = 0;
  std::vector<ProcessSample> samples_;
};

}  // namespace estiva::gpu::nvml
