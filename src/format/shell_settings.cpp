#include "format/shell_settings.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>

#include "base/messages/format_shell.h"
#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::size_t kMostBytes = 64 << 10, kMostLines = 1000;

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_first_of_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_of_name(char c) {
  return is_first_of_name(c) || (c >= '0' && c <= '9');
}

// Reads one line. Each part returns false once it has refused; `at` stands on the cause then.
class Line {
 public:
  Line(std::string_view text, unsigned number, const ShellVariables& known, ShellSettings& out)
      : text_(text), number_(number), known_(known), out_(out) {}

  // Nothing where the line is empty, a comment, or refused.
  std::optional<ShellSetting> read() {
    skip_blanks();
    if (ends() || text_[at_] == '#') return std::nullopt;
    if (text_.substr(at_).starts_with("export ")) {
      at_ += 7;
      skip_blanks();
    }
    ShellSetting setting;
    setting.place = place();
    if (!read_name(setting.name) || !read_value(setting.value)) return std::nullopt;
    return setting;
  }

 private:
  bool ends() const { return at_ >= text_.size(); }
  char here() const { return text_[at_]; }
  void skip_blanks() {
    while (!ends() && is_blank(here())) ++at_;
  }
  TextPlace place() const {
    unsigned column = 1;
    for (std::size_t i = 0; i < at_ && i < text_.size(); ++i)
      column += (static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80 ? 1 : 0;
    return {number_, column};
  }
  bool refuse(std::string what) {
    out_.refusals.push_back({std::move(what), place()});
    return false;
  }

  bool read_name(std::string& name) {
    const std::size_t start = at_;
    if (ends() || !is_first_of_name(here())) return refuse(std::string(msg::kShellNoSetting));
    while (!ends() && is_of_name(here())) ++at_;
    name = text_.substr(start, at_ - start);
    if (!ends() && here() == '=') return ++at_, true;
    at_ = start;
    return refuse(std::string(msg::kShellNoSetting));
  }

  bool read_value(std::string& value) {
    if (!ends() && here() == '~' && !read_home(value)) return false;
    while (!ends() && !is_blank(here()))
      if (!read_part(value)) return false;
    skip_blanks();
    if (ends() || here() == '#') return true;
    return refuse(std::string(msg::kShellTail));
  }

  bool read_home(std::string& value) {
    const std::size_t next = at_ + 1;
    if (next < text_.size() && text_[next] != '/' && !is_blank(text_[next]))
      return refuse(fmt::format(msg::kShellSpecial, '~'));
    ++at_;
    return fill_in("HOME", at_ - 1, value);
  }

  bool read_part(std::string& value) {
    switch (here()) {
      case '\'':
        return read_single(value);
      case '"':
        return read_double(value);
      case '$':
        return read_variable(value);
      case '`':
        return refuse(std::string(msg::kShellCommand));
      case '\\':
        if (at_ + 1 >= text_.size()) return refuse(fmt::format(msg::kShellSpecial, '\\'));
        value += text_[at_ + 1];
        at_ += 2;
        return true;
      default:
        return read_plain(value);
    }
  }

  bool read_plain(std::string& value) {
    constexpr std::string_view special = ";&|<>()*?[!{}";
    const char c = here();
    const auto byte = static_cast<unsigned char>(c);
    if (special.find(c) != special.npos || byte < 0x20 || byte == 0x7F)
      return refuse(fmt::format(msg::kShellSpecial, escape_for_terminal({&c, 1})));
    value += c;
    ++at_;
    return true;
  }

  bool read_single(std::string& value) {
    const std::size_t end = text_.find('\'', at_ + 1);
    if (end == text_.npos) return refuse(std::string(msg::kShellOpenQuote));
    value += text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return true;
  }

  bool read_double(std::string& value) {
    const std::size_t start = at_++;
    while (!ends() && here() != '"') {
      if (here() == '$') {
        if (!read_variable(value)) return false;
      } else if (here() == '`') {
        return refuse(std::string(msg::kShellCommand));
      } else {
        value += escaped();
      }
    }
    if (!ends()) return ++at_, true;
    at_ = start;
    return refuse(std::string(msg::kShellOpenQuote));
  }

  // Within double quotes a backslash keeps itself, but before these four.
  char escaped() {
    constexpr std::string_view quoted = "$`\"\\";
    const bool skips =
        here() == '\\' && at_ + 1 < text_.size() && quoted.find(text_[at_ + 1]) != quoted.npos;
    if (skips) ++at_;
    return text_[at_++];
  }

  bool read_variable(std::string& value) {
    const std::size_t start = at_++;
    if (ends()) return value += '$', true;
    const char c = here();
    const auto back = [&](std::string_view what) { return at_ = start, refuse(std::string(what)); };
    if (c == '(') return back(msg::kShellCommand);
    if (c == '{') {
      const std::size_t end = text_.find('}', at_);
      if (end == text_.npos) return back(msg::kShellExpansion);
      const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
      const bool is_name = !name.empty() && is_first_of_name(name[0]) &&
                           std::all_of(name.begin(), name.end(), is_of_name);
      if (!is_name) return back(msg::kShellExpansion);
      at_ = end + 1;
      return fill_in(name, start, value);
    }
    if (!is_first_of_name(c)) return back(msg::kShellExpansion);
    while (!ends() && is_of_name(here())) ++at_;
    return fill_in(text_.substr(start + 1, at_ - start - 1), start, value);
  }

  bool fill_in(std::string_view name, std::size_t start, std::string& value) {
    const auto& settings = out_.settings;
    const auto earlier = std::find_if(settings.rbegin(), settings.rend(),
                                      [&](const ShellSetting& one) { return one.name == name; });
    if (earlier != settings.rend()) return value += earlier->value, true;
    if (const auto it = known_.find(name); it != known_.end()) return value += it->second, true;
    at_ = start;
    return refuse(fmt::format(msg::kShellUnknownVariable, name));
  }

  std::string_view text_;
  unsigned number_;
  const ShellVariables& known_;
  ShellSettings& out_;
  std::size_t at_ = 0;
};

}  // namespace

ShellSettings read_shell_settings(std::string_view text, const ShellVariables& known) {
  ShellSettings out;
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  if (text.size() > kMostBytes || lines > kMostLines) {
    out.refusals.push_back({fmt::format(msg::kShellTooLong, kMostBytes, kMostLines), {1, 1}});
    return out;
  }
  std::string_view line;
  unsigned number = 0;
  while (next_line(text, line)) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (auto setting = Line(line, number, known, out).read())
      out.settings.push_back(std::move(*setting));
  }
  return out;
}

}  // namespace estiva::format
