#include "base/clock.h"

#include <ctime>
#include <fmt/format.h>

namespace estiva {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return static_cast<std::int64_t>(ts.tv_sec) * 1'000'000'000 + ts.tv_nsec;
}

}  // namespace

SteadyTime steady_now() {
  return {read_clock(CLOCK_BOOTTIME)};
}

WallTime wall_now() {
  return {read_clock(CLOCK_REALTIME)};
}

std::string to_rfc3339(WallTime time) {
  std::int64_t millis = time.ns / 1'000'000;
  if (time.ns % 1'000'000 < 0) --millis;
  std::int64_t seconds = millis / 1000;
  std::int64_t rest = millis % 1000;
  if (rest < 0) {
    rest += 1000;
    --seconds;
  }
  const std::time_t when = seconds;
  std::tm tm{};
  gmtime_r(&when, &tm);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", tm.tm_year + 1900, tm.tm_mon + 1,
                     tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, rest);
}

}  // namespace estiva
