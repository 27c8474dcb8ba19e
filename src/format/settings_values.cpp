#include "format/settings_values.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/format.h"
#include "format/text.h"

namespace estiva::format {

Failure not_accepted(std::string_view text, std::string_view accepted) {
  const auto shown = fmt::format("'{}'", escape_for_terminal(text.substr(0, 64)));
  return fail(ErrorKind::usage, fmt::format(msg::kNotAccepted, shown),
              fmt::format(msg::kAccepted, accepted));
}

Result<std::string> parse_folder(std::string_view text) {
  if (!text.starts_with('/')) return not_accepted(text, kAcceptsFolder);
  return std::string(text);
}

Result<std::string> parse_url(std::string_view text) {
  const bool has_scheme = text.starts_with("https://") || text.starts_with("http://");
  const bool is_plain =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~' && c != '"'; });
  if (!has_scheme || !is_plain || text.size() > 2048) return not_accepted(text, kAcceptsUrl);
  return std::string(text);
}

}  // namespace estiva::format
