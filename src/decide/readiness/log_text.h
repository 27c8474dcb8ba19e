// A log as one long word: everything that terminals, loggers and collectors put between and around
// the letters of an error is taken out, so that an error text is found however it was wrapped,
// quoted, coloured or prefixed. Pure; one pass.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::decide {

// How much of a log is looked at; more is not read by anybody at once, and it is held twice.
inline constexpr std::size_t kMostLogBytes = 32UL << 20;

struct SquashedLog {
  // Lower-case ASCII without blanks, quotes, backslashes, bars, colours and prefixes of lines. One
  // blank stays where a blank, or the end of a short line, stood between two digits.
  std::string text;
  struct Line {
    std::uint32_t at = 0;      // where it begins in `text`
    std::uint32_t raw_at = 0;  // the same in the log
    std::uint32_t number = 0;  // from 1
  };
  std::vector<Line> lines;  // those of which something is left

  // The line that a place in `text` is from.
  const Line& line_of(std::size_t at) const;
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
