// Settings in a file that was written for a shell: NAME="value" lines, as people keep beside their
// scripts. It is read and never run: what only a shell could work out is refused, with its place.
// Pure.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "format/text_place.h"

namespace estiva::format {

struct ShellSetting {
  std::string name, value;
  TextPlace place;  // of the name
  friend bool operator==(const ShellSetting&, const ShellSetting&) = default;
};

struct ShellRefusal {
  std::string what;  // a sentence
  TextPlace place;   // of the first character that can't be read
  friend bool operator==(const ShellRefusal&, const ShellRefusal&) = default;
};

struct ShellSettings {
  // In the order of the file; of a name that stands twice, both: the last one counts.
  std::vector<ShellSetting> settings;
  std::vector<ShellRefusal> refusals;  // the rest of such a line is left out
};

using ShellVariables = std::map<std::string, std::string, std::less<>>;

// Lines of NAME=VALUE, with or without `export`, blank ones and # comments. A value is put together
// from plain characters, 'single' and "double" quotes, $NAME and ${NAME} of `known` or of an
// earlier line, a backslash before one character, and ~ for HOME at its beginning. Refused: $(...),
// `...`,
// $((...)), ${NAME...}, names that are not known, commands, lists, redirections, patterns. At most
// 64 KiB and 1000 lines are read; what is longer is refused whole.
ShellSettings read_shell_settings(std::string_view text, const ShellVariables& known);

}  // namespace estiva::format
