#include "base/units.h"

#include <array>
#include <fmt/format.h>

namespace estiva {

std::string to_text(Bytes bytes) {
  static constexpr std::array<const char*, 5> kNames = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes.value < 1024) return fmt::format("{} B", bytes.value);
  double amount = static_cast<double>(bytes.value) / 1024.0;
  std::size_t unit = 0;
  while (amount >= 1023.5 && unit + 1 < kNames.size()) {
    amount /= 1024.0;
    ++unit;
  }
  if (amount < 9.995) return fmt::format("{:.2f} {}", amount, kNames[unit]);
  if (amount < 99.95) return fmt::format("{:.1f} {}", amount, kNames[unit]);
  return fmt::format("{:.0f} {}", amount, kNames[unit]);
}

std::string to_text(Ratio ratio) {
  return fmt::format("{:.0f} %", ratio.value * 100.0);
}

std::string to_text(Celsius celsius) {
  return fmt::format("{:.0f} C", celsius.value);
}

std::string to_text(Watts watts) {
  return fmt::format("{:.0f} W", watts.value);
}

}  // namespace estiva
