// Two clocks. Durations and ages use the steady one (it counts during suspend and never steps);
// what a person reads uses the wall clock. decide/ never calls these: time arrives as a value.
#pragma once
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace estiva {

using Nanoseconds = std::chrono::nanoseconds;

// CLOCK_BOOTTIME.
struct SteadyTime {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(SteadyTime, SteadyTime) = default;
  friend constexpr Nanoseconds operator-(SteadyTime a, SteadyTime b) {
    return Nanoseconds(a.ns - b.ns);
  }
  friend constexpr SteadyTime operator+(SteadyTime a, Nanoseconds d) { return {a.ns + d.count()}; }
};

// Nanoseconds since 1970-01-01 UTC.
struct WallTime {
  std::int64_t ns = 0;
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
};

SteadyTime steady_now();
WallTime wall_now();
// "2026-11-21T09:06:22.123Z"
std::string to_rfc3339(WallTime time);

}  // namespace estiva
