#include "format/engine_version.h"

#include <algorithm>

#include "format/text.h"

namespace estiva::format {

std::optional<EngineVersion> parse_engine_version(std::string_view text) {
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto number = [&]() -> std::optional<unsigned> {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto value = parse_u64(text.substr(0, digits));
    text.remove_prefix(digits);
    if (!value || *value > 9999) return std::nullopt;
    return static_cast<unsigned>(*value);
  };
  const auto major = number();
  if (!major || !text.starts_with('.')) return std::nullopt;
  text.remove_prefix(1);
  const auto minor = number();
  if (!minor) return std::nullopt;
  return EngineVersion{*major, *minor};
}

}  // namespace estiva::format
