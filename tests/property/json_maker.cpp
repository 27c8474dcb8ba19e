#include "property/json_maker.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace estiva::property {
namespace {

constexpr int kDeepest = 5;
constexpr std::array<std::uint32_t, 24> kCodes{
    'a',  'b',  '"',  '\\', '/',  '{',  '}',  '[',   ']',    ',',    ':',     ' ',
    '\n', '\t', '\b', 0x01, 0x1F, 0x7F, 0xE4, 0x7FF, 0x20AC, 0xFFFF, 0x1F600, 0x10FFFF};

std::string utf8(std::uint32_t code) {
  std::string out;
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6);
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
    put(0x80 | (code & 0x3F));
  }
  return out;
}

// The characters of a text that utf8() made.
std::vector<std::uint32_t> codes_of(const std::string& text) {
  std::vector<std::uint32_t> codes;
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    const int length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    std::uint32_t code = length == 1 ? first : first & (0xFF >> (length + 1));
    for (int i = 1; i < length; ++i)
      code =
          code << 6 | (static_cast<unsigned char>(text[at + static_cast<std::size_t>(i)]) & 0x3F);
    codes.push_back(code);
    at += static_cast<std::size_t>(length);
  }
  return codes;
}

}  // namespace

std::string JsonMaker::document() {
  spacing_ = static_cast<Spacing>(below(4));
  newline_ = one_in(3) ? "\r\n" : "\n";
  unit_ = std::array<const char*, 5>{"  ", "    ", "\t", " ", ""}[below(5)];
  std::string text = one_in(20) ? "\xEF\xBB\xBF" : "";
  if (one_in(50)) return text + blanks();
  text += blanks();
  text += one_in(20) ? value(1) : object(0);
  return text + (one_in(2) ? newline_ : blanks());
}

std::string JsonMaker::value(int depth) {
  switch (below(depth >= kDeepest ? 5 : 8)) {
    case 0:
      return "null";
    case 1:
      return one_in(2) ? "true" : "false";
    case 2:
    case 3:
      return number();
    case 4:
      return quoted(name());
    case 5:
      return array(depth + 1);
    default:
      return object(depth + 1);
  }
}

std::string JsonMaker::name() {
  static constexpr std::array kUsual{"features", "cdi", "runtimes", "nvidia",
                                     "path",     "a",   "ab",       ""};
  if (!one_in(4)) return kUsual[below(kUsual.size())];
  std::string text;
  for (std::size_t n = 1 + below(6); n > 0; --n) text += utf8(kCodes[below(kCodes.size())]);
  return text;
}

std::string JsonMaker::escaped(std::uint32_t code) {
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t", kLetters = "\"\\/bfnrt";
  const std::size_t letter =
      code < 0x80 ? kMeanings.find(static_cast<char>(code)) : std::string_view::npos;
  if (letter != kMeanings.npos && !one_in(3)) return std::string("\\") + kLetters[letter];
  const bool capitals = one_in(2);
  const auto unit = [&](std::uint32_t half) {
    return capitals ? fmt::format("\\u{:04X}", half) : fmt::format("\\u{:04x}", half);
  };
  if (code < 0x10000) return unit(code);
  return unit(0xD800 + ((code - 0x10000) >> 10)) + unit(0xDC00 + (code - 0x10000) % 0x400);
}

std::string JsonMaker::quoted(const std::string& meant) {
  std::string text = "\"";
  for (const std::uint32_t code : codes_of(meant)) {
    const bool must = code < 0x20 || code == '"' || code == '\\';
    text += must || one_in(6) ? escaped(code) : utf8(code);
  }
  return text + "\"";
}

std::string JsonMaker::number() {
  std::string text = one_in(3) ? "-" : "";
  const std::size_t digits = one_in(5) ? 25 : below(8);
  if (digits == 0) {
    text += "0";
  } else {
    text += static_cast<char>('1' + below(9));
    for (std::size_t i = 1; i < digits; ++i) text += static_cast<char>('0' + below(10));
  }
  if (one_in(4)) text += fmt::format(".{}{}", one_in(3) ? "00" : "", below(100'000));
  if (one_in(5)) {
    static constexpr std::array kExponents{"e", "E", "e+", "E-"};
    text += fmt::format("{}{}", kExponents[below(4)], below(400));
  }
  return text;
}

std::string JsonMaker::blanks() {
  if (spacing_ == Spacing::tight) return {};
  if (spacing_ == Spacing::loose) return one_in(2) ? " " : "";
  if (spacing_ == Spacing::lines) return {};
  std::string text;
  for (std::size_t n = below(4); n > 0; --n)
    text += std::array<std::string, 4>{" ", "\t", newline_, "  "}[below(4)];
  return text;
}

// What stands before a member of an object, an element of an array or a closing bracket.
std::string JsonMaker::gap(int depth) {
  if (spacing_ != Spacing::lines) return blanks();
  std::string text = newline_;
  for (int i = 0; i < depth; ++i) text += unit_;
  return text;
}

std::string JsonMaker::object(int depth) {
  std::vector<std::string> names;
  for (std::size_t n = below(6); n > 0; --n) names.push_back(name());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::shuffle(names.begin(), names.end(), random_);
  const char* colon = spacing_ == Spacing::tight ? ":" : ": ";
  std::string text = "{";
  for (const std::string& one : names) {
    if (text.size() > 1) text += (spacing_ == Spacing::wild ? blanks() : "") + ",";
    text += gap(depth + 1) + quoted(one);
    text += spacing_ == Spacing::wild ? blanks() + ":" + blanks() : colon;
    text += value(depth);
  }
  return text + (names.empty() ? blanks() : gap(depth)) + "}";
}

std::string JsonMaker::array(int depth) {
  std::string text = "[";
  const std::size_t elements = below(4);
  for (std::size_t i = 0; i < elements; ++i)
    text += (i > 0 ? "," : "") + gap(depth + 1) + value(depth);
  return text + (elements == 0 ? blanks() : gap(depth)) + "]";
}

}  // namespace estiva::property
