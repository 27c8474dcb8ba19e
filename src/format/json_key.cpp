#include "format/json_key.h"

#include "format/text.h"

namespace estiva::format {
namespace {

constexpr int kMaxDepth = 64;

void skip_blanks(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
}

bool take(std::string_view& rest, char wanted) {
  skip_blanks(rest);
  if (rest.empty() || rest.front() != wanted) return false;
  rest.remove_prefix(1);
  return true;
}

// Takes a text with its quotes off the front; `inside` is what lies between them, still escaped.
bool take_string(std::string_view& rest, std::string_view& inside) {
  if (!take(rest, '"')) return false;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      ++i;
    } else if (rest[i] == '"') {
      inside = rest.substr(0, i);
      rest.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

// Steps over one value: a text, a number or word, or a bracket with all that is inside it.
bool skip_value(std::string_view& rest) {
  std::string_view inside;
  int depth = 0;
  do {
    skip_blanks(rest);
    if (rest.empty()) return false;
    const char c = rest.front();
    if (c == '"') {
      if (!take_string(rest, inside)) return false;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth < 0 || depth > kMaxDepth) return false;
    const bool bracket = c == '{' || c == '[' || c == '}' || c == ']' || c == ',' || c == ':';
    if (!bracket) {
      rest.remove_prefix(std::min(rest.find_first_of(" \t\r\n,:{}[]\""), rest.size()));
    } else if (depth == 0 && (c == ',' || c == ':')) {
      return false;
    } else {
      rest.remove_prefix(1);
    }
  } while (depth > 0);
  return true;
}

// Undoes the escapes of one character; \u is left to nobody: paths do not need it.
std::optional<std::string> unescape(std::string_view inside) {
  std::string out;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] != '\\') {
      out += inside[i];
      continue;
    }
    const char c = inside[++i];  // take_string saw a character after each backslash
    if (c != '"' && c != '\\' && c != '/') return std::nullopt;
    out += c;
  }
  return is_utf8(out) ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<std::string> top_level_string(std::string_view json, std::string_view key) {
  std::string_view name, inside;
  if (!take(json, '{')) return std::nullopt;
  do {
    if (!take_string(json, name) || !take(json, ':')) return std::nullopt;
    if (name == key) {
      return take_string(json, inside) ? unescape(inside) : std::nullopt;
    }
    if (!skip_value(json)) return std::nullopt;
  } while (take(json, ','));
  return std::nullopt;
}

}  // namespace estiva::format
