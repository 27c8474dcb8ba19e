// Small files of /proc and /sys: read whole, bounded, never an error: what can't be read is empty.
#pragma once
#include <string>
#include <string_view>

namespace estiva::gpu {

// At most 8 KiB from the start of the file.
std::string read_small_file(const std::string& path);
// Its first line, without the line end.
std::string read_line(const std::string& path);
// Text from outside as it may be shown and sent on: printable ASCII; other bytes become '?'.
std::string printable(std::string_view text);

}  // namespace estiva::gpu
