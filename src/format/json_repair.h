// Text that is almost JSON, as people leave it in configurations, made JSON again: what was meant
// is plain, and nothing of it is guessed. Mended are
//   comments                     // ..., # ... to the end of the line, and /* ... */: taken out
//   a comma too many             before '}' or ']', or behind the last of them: taken out
//   a comma that is missing      between two values of one object or list: put in
//   brackets missing at the end  put in, those that are still open
//   brackets too many at the end taken out
// Every other byte stays. Time: linear.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace estiva::format {

// The mended text, which check_json finds good. Nothing: it is good already, or something else is
// wrong with it: a text that does not end, brackets that cross, a second document, a name that
// stands twice.
std::optional<std::string> repair_json(std::string_view text);

}  // namespace estiva::format
