#include "format/unit_file.h"

#include <array>
#include <optional>

#include "format/text.h"

namespace estiva::format {
namespace {

constexpr std::string_view kBlanks = " \t\n\r";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

// A line ends at \n, \r or \r\n.
bool take_line(std::string_view& rest, std::string_view& line) {
  if (rest.empty()) return false;
  const std::size_t end = rest.find_first_of("\r\n");
  line = rest.substr(0, end);
  if (end == std::string_view::npos) {
    rest = {};
    return true;
  }
  const bool is_pair = rest[end] == '\r' && end + 1 < rest.size() && rest[end + 1] == '\n';
  rest.remove_prefix(end + (is_pair ? 2 : 1));
  return true;
}

// True where the last character is a backslash that no other one escapes.
bool goes_on(std::string_view text) {
  bool escaped = false;
  for (const char c : text) escaped = !escaped && c == '\\';
  return escaped;
}

std::string_view skip_blanks(std::string_view text) {
  const std::size_t at = text.find_first_not_of(kBlanks);
  return at == std::string_view::npos ? std::string_view() : text.substr(at);
}

class Reader {
 public:
  explicit Reader(UnitFile& file) : file_(file) {}

  void read(std::string_view text, unsigned part) {
    part_ = part;
    section_.clear();
    if (text.size() > kMaxUnitText) {
      note(UnitProblem::Kind::too_long, 0);
      text = text.substr(0, kMaxUnitText);
    }
    if (text.substr(0, kByteOrderMark.size()) == kByteOrderMark) text.remove_prefix(3);
    std::string joined;
    std::string_view line;
    unsigned number = 0, begins = 0;
    while (take_line(text, line)) {
      ++number;
      line = skip_blanks(line);
      if (!line.empty() && (line[0] == '#' || line[0] == ';')) continue;  // within a value, too
      if (joined.empty()) begins = number;
      joined += line;
      if (goes_on(joined)) {
        joined.back() = ' ';
        continue;
      }
      take(joined, begins);
      joined.clear();
    }
    take(joined, begins);  // a last line that goes on into nothing
  }

 private:
  void take(std::string_view line, unsigned number) {
    line = trim(line);
    if (line.empty()) return;
    if (line[0] == '[') return take_section(line, number);
    const std::size_t equals = line.find('=');
    if (section_.empty()) return note(UnitProblem::Kind::no_section, number);
    if (equals == std::string_view::npos) return note(UnitProblem::Kind::no_equals, number);
    if (file_.entries.size() >= kMaxUnitEntries) return note(UnitProblem::Kind::too_long, number);
    file_.entries.push_back({section_, std::string(trim(line.substr(0, equals))),
                             std::string(trim(line.substr(equals + 1))), part_, number});
  }

  void take_section(std::string_view line, unsigned number) {
    section_.clear();
    if (line.back() != ']') return note(UnitProblem::Kind::bad_section, number);
    section_ = line.substr(1, line.size() - 2);
  }

  void note(UnitProblem::Kind kind, unsigned line) {
    if (file_.problems.size() < kMaxUnitEntries) file_.problems.push_back({kind, part_, line});
  }

