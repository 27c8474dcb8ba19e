// Units in types: a byte count, a ratio, a temperature and a power can't be mixed up.
#pragma once
#include <compare>
#include <cstdint>
#include <string>

namespace estiva {

// A non-negative amount of memory or disk. Subtraction stops at zero: "how much is free" of a
// device that reports more used than total is nothing, not 2^64 bytes.
struct Bytes {
  std::uint64_t value = 0;

  friend constexpr auto operator<=>(Bytes, Bytes) = default;
  friend constexpr Bytes operator+(Bytes a, Bytes b) {
    const std::uint64_t sum = a.value + b.value;
    return {sum < a.value ? UINT64_MAX : sum};
  }
  friend constexpr Bytes operator-(Bytes a, Bytes b) {
    return {a.value > b.value ? a.value - b.value : 0};
  }
  constexpr Bytes& operator+=(Bytes b) { return *this = *this + b; }
  constexpr Bytes& operator-=(Bytes b) { return *this = *this - b; }
};

constexpr Bytes kib(std::uint64_t n) {
  return {n << 10};
}
constexpr Bytes mib(std::uint64_t n) {
  return {n << 20};
}
constexpr Bytes gib(std::uint64_t n) {
  return {n << 30};
}

// Share of a whole, 0..1 (JSON and metrics carry this form).
struct Ratio {
  double value = 0;
  friend constexpr auto operator<=>(Ratio, Ratio) = default;
};
struct Celsius {
  double value = 0;
  friend constexpr auto operator<=>(Celsius, Celsius) = default;
};
struct Watts {
  double value = 0;
  friend constexpr auto operator<=>(Watts, Watts) = default;
};
struct Hertz {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(Hertz, Hertz) = default;
};

// For people: "512 MiB", "3.42 GiB", "17 B". Binary units, at most three significant places.
std::string to_text(Bytes bytes);
std::string to_text(Ratio ratio);      // "63 %"
std::string to_text(Celsius celsius);  // "71 C"
std::string to_text(Watts watts);      // "103 W"

}  // namespace estiva
