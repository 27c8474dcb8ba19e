#include "format/json_fields.h"

namespace estiva::format::detail {

std::optional<Missing> missing_called(std::string_view name) {
  for (int i = 0; i <= static_cast<int>(Missing::failed); ++i) {
    if (to_name(static_cast<Missing>(i)) == name) return static_cast<Missing>(i);
  }
  return std::nullopt;
}

}  // namespace estiva::format::detail
