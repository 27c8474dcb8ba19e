// What a scalar means, as go-yaml v2 resolves it (resolve.go): CDI files are read by it.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include "format/text.h"
#include "format/yaml_tree.h"

namespace estiva::format {
namespace {

constexpr std::string_view kTagPrefix = "tag:yaml.org,2002:";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::optional<YamlScalar> known_word(std::string_view text) {
  if (is_one_of(text, {"", "~", "null", "Null", "NULL"})) return YamlNull{};
  if (is_one_of(text, {"y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"})) {
    return true;
  }
  if (is_one_of(text,
                {"n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"})) {
    return false;
  }
  if (is_one_of(text, {".nan", ".NaN", ".NAN"})) return std::numeric_limits<double>::quiet_NaN();
  if (is_one_of(text, {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"})) {
    return std::numeric_limits<double>::infinity();
  }
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"})) return -std::numeric_limits<double>::infinity();
  return std::nullopt;
}

struct Magnitude {
  bool negative = false;
  std::uint64_t value = 0;
};

// Go's ParseInt with base 0: 0x, 0o and 0b, a leading 0 is octal.
std::optional<Magnitude> parse_magnitude(std::string_view text) {
  Magnitude number;
  if (text.starts_with('+') || text.starts_with('-')) {
    number.negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() >= 3 && text[0] == '0' && !is_digit(text[1])) {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'o' ? 8 : kind == 'b' ? 2 : 0;
    if (base == 0) return std::nullopt;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
    text.remove_prefix(1);
  }
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number.value, base);
  if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::optional<YamlScalar> parse_integer(std::string_view text) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  const auto number = parse_magnitude(text);
  if (!number) return std::nullopt;
  if (number->negative) {
    if (number->value > kMost + 1) return std::nullopt;
    return static_cast<std::int64_t>(0 - number->value);
  }
  if (number->value <= kMost) return static_cast<std::int64_t>(number->value);
  if (text.starts_with('+')) return std::nullopt;  // Go's ParseUint takes no sign
  return number->value;
}

// [-+]? (.D+ | D+ (. D*)?) ([eE] [-+]? D+)?
bool looks_like_float(std::string_view text) {
  const auto skip_sign = [&] {
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  };
  const auto skip_digits = [&] {
    std::size_t n = 0;
    while (n < text.size() && is_digit(text[n])) ++n;
    text.remove_prefix(n);
    return n;
  };
  skip_sign();
  const std::size_t whole = skip_digits();
  std::size_t decimals = 0;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    decimals = skip_digits();
  }
  if (whole == 0 && decimals == 0) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    skip_sign();
    if (skip_digits() == 0) return false;
  }
  return text.empty();
}

std::optional<YamlScalar> parse_float(std::string_view text) {
  if (!looks_like_float(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec != std::errc()) return std::nullopt;  // beyond a double: text, as in Go
  return value;
}

YamlScalar resolve_text(const std::string& text) {
  if (auto word = known_word(text)) return *word;
  const char first = text.front();
  if (first == '.') return parse_float(text).value_or(text);
  if (!is_digit(first) && first != '+' && first != '-') return text;
  std::string digits = text;
  digits.erase(std::remove(digits.begin(), digits.end(), '_'), digits.end());
  if (auto integer = parse_integer(digits)) return *integer;
  return parse_float(digits).value_or(text);
}

template <class... T>
bool holds_one_of(const YamlScalar& value) {
  return (std::holds_alternative<T>(value) || ...);
}

// An explicit tag must fit what the text means; a whole number may be a !!float.
YamlScalar fit_tag(YamlScalar value, std::string_view tag) {
  if (tag == "null" && holds_one_of<YamlNull>(value)) return value;
  if (tag == "bool" && holds_one_of<bool>(value)) return value;
  if (tag == "int" && holds_one_of<std::int64_t, std::uint64_t>(value)) return value;
  if (tag != "float") return YamlBadTag{};
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  return holds_one_of<double>(value) ? value : YamlScalar(YamlBadTag{});
}

}  // namespace

YamlScalar resolve_scalar(const YamlNode& scalar) {
  std::string_view tag = scalar.tag;
  if (tag.empty()) return scalar.is_plain ? resolve_text(scalar.text) : YamlScalar(scalar.text);
  if (!tag.starts_with(kTagPrefix)) return scalar.text;
  tag.remove_prefix(kTagPrefix.size());
  if (is_one_of(tag, {"null", "bool", "int", "float"}))
    return fit_tag(resolve_text(scalar.text), tag);
  return scalar.text;
}

bool is_merge_key(const YamlNode& key) {
  return key.kind == YamlNode::Kind::scalar && key.text == "<<" &&
         ((key.is_plain && key.tag.empty()) || key.tag == "tag:yaml.org,2002:merge");
}

}  // namespace estiva::format
