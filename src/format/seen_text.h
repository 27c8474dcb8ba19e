// What the probe inside a container printed (gpu/seen_probe.cpp), as a value.
#pragma once
#include <string_view>

#include "model/seen.h"

namespace estiva::format {

// A line that is not known is left out: the probe may be of another version.
Seen parse_seen(std::string_view text);

}  // namespace estiva::format
