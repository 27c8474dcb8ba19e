// How the members of a JSON object are laid out, seen from what stands there already, so that a new
// member looks like its neighbours: lines or one line, tabs or blanks, LF or CRLF, the blanks
// around a colon. Of text that check_json found good.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "format/json_scan.h"

namespace estiva::format {

struct JsonLayout {
  bool lines = true;           // each member on a line of its own
  std::string newline = "\n";  // or "\r\n"
  std::string outer;           // indentation of the line with the closing bracket
  std::string indent;          // indentation of the members
  std::string unit = "    ";   // one step; four blanks, as in Docker's documentation
  std::string colon = ": ";
  std::string pad;            // on one line: inside the brackets
  std::string between = " ";  // on one line: behind a comma

  // An object without members that stands in this one.
  JsonLayout inside() const;
  // What stands between a comma and the next member.
  std::string gap() const { return lines ? newline + indent : between; }
  // An object that consists of `member`.
  std::string wrap(std::string_view member) const;
};

// Around the outermost value: only the ends of lines are known.
JsonLayout document_layout(std::string_view text);
// Of the object at `object`, which stands in one of the layout `around`. `example` is the member to
// go by; without one the object has none.
JsonLayout object_layout(const JsonLayout& around, std::string_view text, std::size_t object,
                         const std::optional<JsonMemberSpan>& example);

}  // namespace estiva::format