  UnitFile& file_;
  std::string section_;
  unsigned part_ = 0;
};

std::optional<unsigned> digits(std::string_view text, std::size_t count, unsigned base) {
  if (text.size() < count) return std::nullopt;
  unsigned value = 0;
  for (const char c : text.substr(0, count)) {
    unsigned digit = base;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A' + 10);
    if (digit >= base) return std::nullopt;
    value = value * base + digit;
  }
  return value;
}

// Puts what "\..." at the start of `text` stands for into `out`; how many characters it takes.
std::size_t take_escape(std::string_view text, std::string& out) {
  static constexpr std::string_view kLetters = "abfnrtvs\\\"'";
  static constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v \\\"'";
  if (text.size() < 2) return text.size();
  if (const std::size_t at = kLetters.find(text[1]); at != std::string_view::npos) {
    out += kMeanings[at];
    return 2;
  }
  if (text[1] == 'x') {
    if (const auto byte = digits(text.substr(2), 2, 16)) {
      out += static_cast<char>(*byte);
      return 4;
    }
  }
  if (const auto byte = digits(text.substr(1), 3, 8); byte && *byte <= 0xff) {
    out += static_cast<char>(*byte);
    return 4;
  }
  out += text.substr(0, 2);
  return 2;
}

// Takes one word off `rest`; nothing at the end, or where a quote is never closed.
std::optional<std::string> take_word(std::string_view& rest, bool keep_escapes) {
  rest = skip_blanks(rest);
  if (rest.empty()) return std::nullopt;
  std::string word;
  char quote = 0;
  while (!rest.empty()) {
    const char c = rest[0];
    if (c == '\\' && keep_escapes) {
      const std::size_t count = std::min<std::size_t>(2, rest.size());
      word += rest.substr(0, count);
      rest.remove_prefix(count);
      continue;
    }
    if (c == '\\') {
      rest.remove_prefix(take_escape(rest, word));
      continue;
    }
    rest.remove_prefix(1);
    if (quote != 0 ? c == quote : c == '"' || c == '\'') {
      quote = quote != 0 ? '\0' : c;
    } else if (quote == 0 && kBlanks.find(c) != std::string_view::npos) {
      break;
    } else {
      word += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return word;
}

bool is_one_of(std::string_view text, std::span<const std::string_view> known) {
  for (const auto each : known) {
    if (text == each) return true;
  }
  return false;
}

}  // namespace

UnitFile parse_unit_file(std::string_view text) {
  return parse_unit_file(std::span(&text, 1));
}

UnitFile parse_unit_file(std::span<const std::string_view> texts) {
  UnitFile file;
  Reader reader(file);
  unsigned part = 0;
  for (const auto text : texts) reader.read(text, part++);
  return file;
}

std::string_view last_value(const UnitFile& file, std::string_view section, std::string_view key) {
  const auto values = all_values(file, section, key);
  return values.empty() ? std::string_view() : std::string_view(values.back()->value);
}

std::vector<const UnitEntry*> list_values(const UnitFile& file, std::string_view section,
                                          std::string_view key) {
  std::vector<const UnitEntry*> values;
  for (const auto* entry : all_values(file, section, key)) {
    if (entry->value.empty()) {
      values.clear();
    } else {
      values.push_back(entry);
    }
  }
  return values;
}

std::vector<const UnitEntry*> all_values(const UnitFile& file, std::string_view section,
                                         std::string_view key) {
  std::vector<const UnitEntry*> values;
  for (const auto& entry : file.entries) {
    if (entry.section == section && entry.key == key) values.push_back(&entry);
  }
  return values;
}

bool unit_boolean(std::string_view value, bool otherwise) {
  static constexpr std::array<std::string_view, 6> kYes = {"1", "yes", "y", "true", "t", "on"};
  static constexpr std::array<std::string_view, 6> kNo = {"0", "no", "n", "false", "f", "off"};
  std::string small(value.substr(0, 8));
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (is_one_of(small, kYes)) return true;
  return is_one_of(small, kNo) ? false : otherwise;
}

std::vector<std::string> unit_words(std::string_view value, bool keep_escapes) {
  std::vector<std::string> words;
  while (auto word = take_word(value, keep_escapes)) words.push_back(std::move(*word));
  return words;
}

ExecLine parse_exec_line(std::string_view value) {
  ExecLine line;
  bool has_own_name = false;
  value = skip_blanks(value);
  while (!value.empty() && std::string_view("-@:+!").find(value[0]) != std::string_view::npos) {
    line.may_fail |= value[0] == '-';
    has_own_name |= value[0] == '@';
    value.remove_prefix(1);
  }
  line.words = unit_words(value, false);
  if (line.words.empty()) return line;
  line.program = line.words[0];
  if (has_own_name && line.words.size() > 1) line.words.erase(line.words.begin());
  return line;
}

std::string quote_exec_word(std::string_view word) {
  const bool is_plain = !word.empty() && word.find_first_of(" \t\n\r\"'\\;") == std::string::npos;
  std::string out;
  for (const char c : word) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '%' || c == '$') out += c;
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return is_plain ? out : '"' + out + '"';
}

}  // namespace estiva::format
