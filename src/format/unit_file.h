// systemd's unit files as text (systemd.syntax(7), checked against config_parse of systemd 252):
// sections, keys with repeated values, continued lines, comments; and the words of a value.
// Drop-ins are read after the file that they belong to. Lenient as systemd is: what it skips is
// skipped here, and told. Pure.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::format {

// Limits with room to spare: systemd's own line limit is 1 MiB, the longest unit of Debian 12 has
// 60 lines.
constexpr std::size_t kMaxUnitText = 1U << 20;
constexpr std::size_t kMaxUnitEntries = 4096;

struct UnitEntry {
  std::string section, key, value;  // trimmed; continued lines are joined by a blank
  unsigned part = 0;                // which of the texts: 0 the file, then its drop-ins
  unsigned line = 0;                // from 1, where it begins
  friend bool operator==(const UnitEntry&, const UnitEntry&) = default;
};

// A line that systemd skips or that makes it refuse the unit.
struct UnitProblem {
  enum class Kind : std::uint8_t { no_section, no_equals, bad_section, too_long };
  Kind kind = Kind::no_equals;
  unsigned part = 0, line = 0;
  friend bool operator==(const UnitProblem&, const UnitProblem&) = default;
};

struct UnitFile {
  std::vector<UnitEntry> entries;  // in the order of reading
  std::vector<UnitProblem> problems;
};

UnitFile parse_unit_file(std::string_view text);
// The file first, then its drop-ins in systemd's order (by name, whichever folder they are in).
UnitFile parse_unit_file(std::span<const std::string_view> texts);

// The value that counts of a key that holds one: the last; empty where there is none.
std::string_view last_value(const UnitFile& file, std::string_view section, std::string_view key);
// The values of a key that holds a list, one an entry: an empty assignment forgets those before it,
// as it does for ExecStart=, Environment= or WantedBy=.
std::vector<const UnitEntry*> list_values(const UnitFile& file, std::string_view section,
                                          std::string_view key);
// The same without forgetting: After=, Wants= and the other dependencies can only be added to.
std::vector<const UnitEntry*> all_values(const UnitFile& file, std::string_view section,
                                         std::string_view key);

// systemd's booleans: 1, yes, y, true, t, on and their opposites; `otherwise` for anything else.
bool unit_boolean(std::string_view value, bool otherwise);
// Words as systemd splits them: by blanks, with quotes taken off; what stands behind an unbalanced
// quote is left out. `keep_escapes` leaves backslashes alone, as in lists of unit names; without it
// they take the special meaning away from the character that follows, and \n, \t, \s, \xNN and
// octals stand for what they do in C.
std::vector<std::string> unit_words(std::string_view value, bool keep_escapes);

// A command of an Exec line: its prefixes (-, @, :, +, !) taken off.
struct ExecLine {
  std::string program;
  std::vector<std::string> words;  // with the program
  bool may_fail = false;           // "-"
  friend bool operator==(const ExecLine&, const ExecLine&) = default;
};
ExecLine parse_exec_line(std::string_view value);
// A word as it may stand in an Exec line: quoted where it must be, with % and $ doubled.
std::string quote_exec_word(std::string_view word);

}  // namespace estiva::format
