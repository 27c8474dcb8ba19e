// What makes random schedules: splitmix64. A run is its seed, on every machine and library.
#pragma once
#include <cstdint>

#include "base/clock.h"

namespace estiva::test {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t n) { return n == 0 ? 0 : next() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  double unit() { return static_cast<double>(next() >> 11) / 9007199254740992.0; }
  Nanoseconds between(Nanoseconds a, Nanoseconds b) {
    return a +
           Nanoseconds(static_cast<std::int64_t>(unit() * static_cast<double>((b - a).count())));
  }

 private:
  std::uint64_t state_;
};

}  // namespace estiva::test
