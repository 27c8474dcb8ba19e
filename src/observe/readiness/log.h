// What the kernel said: the last lines of its log, and what they tell of sleep.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

// A GPU that fails repeats itself; what began it is within these.
inline constexpr std::size_t kMostLogLines = 5000;

// Lines "[   12.345678] text", oldest first: the kernel's own records of /dev/kmsg, without those
// that programs wrote there. Of a tree: its file `kmsg` in that form, else dev/kmsg.log with
// records as the device gives them. Never waits.
Reading<std::vector<std::string>> read_kernel_log(const Tree& tree);

// The last kMostLogLines of a text, each line of which is a record or is in dmesg's form.
std::vector<std::string> parse_kernel_log(std::string_view text);

// Was the machine suspended or hibernated after NVIDIA's module was loaded? `sleeps`: how often it
// was since it started (/sys/power/suspend_stats/success).
Reading<bool> has_slept(const Reading<std::vector<std::string>>& log,
                        const Reading<std::string>& sleeps);

}  // namespace estiva::observe
