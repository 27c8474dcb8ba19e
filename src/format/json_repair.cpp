#include "format/json_repair.h"

#include <algorithm>

#include "format/json_scan.h"

namespace estiva::format {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

char closer_of(char opener) {
  return opener == '{' ? '}' : ']';
}

class Mender {
 public:
  explicit Mender(std::string_view text) : text_(text) {}

  std::optional<std::string> run() {
    while (at_ < text_.size())
      if (!step()) return std::nullopt;
    if (!closed_ && open_.empty()) return std::nullopt;  // neither object nor list
    drop_comma();
    close_all();
    return std::move(out_);
  }

 private:
  bool step() {
    const char c = text_[at_];
    if (is_blank(c)) return keep(1);
    if (is_comment()) return true;
    if (closed_) return drop_closer(c);
    if (c == '"') return copy_text();
    if (c == '{' || c == '[') return open(c);
    if (c == '}' || c == ']') return close(c);
    if (c == ',' || c == ':') return mark(c);
    return copy_word();
  }

  bool keep(std::size_t count) {
    out_.append(text_.substr(at_, count));
    at_ += count;
    return true;
  }

  // Skips it. The end of its line stays.
  bool is_comment() {
    const std::string_view rest = text_.substr(at_);
    std::size_t end = 0;
    if (rest.starts_with('#') || rest.starts_with("//")) {
      end = std::min(rest.find('\n'), rest.size());
    } else if (rest.starts_with("/*")) {
      const std::size_t closes = rest.find("*/", 2);
      end = closes == rest.npos ? 0 : closes + 2;
    }
    at_ += end;
    return end > 0;
  }

  // Behind the whole value: brackets that are too many, and nothing else.
  bool drop_closer(char c) {
    if (c != '}' && c != ']' && c != ',') return false;
    ++at_;
    return true;
  }

  bool begin_value() {
    if (open_.empty() && has_value_) return false;
    // Right behind the value before it, where blanks may follow already.
    if (has_value_) out_.insert(value_end_, 1, ',');
    return true;
  }
  void end_value() {
    has_value_ = true;
    value_end_ = out_.size();
    comma_at_ = std::string::npos;
  }

  bool copy_text() {
    if (!begin_value()) return false;
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return false;
    keep(end + 1 - at_);
    end_value();
    return true;
  }

  bool copy_word() {
    if (open_.empty() || !begin_value()) return false;
    const auto ends = [](char c) {
      return is_blank(c) || std::string_view("\"{}[],:#/").find(c) != std::string_view::npos;
    };
    const std::string_view rest = text_.substr(at_);
    const auto end = std::ranges::find_if(rest, ends);
    if (end == rest.begin()) return false;
    keep(static_cast<std::size_t>(end - rest.begin()));
    end_value();
    return true;
  }

  bool open(char c) {
    if (!begin_value()) return false;
    open_ += c;
    has_value_ = false;
    comma_at_ = std::string::npos;
    return keep(1);
  }

  bool close(char c) {
    if (open_.empty() || closer_of(open_.back()) != c) return false;
    drop_comma();
    open_.pop_back();
    keep(1);
    end_value();
    closed_ = open_.empty();
    return true;
  }

  bool mark(char c) {
    if (!has_value_) return false;  // also two commas: what stood between them?
    has_value_ = false;
    comma_at_ = c == ',' ? out_.size() : std::string::npos;
    return keep(1);
  }

  // The one with nothing behind it.
  void drop_comma() {
    if (comma_at_ == std::string::npos) return;
    out_.erase(comma_at_, 1);
    comma_at_ = std::string::npos;
  }

  // Before the blanks at the end, each on a line of its own where the text has lines.
  void close_all() {
    const bool has_lines = text_.find('\n') != text_.npos;
    while (!open_.empty()) {
      if (has_lines && !out_.ends_with('\n')) out_ += '\n';
      out_ += closer_of(open_.back());
      if (has_lines) out_ += '\n';
      open_.pop_back();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  std::string open_;           // brackets, the outermost first
  bool has_value_ = false;     // a value stands before, without a comma or colon behind it
  std::size_t value_end_ = 0;  // of that value, in out_
  std::size_t comma_at_ = std::string::npos;  // in out_: a comma with nothing behind it yet
  bool closed_ = false;                       // the whole value has ended
};

}  // namespace

std::optional<std::string> repair_json(std::string_view text) {
  const std::size_t start = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const std::string_view body = text.substr(start);
  if (!check_json(body)) return std::nullopt;
  auto mended = Mender(body).run();
  if (!mended || check_json(*mended)) return std::nullopt;
  return std::string(text.substr(0, start)) + *mended;
}

}  // namespace estiva::format
