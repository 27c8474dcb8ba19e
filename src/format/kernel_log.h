// The kernel log: one record of /dev/kmsg (Documentation/ABI/testing/dev-kmsg), and what NVIDIA's
// driver writes there about a GPU. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "model/xid.h"

namespace estiva::format {

struct KernelRecord {
  unsigned facility = 0;  // 0 is the kernel itself; a program that writes there never gets it
  unsigned level = 0;     // 0 to 7, as syslog has them
  std::uint64_t sequence = 0;
  std::uint64_t microseconds = 0;  // on the clock of printk, which starts with the machine
  std::string_view text;           // the first line, still with the kernel's \xNN escapes
};
// What one read() of /dev/kmsg returned. Nothing where it is no such record.
std::optional<KernelRecord> parse_kernel_record(std::string_view record);

// A line of NVIDIA's driver about an error of a GPU: "NVRM: Xid (PCI:0000:01:00): 79, ...", with
// and without "PCI:", of a whole GPU or an instance; or that one has fallen off the bus, which is
// XID 79 without the number. The report's time stays zero. Nothing where the line is another.
std::optional<XidReport> parse_xid_line(std::string_view text);

}  // namespace estiva::format
