// One line per event on stderr, key=value, with a journald priority prefix when stderr is the
// journal. Values with spaces, quotes or control characters are quoted and escaped, so that a
// hostile name can't forge a line. Thread-safe: each line is one write(2).
#pragma once
#include <fmt/format.h>
#include <initializer_list>
#include <string>
#include <string_view>

namespace estiva {

enum class LogLevel { debug = 7, info = 6, notice = 5, warning = 4, error = 3 };

struct LogField {
  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  LogField(std::string_view name, const std::string& text) : key(name), value(text) {}
  template <class T>
  LogField(std::string_view name, const T& any) : key(name), value(fmt::format("{}", any)) {}
  std::string_view key;
  std::string value;
};

// Lines below this level are dropped. Set once at start, before threads exist.
void set_log_level(LogLevel lowest);
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
// The line without its newline; exposed for tests.
std::string format_log_line(LogLevel level, std::string_view message,
                            std::initializer_list<LogField> fields, bool journal);

}  // namespace estiva
