#include "cli/render_parts.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fmt/format.h>

#include "base/messages/cli.h"
#include "base/units.h"
#include "format/text.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using format::escape_for_terminal;

// Seconds since 1970 of "2026-11-21T09:06:22.123Z"; nullopt for anything else.
std::optional<double> seconds_of(const std::string& stamp) {
  std::tm time{};
  int read = 0;
  if (std::sscanf(stamp.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &time.tm_year, &time.tm_mon,
                  &time.tm_mday, &time.tm_hour, &time.tm_min, &time.tm_sec, &read) != 6)
    return std::nullopt;
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  return static_cast<double>(::timegm(&time));
}

std::string age_text(double seconds) {
  if (seconds < 120) return fmt::format(m::kSecondsAgo, std::max(0.0, seconds));
  if (seconds < 7200) return fmt::format(m::kMinutesAgo, seconds / 60);
  return fmt::format(m::kHoursAgo, seconds / 3600);
}

std::optional<double> age_of(const GpuDocument& document, WallTime now) {
  if (document.age_seconds) return document.age_seconds;
  const auto then = seconds_of(document.sampled_at);
  if (!then) return std::nullopt;
  return static_cast<double>(now.ns) / 1e9 - *then;
}

std::string stale_line(const GpuDocument& document, WallTime now) {
  const auto age = age_of(document, now);
  return age ? fmt::format(m::kStale, age_text(*age)) : std::string(m::kStaleUnknown);
}

}  // namespace

std::string bytes_cell(std::optional<std::uint64_t> bytes) {
  return bytes ? to_text(Bytes{*bytes}) : std::string(m::kUnknown);
}
std::string ratio_cell(std::optional<double> ratio) {
  return ratio ? to_text(Ratio{*ratio}) : std::string(m::kUnknown);
}

std::string words_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return escape_for_terminal(name);
}

std::string banner(const GpuDocument& document, const RenderOptions& options) {
  std::string out;
  if (document.simulated) out += paint(options.style, Colour::yellow, m::kSimulated) + "\n";
  if (document.source == "recorded")
    out += paint(options.style, Colour::yellow, m::kRecorded) + "\n";
  if (document.stale && !document.gpus.empty())
    out += paint(options.style, Colour::red, stale_line(document, options.now)) + "\n";
  return out;
}

std::string sentence(std::string_view text) {
  std::string out = escape_for_terminal(text);
  while (!out.empty() && out.back() == '.') out.pop_back();
  return out;
}

std::string remedy_line(const std::string& remedy) {
  return remedy.empty() ? std::string() : fmt::format(m::kRemedy, sentence(remedy)) + "\n";
}

bool is_ready(const DriverRow& driver) {
  return driver.state == "ok" || driver.state == "ready";
}

std::string driver_lines(const GpuDocument& document, const RenderOptions& options) {
  const DriverRow& driver = document.driver;
  const std::string reason = driver.reason.empty() ? std::string(m::kNoReason) : driver.reason;
  std::string out;
  if (document.gpus.empty()) {
    out = paint(options.style, Colour::red, fmt::format(m::kNoGpus, sentence(reason))) + "\n";
  } else if (!is_ready(driver)) {
    const std::string state = words_of(driver.state);
    out = paint(options.style, Colour::red, fmt::format(m::kDriverNote, state, sentence(reason)));
    out += "\n";
  }
  return out.empty() ? out : out + remedy_line(driver.remedy);
}

}  // namespace estiva::cli
