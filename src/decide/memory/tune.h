// The kernel's settings of swapping, by the device that swap is on, as a plan; and the seed's
// values as profiles that say what is wrong with them. Pure.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "model/plan.h"

namespace estiva::decide::memory {

enum class SwapDevice : std::uint8_t { hdd, sata_ssd, nvme, zram, zswap };
enum class TuneProfile : std::uint8_t { ours, seed_ssd, seed_hdd };

struct TuneLook {
  SwapDevice device = SwapDevice::sata_ssd;
  Bytes ram;
  // "vm.swappiness" and so on; what is not there can't be read and is left alone.
  std::map<std::string, std::uint64_t, std::less<>> now;
  bool knows_200 = true;  // Linux 5.8 and later
};

struct TunedValue {
  std::string name;
  std::uint64_t now = 0, wanted = 0;
  std::string reason;
  friend bool operator==(const TunedValue&, const TunedValue&) = default;
};

struct Tuning {
  std::vector<TunedValue> values;       // all of the profile, also those that are so already
  std::vector<std::string> objections;  // of the profile; sentences
  std::vector<std::string> notes;       // what was left alone, and why
  // One step a value that differs, and the file for the next boot; act/ leaves the file out where
  // it holds that already. Each value is undone to what it was.
  Plan plan;
};

// Where the values stand for the next boot: behind 99-sysctl.conf, which is /etc/sysctl.conf.
inline constexpr std::string_view kTuneFilePath = "/etc/sysctl.d/99-zz-estiva-memory.conf";

// The values follow the kernel's own description of vm.swappiness (the cost of swapping against
// that of reading a file: 100 is equal; swap twice as fast: 133).
Tuning plan_tuning(const TuneLook& look, TuneProfile profile);

}  // namespace estiva::decide::memory
