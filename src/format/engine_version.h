// Docker Engine's version, as far as what it can do depends on it.
#pragma once
#include <compare>
#include <optional>
#include <string_view>

namespace estiva::format {

struct EngineVersion {
  unsigned major = 0, minor = 0;
  friend auto operator<=>(const EngineVersion&, const EngineVersion&) = default;
};

// "28.5.2", "20.10.24+dfsg1", "v29.0.0-rc.1"; nothing for what does not begin so.
std::optional<EngineVersion> parse_engine_version(std::string_view text);

}  // namespace estiva::format
