#include "base/log.h"

#include <atomic>
#include <cstdlib>
#include <iterator>
#include <unistd.h>

#include "base/clock.h"

namespace estiva {
namespace {

std::atomic<LogLevel> lowest_level{LogLevel::info};

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return true;
  }
  return false;
}

void append_value(std::string& line, std::string_view text) {
  if (!needs_quotes(text)) {
    line += text;
    return;
  }
  line += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(line), "\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      line += c;
    }
  }
  line += '"';
}

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::notice:
      return "notice";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "info";
}

}  // namespace

void set_log_level(LogLevel lowest) {
  lowest_level = lowest;
}

std::string format_log_line(LogLevel level, std::string_view message,
                            std::initializer_list<LogField> fields, bool journal) {
  std::string line;
  if (journal) {
    line = fmt::format("<{}>", static_cast<int>(level));
  } else {
    line = fmt::format("{} level={} ", to_rfc3339(wall_now()), level_name(level));
  }
  line += "msg=";
  append_value(line, message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.key;
    line += '=';
    append_value(line, field.value);
  }
  return line;
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (static_cast<int>(level) > static_cast<int>(lowest_level.load(std::memory_order_relaxed))) {
    return;
  }
  static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
  std::string line = format_log_line(level, message, fields, journal);
  line += '\n';
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace estiva
