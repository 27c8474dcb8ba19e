// Reading words and values. Numbers are read by from_chars: no locale, no leading blanks, no "inf".
#include "sim/core/tokens.h"

#include <charconv>
#include <cmath>

#include "sim/core/messages.h"

namespace estiva::sim {
namespace {

constexpr std::size_t kMaxTokens = 256;

struct Unit {
  std::string_view name;
  double factor;
};
constexpr Unit kSizes[] = {{"", 1},
                           {"B", 1},
                           {"KiB", 1024.0},
                           {"MiB", 1048576.0},
                           {"GiB", 1073741824.0},
                           {"TiB", 1099511627776.0},
                           {"kB", 1e3},
                           {"MB", 1e6},
                           {"GB", 1e9}};
constexpr Unit kTimes[] = {{"ns", 1},  {"us", 1e3}, {"ms", 1e6},
                           {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};

}  // namespace

Line::Line(std::string_view text, int number) : number_(number) {
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\r') {
      ++i;
      continue;
    }
    if (c == '#') break;
    Token token{.text = {}, .column = static_cast<int>(i) + 1};
    if (c == '"') {
      const std::size_t close = text.find('"', i + 1);
      if (close == std::string_view::npos) {
        mistake(token.column, std::string(kOpenQuote));
        break;
      }
      token.text = text.substr(i + 1, close - i - 1);
      token.quoted = true;
      i = close + 1;
    } else {
      const std::size_t stop = std::min(text.find_first_of(" \t\r#\"", i), text.size());
      token.text = text.substr(i, stop - i);
      i = stop;
    }
    for (char ch : token.text) {
      const auto u = static_cast<unsigned char>(ch);
      if (u < 0x20 || u == 0x7f) mistake(token.column, std::string(kControlCharacter));
    }
    if (tokens_.size() == kMaxTokens) {
      mistake(token.column, std::string(kTooManyWords));
      break;
    }
    tokens_.push_back(std::move(token));
  }
  end_column_ = static_cast<int>(i) + 1;
}

void Line::mistake(int column, std::string what) {
  if (!problem_) problem_ = Problem{number_, column, std::move(what)};
}

void Line::wrong(std::string what) {
  const int column = next_ == 0 ? 1 : tokens_[next_ - 1].column;
  mistake(column, std::move(what));
}

bool Line::accept(std::string_view word) {
  if (problem_ || at_end() || tokens_[next_].text != word || tokens_[next_].quoted) return false;
  ++next_;
  return true;
}

std::string Line::word(std::string_view expected) {
  if (problem_) return {};
  if (at_end()) {
    mistake(end_column_, expected_here(expected));
    return {};
  }
  return tokens_[next_++].text;
}

std::uint64_t Line::whole(std::string_view expected, std::uint64_t most) {
  const std::string text = word(expected);
  if (problem_) return 0;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) {
    wrong(not_a(text, expected) + ", a whole number from 0 to " + std::to_string(most));
    return 0;
  }
  return value;
}

std::uint64_t Line::hex_or_whole(std::string_view expected) {
  if (!at_end() && tokens_[next_].text.starts_with("0x")) {
    const std::string text = word(expected);
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(text.data() + 2, text.data() + text.size(), value, 16);
    if (error != std::errc() || end != text.data() + text.size()) wrong(not_a(text, expected));
    return value;
  }
  return whole(expected, UINT64_MAX);
}

double Line::number(std::string_view expected, double least, double most) {
  const std::string text = word(expected);
  if (problem_) return 0;
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= least) ||
      !(value <= most)) {
    wrong(not_a(text, expected));
    return 0;
  }
  return value;
}

std::string Line::with_unit(std::string_view expected, double* value) {
  const std::string text = word(expected);
  if (problem_) return {};
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), *value, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(*value) || *value < 0) {
    wrong(not_a(text, expected));
    return {};
  }
  return {end, text.data() + text.size()};
}

double Line::percent(std::string_view expected) {
  double value = 0;
  const std::string unit = with_unit(expected, &value);
  if (problem_) return 0;
  if ((!unit.empty() && unit != "%") || value > 100) {
    wrong(std::string(kBadPercent));
    return 0;
  }
  return value;
}

std::uint64_t Line::size(std::string_view expected) {
  double value = 0;
  const std::string unit = with_unit(expected, &value);
  if (problem_) return 0;
  for (const Unit& known : kSizes) {
    if (known.name != unit) continue;
    const double bytes = value * known.factor;
    if (bytes > 1e15) break;
    return static_cast<std::uint64_t>(bytes);
  }
  wrong(std::string(kBadSize));
  return 0;
}

std::int64_t Line::time(std::string_view expected) {
  double value = 0;
  const std::string unit = with_unit(expected, &value);
  if (problem_) return 0;
  for (const Unit& known : kTimes) {
    if (known.name != unit) continue;
    const double ns = value * known.factor;
    if (ns > static_cast<double>(kMaxTimeNs)) break;
    return static_cast<std::int64_t>(ns);
  }
  wrong(std::string(kBadTime));
  return 0;
}

void Line::end() {
  if (problem_ || at_end()) return;
  mistake(tokens_[next_].column, unexpected_word(tokens_[next_].text));
}

}  // namespace estiva::sim
