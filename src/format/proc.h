// Text of procfs to values. Pure; every parser takes any bytes, reads what it knows, and answers
// nullopt where the essential part is missing. Layouts: proc(5).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/units.h"
#include "model/host.h"

namespace estiva::format {

// The "cpu" line of /proc/stat in ticks. `total` counts guest time once (the kernel adds it to
// user as well); idle includes iowait.
struct CpuTicks {
  std::uint64_t total = 0, idle = 0;
  unsigned cores = 0;           // number of "cpuN" lines
  std::uint64_t boot_time = 0;  // "btime", seconds since 1970; 0 where absent
  friend bool operator==(const CpuTicks&, const CpuTicks&) = default;
};
std::optional<CpuTicks> parse_proc_stat(std::string_view text);
// Busy share of all cores between two reads; nullopt when no tick passed or the counters went back.
std::optional<Ratio> busy_share(const CpuTicks& before, const CpuTicks& now);

// /proc/meminfo. Without MemTotal: nullopt. Without MemAvailable (before Linux 3.14): estimated as
// MemFree + Cached.
std::optional<HostMemory> parse_meminfo(std::string_view text);

// /proc/PID/stat. comm may hold blanks, parentheses and newlines: it ends at the last ')'.
struct ProcStat {
  pid_t pid = 0;
  std::string_view comm;  // points into the text
  char state = '?';
  pid_t parent = 0;
  std::uint64_t cpu_ticks = 0;    // utime + stime
  std::uint64_t start_ticks = 0;  // since boot
  std::uint64_t resident_pages = 0;
};
std::optional<ProcStat> parse_pid_stat(std::string_view text);

// The lines of /proc/PID/status that we use; each absent one is nullopt.
struct ProcStatus {
  std::optional<unsigned> uid, gid;  // real
  std::optional<Bytes> resident, swapped;
  std::vector<pid_t> ns_pids;  // "NSpid": outermost first; at most 32 (the kernel's nesting limit)
};
ProcStatus parse_pid_status(std::string_view text);

std::optional<double> parse_loadavg(std::string_view text);  // over one minute
// A lower-case UUID of 36 characters, or nullopt.
std::optional<std::string> parse_boot_id(std::string_view text);

}  // namespace estiva::format
