// The texts that users meet and paste, with places for what differs from one machine to the next.
#pragma once
#include <span>
#include <string_view>

namespace estiva::decide {

// How `text` is written: blanks, quotes and capitals don't matter (squash_text). It begins with at
// least eight other characters, and
//   {}     stands for at most 200 characters, {40} for at most 40, up to the first place where
//          what follows stands; {0} only divides, so that "library={0}cpu" is the first "library="
//   {p}    for at most 200 characters of a path
//   {v}    for a version: digits and dots, at least one
//   {#}    for the end of a number: no digit follows
struct LogPattern {
  std::string_view rule;
  std::string_view text;
  std::string_view also = {};    // other rules with the same text: "K2 K12"
  std::string_view yields = {};  // says nothing where one of these rules is found; "*": any other
};

// The most specific first.
std::span<const LogPattern> log_patterns();

// Words elsewhere in a log that decide between rules with the same text.
struct LogContext {
  std::string_view rule;     // is named
  std::string_view instead;  // of this one
  std::string_view text;     // where this is found; written as above
};
std::span<const LogContext> log_contexts();

}  // namespace estiva::decide
