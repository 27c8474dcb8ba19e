// Errors that the driver reports of a GPU by number (NVIDIA calls them XIDs), as plain values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/clock.h"

namespace estiva {

// Larger numbers are taken for damage; NVIDIA's catalogue ends below 200.
inline constexpr unsigned kMaxXid = 999;

// Who said it. The driver says the same error to both of the first two.
enum class XidSource : std::uint8_t {
  event,        // an event of NVML
  kernel_log,   // a line of the kernel log that carries the number
  kernel_text,  // a line that says it in words: "has fallen off the bus"
};

struct XidReport {
  std::string slot;  // "0000:01:00": PCI domain, bus and device, as the kernel log has it
  unsigned code = 0;
  std::uint64_t count = 1;
  SteadyTime at;
  XidSource source = XidSource::event;
  // Only the kernel log says these.
  bool is_fatal = false;                    // NVLink 5 tells fatal errors from others
  std::optional<unsigned> recovery_action;  // that XID 154 announces, as nvml.h counts them
  pid_t pid = 0;                            // whose work it was; 0: not said
  std::string process;
  // Found out from the process: its container's name or short id, empty where it is in none; and
  // what tells one program from another, a container or a process.
  std::string container, victim;
  friend bool operator==(const XidReport&, const XidReport&) = default;
};

struct XidCount {
  unsigned code = 0;
  std::uint64_t count = 0;  // since the machine started, as far back as the sources go
  SteadyTime last;
  friend bool operator==(const XidCount&, const XidCount&) = default;
};

struct GpuXids {
  std::string slot;
  std::vector<XidCount> counts;  // by code
  unsigned last_code = 0;        // of the newest; 0: there was none
  friend bool operator==(const GpuXids&, const GpuXids&) = default;
};

// What is remembered of one number of one slot while the daemon is not there.
struct XidMemory {
  std::string slot;
  unsigned code = 0;
  std::uint64_t count = 0, recent = 0;  // in all; since `since`
  SteadyTime since, last;
  std::uint8_t ended = 0;  // 0: it still says something; else how it ended
  bool is_fatal = false;
  pid_t pid = 0;
  std::string process;
  friend bool operator==(const XidMemory&, const XidMemory&) = default;
};

// "0000:01:00" of "00000000:01:00.0" (NVML), "0000:01:00.0" (sysfs) or "0000:01:00" (the kernel
// log). Empty where it is no PCI address.
std::string pci_slot(std::string_view address);

}  // namespace estiva
