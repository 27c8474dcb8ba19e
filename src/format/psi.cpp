#include "format/psi.h"

#include <charconv>
#include <string>

#include "format/text.h"

namespace estiva::format {
namespace {

// The kernel writes at most "100.00".
constexpr std::size_t kLongestPercent = 32;

// "avg10=1.25" with the name "avg10=": 0.0125.
bool read_share(std::string_view& rest, std::string_view name, Ratio& out) {
  std::string_view word;
  if (!next_word(rest, word) || !word.starts_with(name)) return false;
  word.remove_prefix(name.size());
  double percent = 0;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), percent, std::chars_format::fixed);
  if (error != std::errc() || end != word.data() + word.size()) return false;
  if (!(percent >= 0 && percent <= 100) || word.size() > kLongestPercent) return false;
  // The point moves in the text: 47.10 is 0.471, where 47.10 / 100 is 0.47100000000000003.
  std::string moved(word);
  moved += "e-2";
  std::from_chars(moved.data(), moved.data() + moved.size(), out.value);
  return true;
}

Reading<PressureLine> parse_line(std::string_view rest) {
  PressureLine line;
  std::string_view word;
  const bool shares = read_share(rest, "avg10=", line.avg10) &&
                      read_share(rest, "avg60=", line.avg60) &&
                      read_share(rest, "avg300=", line.avg300);
  if (!shares || !next_word(rest, word) || !word.starts_with("total=")) return Missing::failed;
  const auto total = parse_u64(word.substr(6));
  if (!total) return Missing::failed;
  line.total_us = *total;
  return line;
}

}  // namespace

Pressure parse_pressure(std::string_view text) {
  Pressure pressure{Missing::not_supported, Missing::not_supported};
  std::string_view line;
  while (next_line(text, line)) {
    if (line.starts_with("some ")) pressure.some = parse_line(line.substr(5));
    if (line.starts_with("full ")) pressure.full = parse_line(line.substr(5));
  }
  return pressure;
}

}  // namespace estiva::format
