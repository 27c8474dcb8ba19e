// /proc/pressure/{cpu,memory,io} and a cgroup's *.pressure (Documentation/accounting/psi.rst).
#pragma once
#include <string_view>

#include "model/host.h"

namespace estiva::format {

// A line that is absent (the "full" line of cpu before Linux 5.13) is Missing::not_supported, one
// that is not understood Missing::failed. Percentages of the kernel become shares 0..1.
Pressure parse_pressure(std::string_view text);

}  // namespace estiva::format
