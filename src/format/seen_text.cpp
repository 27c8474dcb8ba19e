#include "format/seen_text.h"

#include "format/text.h"

namespace estiva::format {

Seen parse_seen(std::string_view text) {
  Seen seen;
  for (std::string_view line; next_line(text, line);) {
    std::string_view key;
    if (!next_word(line, key)) continue;
    std::string_view rest = line;
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    if (key == "node") {
      std::string_view number;
      if (!next_word(rest, number)) continue;
      while (rest.starts_with(' ')) rest.remove_prefix(1);
      const auto error = parse_i64(number);
      if (error && !rest.empty())
        seen.nodes.push_back({std::string(rest), static_cast<int>(*error)});
    } else if (key == "library") {
      seen.library = rest;
    } else if (key == "nolibrary") {
      seen.library_error = rest;
    } else if (key == "init") {
      if (const auto code = parse_i64(rest)) seen.init = static_cast<int>(*code);
    } else if (key == "device") {
      seen.devices.emplace_back(rest);
    } else if (key == "visible") {
      seen.visible = rest;
    }
  }
  return seen;
}

}  // namespace estiva::format
