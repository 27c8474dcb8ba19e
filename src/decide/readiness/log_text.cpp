#include "decide/readiness/log_text.h"

#include <algorithm>
#include <array>

#include "format/text.h"

namespace estiva::decide {
namespace {

// A line that a terminal has wrapped is at least this long; a shorter one ends where it ends, and
// a number at its end is complete.
constexpr std::size_t kWrapped = 40;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Each byte as it stands in a squashed text; 0: it is left out.
constexpr std::array<char, 256> kKept = [] {
  std::array<char, 256> kept{};
  for (unsigned c = 0x21; c < 0x7f; ++c) {
    const char letter = static_cast<char>(c);
    const bool is_left_out = letter == '"' || letter == '\'' || letter == '`' || letter == '|' ||
                             letter == '\\' || letter == '^';
    if (is_left_out) continue;
    kept.at(c) = letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  }
  return kept;
}();

// Bytes of a colour that starts at `at` of the line; 0: none. Loggers also write the escape
// character as text.
std::size_t colour_length(std::string_view line, std::size_t at) {
  const std::string_view rest = line.substr(at);
  for (const std::string_view escape : {"\x1b[", "#033[", "\\u001b[", "\\x1b[", "\\033["}) {
    if (rest.substr(0, escape.size()) != escape) continue;
    std::size_t end = escape.size();
    while (end < rest.size() && (is_digit(rest[end]) || rest[end] == ';' || rest[end] == '?')) {
      ++end;
    }
    return end < rest.size() ? end + 1 : end;
  }
  return 0;
}

struct Escape {
  std::size_t length = 0;  // 0: none
  char stands_for = '\0';  // 0: for nothing that is kept
  bool is_newline = false;
};

int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// "\n", "\t", "\u003e" of JSON and logfmt.
Escape backslash_at(std::string_view rest) {
  if (rest.size() < 2) return {1, '\0', false};
  if (rest[1] == 'n') return {2, '\0', true};
  if (rest[1] == 't' || rest[1] == 'r') return {2, '\0', false};
  if (rest[1] == 'u' && rest.size() >= 6) {
    int value = 0;
    for (std::size_t i = 2; i < 6; ++i) {
      const int one = hex_value(rest[i]);
      if (one < 0) return {1, '\0', false};
      value = value * 16 + one;
    }
    return {6, value < 0x80 ? static_cast<char>(value) : '\0', false};
  }
  return {1, '\0', false};
}

// Also the "#012" of rsyslog and the entities of HTML.
Escape escape_at(std::string_view line, std::size_t at) {
  const std::string_view rest = line.substr(at);
  if (rest[0] == '\\') return backslash_at(rest);
  if (rest[0] == '#' && rest.substr(0, 4) == "#012") return {4, '\0', true};
  if (rest[0] == '#' && rest.substr(0, 4) == "#011") return {4, '\0', false};
  if (rest[0] != '&') return {};
  if (rest.substr(0, 6) == "&quot;") return {6, '\0', false};
  if (rest.substr(0, 5) == "&#34;" || rest.substr(0, 5) == "&#39;") return {5, '\0', false};
  if (rest.substr(0, 4) == "&gt;") return {4, '>', false};
  if (rest.substr(0, 4) == "&lt;") return {4, '<', false};
  return {};
}

std::string without_colours(std::string_view line) {
  std::string clean;
  for (std::size_t at = 0; at < line.size();) {
    if (const std::size_t colour = colour_length(line, at)) {
      at += colour;
    } else {
      clean += line[at++];
    }
  }
  return clean;
}

// Docker's json-file puts the stream and the time behind the message.
std::string_view without_suffix(std::string_view line) {
  const std::size_t stream = line.rfind("\",\"stream\":\"");
  return stream == std::string_view::npos ? line : line.substr(0, stream);
}

class Squasher {
 public:
  explicit Squasher(std::size_t expected) { log_.text.reserve(expected); }

  void add_line(std::string_view line, std::size_t raw_start) {
    ++number_;
    const std::size_t before = log_.text.size();
    const std::size_t whole = line.size();
    if (line.find('\x1b') != std::string_view::npos ||
        line.find("#033[") != std::string_view::npos) {
      line = plain_ = without_colours(line);
    }
    if (!line.empty() && line[0] == '{') line = without_suffix(line);
    std::size_t at = after_prefix(line, prefix_length(line));
    while (at < line.size()) at += add_at(line, at);
    separated_ = whole < kWrapped;
    if (log_.text.size() == before) return;
    log_.lines.push_back(
        {static_cast<std::uint32_t>(before), static_cast<std::uint32_t>(raw_start), number_});
  }
  SquashedLog take() { return std::move(log_); }

 private:
  // The kernel's driver puts its name before each line of a long message.
  static std::size_t after_prefix(std::string_view line, std::size_t at) {
    return line.substr(at, 5) == "NVRM:" ? at + 5 : at;
  }
  std::size_t add_at(std::string_view line, std::size_t at) {
    const char c = line[at];
    if (c == '\x1b' || c == '#' || c == '\\') {
      if (const std::size_t colour = colour_length(line, at)) return colour;
    }
    if (c == '#' || c == '\\' || c == '&') {
      const Escape escape = escape_at(line, at);
      if (escape.length > 0) {
        keep(escape.stands_for);
        const std::size_t next = at + escape.length;
        return (escape.is_newline ? after_prefix(line, next) : next) - at;
      }
    }
    if (c == ' ' || c == '\t') separated_ = true;
    keep(c);
    return 1;
  }
  void keep(char c) {
    const char kept = kKept[static_cast<unsigned char>(c)];
    if (kept == '\0') return;
    if (separated_ && is_digit(kept) && !log_.text.empty() && is_digit(log_.text.back())) {
      log_.text += ' ';
    }
    separated_ = false;
    log_.text += kept;
  }

  SquashedLog log_;
  std::string plain_;  // the line without its colours
  bool separated_ = false;
  std::uint32_t number_ = 0;
};

}  // namespace

const SquashedLog::Line& SquashedLog::line_of(std::size_t at) const {
  const auto after =
      std::upper_bound(lines.begin(), lines.end(), at,
                       [](std::size_t place, const Line& line) { return place < line.at; });
  return *(after - 1);
}

SquashedLog squash_log(std::string_view log) {
  log = log.substr(0, kMostLogBytes);
  Squasher squasher(log.size());
  std::size_t at = 0;
  while (at < log.size()) {
    const std::size_t end = std::min(log.find('\n', at), log.size());
    squasher.add_line(log.substr(at, end - at), at);
    at = end + 1;
  }
  return squasher.take();
}

std::string squash_text(std::string_view text) {
  std::string squashed;
  for (const char c : text) {
    const char kept = kKept[static_cast<unsigned char>(c)];
    if (kept != '\0') squashed += kept;
  }
  return squashed;
}

std::string show_line(std::string_view line) {
  constexpr std::size_t kMost = 400;
  const std::string clean = without_colours(line);
  std::string_view shown = clean;
  if (!shown.empty() && shown[0] == '{') shown = without_suffix(shown);
  shown = format::trim(shown.substr(prefix_length(shown)));
  std::size_t end = 0;
  while (end < shown.size() && end < kMost) {
    const std::size_t length = std::max<std::size_t>(format::utf8_length(shown, end), 1);
    if (end + length > kMost) break;
    end += length;
  }
  return std::string(shown.substr(0, end));
}

}  // namespace estiva::decide
