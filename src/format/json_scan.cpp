#include "format/json_scan.h"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "base/messages/format_json.h"
#include "format/text.h"

namespace estiva::format {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// What a number or a word may consist of; it ends where anything else stands.
bool is_in_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
         c == '.' || c == '_';
}

// RFC 8259, section 6, on the whole of `word`.
bool is_number(std::string_view word) {
  std::size_t at = word.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < word.size() && is_digit(word[at])) ++at;
    return at > from;
  };
  const bool zero = at < word.size() && word[at] == '0';
  if (zero) ++at;
  if (!zero && !digits()) return false;
  if (at < word.size() && word[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < word.size() && (word[at] == 'e' || word[at] == 'E')) {
    ++at;
    if (at < word.size() && (word[at] == '+' || word[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == word.size();
}

// Four hexadecimal digits, or -1.
int hex4(std::string_view text, std::size_t at) {
  if (text.size() < at + 4) return -1;
  int value = 0;
  for (const char c : text.substr(at, 4)) {
    int digit = -1;
    if (is_digit(c)) digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

// FNV-1a.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  std::optional<JsonFault> run() {
    if (!value(0)) return fault_;
    skip();
    if (at_ < text_.size()) complain(msg::kJsonTrailing);
    return fault_;
  }

 private:
  // A name of an object that is still open: what it means, as a hash, and where it stands.
  struct Name {
    std::uint64_t hash;
    std::uint32_t at;
  };

  // False always: the fault is noted. What every byte may be wrong with goes first.
  bool complain(std::string_view what) {
    if (at_ >= text_.size()) {
      fault_ = JsonFault{text_.size(), msg::kJsonEnds, {}, 0};
      return false;
    }
    if (text_[at_] == '\0') what = msg::kJsonNul;
    if (utf8_length(text_, at_) == 0) what = msg::kJsonNotUtf8;
    if (text_[at_] == '/' || text_[at_] == '#') what = msg::kJsonComment;
    fault_ = JsonFault{at_, what, {}, 0};
    return false;
  }

  void skip() { at_ = skip_json_blanks(text_, at_); }
  bool is_at(char c) const { return at_ < text_.size() && text_[at_] == c; }

  bool value(int depth) {
    skip();
    if (at_ >= text_.size()) return complain(msg::kJsonEnds);
    const char c = text_[at_];
    if (c == '"') return string();
    if (c != '{' && c != '[') return word();
    if (depth == kJsonMostDepth) return complain(msg::kJsonDeep);
    return c == '{' ? object(depth + 1) : array(depth + 1);
  }

  bool word() {
    const std::size_t from = at_;
    std::size_t end = at_;
    while (end < text_.size() && is_in_word(text_[end])) ++end;
    const std::string_view word = text_.substr(from, end - from);
    const bool known = word == "true" || word == "false" || word == "null";
    if (!known && !is_number(word)) {
      const bool meant = !word.empty() && (is_digit(word[0]) || word.find_first_of("+-.") == 0);
      return complain(meant ? msg::kJsonNumber : msg::kJsonWord);
    }
    at_ = end;
    return true;
  }

  bool string() {
    const std::size_t from = at_++;
    while (at_ < text_.size()) {
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c == '\\') {
        if (!escape()) return false;
      } else if (c < 0x20) {
        fault_ = JsonFault{at_, c == 0 ? msg::kJsonNul : msg::kJsonControl, {}, 0};
        return false;
      } else if (c < 0x80) {
        ++at_;
      } else {
        const std::size_t length = utf8_length(text_, at_);
        if (length == 0) return complain(msg::kJsonNotUtf8);
        at_ += length;
      }
    }
    fault_ = JsonFault{from, msg::kJsonEndsInText, {}, 0};
    return false;
  }

  bool escape() {
    if (at_ + 1 == text_.size()) {
      ++at_;
      return true;  // the text ends here, which string() says
    }
    const char c = text_[at_ + 1];
    const bool known = std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    const bool code = c == 'u' && hex4(text_, at_ + 2) >= 0;
    if (!known && !code) return complain(msg::kJsonEscape);
    at_ += code ? 6 : 2;
    return true;
  }

  // Behind an element: on to the next one, or behind the closing bracket.
  enum class Next : std::uint8_t { element, closed, wrong };
  Next next(char closing) {
    skip();
    if (is_at(closing)) {
      ++at_;
      return Next::closed;
    }
    if (!is_at(',')) {
      complain(msg::kJsonNoComma);
      return Next::wrong;
    }
    const std::size_t comma = at_++;
    skip();
    if (is_at('}') || is_at(']')) {
      fault_ = JsonFault{comma, msg::kJsonLastComma, {}, 0};
      return Next::wrong;
    }
    return Next::element;
  }

  bool array(int depth) {
    ++at_;
    skip();
    if (is_at(']')) {
      ++at_;
      return true;
    }
    Next then = Next::element;
    while (then == Next::element) {
      if (!value(depth)) return false;
      then = next(']');
    }
    return then == Next::closed;
  }

  bool object(int depth) {
    ++at_;
    skip();
    if (is_at('}')) {
      ++at_;
      return true;
    }
    const std::size_t first = names_.size();
    Next then = Next::element;
    while (then == Next::element) {
      if (!member(depth)) return false;
      then = next('}');
    }
    if (then != Next::closed || has_twin(first)) return false;
    names_.resize(first);
    return true;
  }

  bool member(int depth) {
    skip();
    if (!is_at('"')) return complain(msg::kJsonNoKey);
    const std::size_t from = at_;
    if (!string()) return false;
    note(text_.substr(from, at_ - from), static_cast<std::uint32_t>(from));
    skip();
    if (!is_at(':')) return complain(msg::kJsonNoColon);
    ++at_;
    return value(depth);
  }

  void note(std::string_view quoted, std::uint32_t at) {
    const std::string_view name = quoted.substr(1, quoted.size() - 2);
    const bool plain = name.find('\\') == name.npos;
    names_.push_back({plain ? hash_of(name) : hash_of(unquote_json(quoted)), at});
  }

  // Whether a name since `first` stands twice; notes the twin that stands first.
  bool has_twin(std::size_t first) {
    const auto begin = names_.begin() + static_cast<std::ptrdiff_t>(first);
    const auto by_hash = [](const Name& a, const Name& b) {
      return a.hash != b.hash ? a.hash < b.hash : a.at < b.at;
    };
    std::sort(begin, names_.end(), by_hash);
    for (auto one = begin; one != names_.end();) {
      auto end = one + 1;
      while (end != names_.end() && end->hash == one->hash) ++end;
      if (end - one > 1) compare({one, end});
      one = end;
    }
    return fault_.has_value();
  }

  // Names of one hash: mostly twins, but nothing is refused for a hash.
  void compare(std::span<const Name> names) {
    std::vector<std::pair<std::string, std::uint32_t>> meant;
    for (const Name& name : names) {
      const std::size_t end = end_of_json_string(text_, name.at);
      meant.emplace_back(unquote_json(text_.substr(name.at, end - name.at)), name.at);
    }
    std::sort(meant.begin(), meant.end());
    for (std::size_t i = 1; i < meant.size(); ++i) {
      const auto& [name, at] = meant[i];
      if (meant[i - 1].first != name || (fault_ && fault_->at < at)) continue;
      fault_ = JsonFault{at, msg::kJsonTwice, name, meant[i - 1].second};
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<JsonFault> fault_;
  std::vector<Name> names_;
};

}  // namespace

std::optional<JsonFault> check_json(std::string_view text) {
  return Checker(text).run();
}

TextPlace place_in(std::string_view text, std::size_t at) {
  TextPlace place{1, 1};
  for (const char c : text.substr(0, at)) {
    if (c == '\n') {
      ++place.line;
      place.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++place.column;
    }
  }
  return place;
}

std::size_t skip_json_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

std::size_t end_of_json_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

std::size_t end_of_json_value(std::string_view text, std::size_t at) {
  const JsonType type = json_type_at(text, at);
  if (type == JsonType::text) return end_of_json_string(text, at);
  if (type != JsonType::object && type != JsonType::array) {
    while (at < text.size() && is_in_word(text[at])) ++at;
    return at;
  }
  for (int depth = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_json_string(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) return at;
  }
  return text.size();
}

JsonType json_type_at(std::string_view text, std::size_t at) {
  switch (text[at]) {
    case '{':
      return JsonType::object;
    case '[':
      return JsonType::array;
    case '"':
      return JsonType::text;
    case 't':
    case 'f':
      return JsonType::boolean;
    case 'n':
      return JsonType::null;
    default:
      return JsonType::number;
  }
}

std::string unquote_json(std::string_view quoted) {
  static constexpr std::string_view kLetters = "bfnrt", kMeanings = "\b\f\n\r\t";
  std::string out;
  if (quoted.size() < 2) return out;
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  for (std::size_t at = 0; at < inside.size();) {
    if (inside[at] != '\\') {
      out += inside[at++];
      continue;
    }
    if (at + 1 == inside.size()) break;  // no text of JSON
    const char c = inside[at + 1];
    if (c != 'u') {
      const std::size_t letter = kLetters.find(c);
      out += letter == kLetters.npos ? c : kMeanings[letter];
      at += 2;
      continue;
    }
    const int four = hex4(inside, at + 2);
    if (four < 0) break;
    auto code = static_cast<std::uint32_t>(four);
    at += 6;
    const bool high = code >= 0xD800 && code < 0xDC00;
    const int low = high && inside.substr(at, 2) == "\\u" ? hex4(inside, at + 2) : -1;
    if (low >= 0xDC00 && low < 0xE000) {
      code = 0x10000 + ((code - 0xD800) << 10) + (static_cast<std::uint32_t>(low) - 0xDC00);
      at += 6;
    }
    append_utf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
  }
  return out;
}

std::optional<JsonMemberSpan> next_json_member(std::string_view text, std::size_t at) {
  at = skip_json_blanks(text, at);
  if (at < text.size() && text[at] == ',') at = skip_json_blanks(text, at + 1);
  if (at >= text.size() || text[at] != '"') return std::nullopt;
  JsonMemberSpan member;
  member.key_begin = at;
  member.key_end = end_of_json_string(text, at);
  const std::size_t colon = skip_json_blanks(text, member.key_end);
  member.value_begin = skip_json_blanks(text, colon + 1);
  member.value_end = end_of_json_value(text, member.value_begin);
  return member;
}

}  // namespace estiva::format
