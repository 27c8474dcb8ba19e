// What stands before the message in a line of a log.
#include <algorithm>

#include "decide/readiness/log_text.h"

namespace estiva::decide {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' ||
         c == '.' || c == '@' || c == '/';
}

// A place in a line; each take_ moves it only when what it looks for stands there.
class Cursor {
 public:
  explicit Cursor(std::string_view line, std::size_t at = 0) : line_(line), at_(at) {}
  std::size_t at() const { return at_; }
  bool done() const { return at_ >= line_.size(); }
  char peek() const { return done() ? '\0' : line_[at_]; }
  std::string_view rest() const { return line_.substr(std::min(at_, line_.size())); }
  void skip(std::size_t n) { at_ += n; }

  bool take(char c) {
    if (peek() != c || done()) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view text) {
    if (rest().substr(0, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }
  bool take_any(std::string_view set) {
    if (done() || set.find(peek()) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  // As many digits as there are; false, and nothing taken, unless they are `least` to `most`.
  bool take_digits(std::size_t least, std::size_t most) {
    std::size_t n = 0;
    while (n <= most && at_ + n < line_.size() && is_digit(line_[at_ + n])) ++n;
    if (n < least || n > most) return false;
    at_ += n;
    return true;
  }
  std::size_t take_blanks() {
    const std::size_t from = at_;
    while (!done() && is_blank(peek())) ++at_;
    return at_ - from;
  }
  // A word of at most 80 characters.
  std::size_t take_word() {
    const std::size_t from = at_;
    while (!done() && is_word(peek()) && at_ - from < 80) ++at_;
    return at_ - from;
  }

 private:
  std::string_view line_;
  std::size_t at_;
};

// "17:56:22", "17:56:22.123456", "17:56:22,123Z", "17:56:22+08:00".
bool take_time(Cursor& cursor) {
  Cursor c = cursor;
  if (!c.take_digits(1, 2) || !c.take(':') || !c.take_digits(2, 2) || !c.take(':') ||
      !c.take_digits(2, 2)) {
    return false;
  }
  if (c.take_any(".,")) c.take_digits(1, 9);
  if (!c.take('Z') && c.take_any("+-")) {
    c.take_digits(2, 4);
    if (c.take(':')) c.take_digits(2, 2);
  }
  cursor = c;
  return true;
}

// "2024-05-01T12:00:00Z", "2024/05/01 12:00:00".
bool take_date_time(Cursor& cursor) {
  Cursor c = cursor;
  if (!c.take_digits(4, 4) || !c.take_any("-/") || !c.take_digits(2, 2) || !c.take_any("-/") ||
      !c.take_digits(2, 2) || !c.take_any("T _") || !take_time(c)) {
    return false;
  }
  cursor = c;
  return true;
}

// "May  1 12:00:00": one or two words that name a month, a day, a time. Months may be in any
// language.
bool take_syslog_time(Cursor& cursor) {
  Cursor c = cursor;
  constexpr std::size_t kLongestMonth = 16;  // bytes
  std::size_t n = 0;
  while (!c.done() && !is_blank(c.peek()) && n < kLongestMonth) {
    const char one = c.peek();
    if (one == ':' || one == '[' || one == '=' || one == '"') return false;
    c.skip(1);
    ++n;
  }
  if (n == 0 || c.take_blanks() == 0 || !c.take_digits(1, 2)) return false;
  c.take('.');
  if (c.take_blanks() == 0 || !take_time(c)) return false;
  cursor = c;
  return true;
}

// " host prog[12]: ", " host kernel: ", " prog[12]: ".
void take_sender(Cursor& cursor) {
  for (const bool has_host : {true, false}) {
    Cursor c = cursor;
    c.take_blanks();
    if (has_host && (c.take_word() == 0 || c.take_blanks() == 0)) continue;
    if (c.take("kernel:")) {
      cursor = c;
      return;
    }
    const bool round = c.take('(');
    if (c.take_word() == 0) continue;
    if (round) c.take(')');
    if (!c.take('[') || !c.take_digits(1, 10) || !c.take(']') || !c.take(':')) continue;
    cursor = c;
    return;
  }
}

// "05:06:07" somewhere in a text.
bool has_time(std::string_view text) {
  for (std::size_t at = 0; at + 8 <= text.size(); ++at) {
    Cursor c(text, at);
    const bool is_one = c.take_digits(2, 2) && c.take(':') && c.take_digits(2, 2) && c.take(':') &&
                        c.take_digits(2, 2);
    if (is_one) return true;
  }
  return false;
}

// "[12345.678901]", "[Mon May  1 12:00:00 2024]", "[    8.8]".
bool take_bracket(Cursor& cursor) {
  constexpr std::size_t kLongest = 40;
  const std::string_view rest = cursor.rest();
  if (rest.empty() || rest[0] != '[') return false;
  const std::size_t end = rest.substr(0, kLongest).find(']');
  if (end == std::string_view::npos) return false;
  const std::string_view inside = rest.substr(1, end - 1);
  const bool is_number = inside.find('.') != std::string_view::npos &&
                         std::all_of(inside.begin(), inside.end(),
                                     [](char c) { return is_digit(c) || is_blank(c) || c == '.'; });
  if (!is_number && !has_time(inside)) return false;
  cursor.skip(end + 1);
  return true;
}

// "ollama-1  | ", "[ollama] | ", "stack_ollama.1.k2j@host    | ".
bool take_compose(Cursor& cursor) {
  Cursor c = cursor;
  const bool square = c.take('[');
  if (c.take_word() == 0) return false;
  if (square) c.take(']');
  if (c.take_blanks() == 0 || !c.take('|')) return false;
  if (!c.done() && c.take_blanks() == 0) return false;
  cursor = c;
  return true;
}

// "<6>" and "6,1234,5678,-;" of /dev/kmsg.
bool take_kmsg(Cursor& cursor) {
  Cursor c = cursor;
  if (c.take('<')) {
    if (!c.take_digits(1, 3) || !c.take('>')) return false;
  } else if (!c.take_digits(1, 4) || !c.take(',') || !c.take_digits(1, 20) || !c.take(',') ||
             !c.take_digits(1, 20) || !c.take(',') || !c.take_any("-c+") || !c.take(';')) {
    return false;
  }
  cursor = c;
  return true;
}

// "E0508 06:47:09.339989   38408 nvc.c:376] ".
bool take_klog(Cursor& cursor) {
  Cursor c = cursor;
  if (!c.take_any("IWEFD") || !c.take_digits(4, 4) || c.take_blanks() == 0 || !take_time(c) ||
      c.take_blanks() == 0 || !c.take_digits(1, 10) || c.take_blanks() == 0 || c.take_word() == 0 ||
      !c.take(':') || !c.take_digits(1, 6) || !c.take(']')) {
    return false;
  }
  cursor = c;
  return true;
}

bool take_one(Cursor& cursor) {
  if (cursor.take_blanks() > 0 || cursor.take("> ")) return true;
  if (take_date_time(cursor) || take_syslog_time(cursor) || take_time(cursor)) {
    take_sender(cursor);
    return true;
  }
  return take_compose(cursor) || take_bracket(cursor) || take_kmsg(cursor) || take_klog(cursor) ||
         cursor.take("{\"log\":\"");
}

}  // namespace

std::size_t prefix_length(std::string_view line) {
  constexpr int kMostPrefixes = 12;  // blanks count too
  Cursor cursor(line);
  for (int i = 0; i < kMostPrefixes && take_one(cursor); ++i) {
  }
  return std::min(cursor.at(), line.size());
}

}  // namespace estiva::decide
