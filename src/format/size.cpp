#include "format/size.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "base/messages/format.h"
#include "format/table.h"
#include "format/text.h"

namespace estiva::format {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 63;  // 8 EiB
constexpr std::uint64_t kMaxDurationNs = std::uint64_t{3650} * 86400 * 1'000'000'000;
constexpr std::size_t kMaxDecimals = 18;

// "12.25" as 12 + 25 / 100. All digits count, so nothing is lost to a double.
struct Decimal {
  std::uint64_t whole = 0;
  std::uint64_t fraction = 0;
  std::uint64_t scale = 1;

  // floor(number * unit); the product fits: 2^64 * 2^57 < 2^128.
  Wide times(std::uint64_t unit) const {
    return static_cast<Wide>(whole) * unit + static_cast<Wide>(fraction) * unit / scale;
  }
};

std::size_t count_digits(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

// Takes a number without sign off the front; ".5" and "5." are not numbers.
std::optional<Decimal> take_decimal(std::string_view& text) {
  Decimal number;
  const std::size_t digits = count_digits(text);
  const auto whole = parse_u64(text.substr(0, digits));
  if (!whole) return std::nullopt;
  number.whole = *whole;
  text.remove_prefix(digits);
  if (text.empty() || text.front() != '.') return number;
  text.remove_prefix(1);
  const std::size_t decimals = count_digits(text);
  const auto fraction = parse_u64(text.substr(0, decimals));
  if (!fraction || decimals > kMaxDecimals) return std::nullopt;
  number.fraction = *fraction;
  for (std::size_t i = 0; i < decimals; ++i) number.scale *= 10;
  text.remove_prefix(decimals);
  return number;
}

struct Unit {
  std::string_view name;  // lower case
  std::uint64_t factor;
};
constexpr std::array kSizeUnits = {
    Unit{"b", 1},
    Unit{"kib", std::uint64_t{1} << 10},
    Unit{"mib", std::uint64_t{1} << 20},
    Unit{"gib", std::uint64_t{1} << 30},
    Unit{"tib", std::uint64_t{1} << 40},
    Unit{"pib", std::uint64_t{1} << 50},
    Unit{"kb", 1'000},
    Unit{"mb", 1'000'000},
    Unit{"gb", 1'000'000'000},
    Unit{"tb", 1'000'000'000'000},
    Unit{"pb", 1'000'000'000'000'000},
};
// Largest first: the order in which the parts of a duration stand.
constexpr std::array kTimeUnits = {
    Unit{"d", 86'400'000'000'000}, Unit{"h", 3'600'000'000'000}, Unit{"m", 60'000'000'000},
    Unit{"s", 1'000'000'000},      Unit{"ms", 1'000'000},        Unit{"us", 1'000},
};

bool equals_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; });
}

std::string quoted(std::string_view text) {
  return cut_to_width(escape_for_terminal(text.substr(0, 128)), 40);
}

Failure usage(std::string_view what, std::string_view remedy, std::string_view text) {
  return fail(ErrorKind::usage, fmt::format(fmt::runtime(what), quoted(text)),
              fmt::format(fmt::runtime(remedy), quoted(text)));
}

// Which sentence fits a text that is not a size.
Failure size_error(std::string_view text) {
  if (text.empty())
    return fail(ErrorKind::usage, std::string(msg::kSizeEmpty), std::string(msg::kSizeHow));
  if (text.front() == '-') return usage(msg::kSizeNegative, msg::kSizeHow, text);
  if (text.find(',') != text.npos) return usage(msg::kSizeComma, msg::kSizeCommaHow, text);
  return usage(msg::kSizeNotUnderstood, msg::kSizeHow, text);
}

Result<Bytes> parse_amount(std::string_view given) {
  const std::string_view text = trim(given);
  std::string_view rest = text;
  const auto number = take_decimal(rest);
  if (!number) {
    const bool digits_only = !text.empty() && count_digits(text) == text.size();
    if (digits_only) return usage(msg::kSizeTooBig, msg::kSizeHow, text);
    return size_error(text);
  }
  rest = trim(rest);
  if (rest.empty()) return usage(msg::kSizeNoUnit, msg::kSizeNoUnitHow, text);
  if (rest.front() < 'A') return size_error(text);  // a comma, a second point, a sign
  const auto unit = std::find_if(kSizeUnits.begin(), kSizeUnits.end(), [=](const Unit& known) {
    return equals_ignoring_case(rest, known.name);
  });
  if (unit == kSizeUnits.end()) return usage(msg::kSizeUnit, msg::kSizeUnitHow, text);
  const Wide bytes = number->times(unit->factor);
  if (bytes > kMaxSize) return usage(msg::kSizeTooBig, msg::kSizeHow, text);
  return Bytes{static_cast<std::uint64_t>(bytes)};
}

// nullopt where the text is not parts in falling order; UINT64_MAX where it is too long.
std::optional<std::uint64_t> sum_of_parts(std::string_view text) {
  Wide sum = 0;
  std::size_t next_unit = 0;
  while (!text.empty()) {
    const auto number = take_decimal(text);
    if (!number) return std::nullopt;
    const auto letters = text.substr(0, std::min(text.find_first_of("0123456789."), text.size()));
    while (next_unit < kTimeUnits.size() && kTimeUnits[next_unit].name != letters) ++next_unit;
    if (next_unit == kTimeUnits.size()) return std::nullopt;
    sum += number->times(kTimeUnits[next_unit++].factor);
    text.remove_prefix(letters.size());
  }
  return sum > kMaxDurationNs ? UINT64_MAX : static_cast<std::uint64_t>(sum);
}

Result<std::chrono::nanoseconds> checked_span(std::optional<std::uint64_t> ns,
                                              std::string_view text, std::string_view how) {
  if (!ns) return usage(msg::kDurationNotUnderstood, how, text);
  if (*ns > kMaxDurationNs) return usage(msg::kDurationTooBig, how, text);
  return std::chrono::nanoseconds(*ns);
}

bool is_bare_number(std::string_view text) {
  std::string_view rest = text;
  return take_decimal(rest) && rest.empty();
}

}  // namespace

Result<Bytes> parse_size(std::string_view text) {
  auto amount = parse_amount(text);
  if (amount && amount->value == 0) return usage(msg::kSizeZero, msg::kSizeHow, text);
  return amount;
}

Result<Bytes> parse_size_or_zero(std::string_view text) {
  if (trim(text) == "0") return Bytes{0};
  return parse_amount(text);
}

Result<Bytes> parse_mib_count(std::string_view text) {
  const auto count = parse_u64(text);
  if (!count || *count == 0) return usage(msg::kMibCount, msg::kMibCountHow, text);
  if (*count > kMaxSize >> 20) return usage(msg::kSizeTooBig, msg::kMibCountHow, text);
  return mib(*count);
}

std::string format_size(Bytes bytes) {
  static constexpr std::array<const char*, 6> kNames = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  std::uint64_t value = bytes.value;
  while (value != 0 && value % 1024 == 0 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", value, kNames[unit]);
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view given) {
  const std::string_view text = trim(given);
  if (text.empty()) {
    return fail(ErrorKind::usage, std::string(msg::kDurationEmpty), std::string(msg::kDurationHow));
  }
  if (is_bare_number(text)) return usage(msg::kDurationNoUnit, msg::kDurationNoUnitHow, text);
  return checked_span(sum_of_parts(text), text, msg::kDurationHow);
}

Result<std::chrono::nanoseconds> parse_seconds(std::string_view given) {
  const std::string_view text = trim(given);
  if (!is_bare_number(text)) {
    const auto span = parse_duration(text);
    if (span) return *span;
    return fail(ErrorKind::usage, span.error().what, std::string(msg::kSecondsHow));
  }
  std::string_view rest = text;
  const Wide ns = take_decimal(rest)->times(1'000'000'000);
  const bool fits = ns <= kMaxDurationNs;
  return checked_span(fits ? static_cast<std::uint64_t>(ns) : UINT64_MAX, text, msg::kSecondsHow);
}

std::string format_duration(std::chrono::nanoseconds span) {
  std::uint64_t rest = span.count() > 0 ? static_cast<std::uint64_t>(span.count()) : 0;
  std::string out;
  for (const auto& unit : kTimeUnits) {
    if (rest < unit.factor) continue;
    out += fmt::format("{}{}", rest / unit.factor, unit.name);
    rest %= unit.factor;
  }
  return out.empty() ? "0s" : out;
}

}  // namespace estiva::format
