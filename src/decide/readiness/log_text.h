// A log as one long word: everything that terminals, loggers and collectors put between and around
// the letters of an error is taken out, so that an error text is found however it was wrapped,
// quoted, coloured or prefixed. Pure; one pass.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::decide {

// How much of a log is looked at; more is not read by anybody at once, and it is held twice.
inline constexpr std::size_t kMostLogBytes = 64UL << 20;

struct SquashedLog {
  // Lower-case ASCII without blanks, quotes, backslashes, bars, colours and prefixes of lines. One
  // blank stays where a blank, or the end of a short line, stood between two digits.
  std::string text;
  std::vector<std::size_t> starts;      // in `text`, where each line of the log begins
  std::vector<std::size_t> raw_starts;  // in the log, the same

  std::size_t line_of(std::size_t at) const;  // from 0
};
SquashedLog squash_log(std::string_view log);

// The same for the text of a pattern, which has no prefixes and no escapes.
std::string squash_text(std::string_view text);

// How many bytes of a line are a prefix: times, host and program, Compose's service, levels of
// the kernel, quotation marks of a mail.
std::size_t prefix_length(std::string_view line);

// A line as a person wants to see it: no prefix, no colours, at most 400 bytes.
std::string show_line(std::string_view line);

}  // namespace estiva::decide
