#include "container/api_text.h"

#include <algorithm>

#include "format/text.h"

namespace estiva::container {
namespace {

constexpr std::size_t kLongestLine = 2048;  // of a log

// Days since 1970-01-01 of the Gregorian calendar (H. Hinnant, days_from_civil).
std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = year / 400;
  const auto of_era = static_cast<unsigned>(year - era * 400);
  const unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

}  // namespace

std::vector<std::string> parse_log(std::string_view body) {
  constexpr std::size_t kFrame = 8;
  std::string text;
  // {stream, 0, 0, 0, length of four bytes}: the API's "stream format".
  while (body.size() >= kFrame && body[0] >= 0 && body[0] <= 2 && body[1] == 0 && body[2] == 0 &&
         body[3] == 0) {
    std::size_t length = 0;
    for (std::size_t i = 4; i < kFrame; ++i) {
      length = length << 8 | static_cast<unsigned char>(body[i]);
    }
    body.remove_prefix(kFrame);
    length = std::min(length, body.size());
    text += body.substr(0, length);
    body.remove_prefix(length);
  }
  text += body;
  std::vector<std::string> lines;
  std::string_view rest = text;
  for (std::string_view line; format::next_line(rest, line);) {
    lines.emplace_back(format::trim(line).substr(0, kLongestLine));
  }
  return lines;
}

std::int64_t parse_time(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t size) -> std::int64_t {
    if (text.size() < at + size) return -1;
    const auto value = format::parse_u64(text.substr(at, size));
    return value ? static_cast<std::int64_t>(*value) : -1;
  };
  const std::int64_t year = number(0, 4), month = number(5, 2), day = number(8, 2);
  const std::int64_t hour = number(11, 2), minute = number(14, 2), second = number(17, 2);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || hour < 0 || minute < 0 || second < 0) {
    return 0;
  }
  const std::int64_t days = days_of(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  std::int64_t seconds = days * 86'400 + hour * 3600 + minute * 60 + second;
  const std::size_t zone = text.find_first_of("+-Z", 19);  // "+02:00"
  if (zone != text.npos && text[zone] != 'Z') {
    const std::int64_t off = number(zone + 1, 2) * 3600 + number(zone + 4, 2) * 60;
    seconds += text[zone] == '+' ? -off : off;
  }
  return seconds;
}

}  // namespace estiva::container
