// Reads what the law looks at, from files that are opened once. No call allocates after open().
#pragma once
#include <array>
#include <optional>
#include <string>

#include "base/error.h"
#include "decide/memory/law.h"
#include "memd/group_files.h"
#include "memd/text_file.h"

namespace estiva::memd {

struct SamplerPaths {
  std::string meminfo = "/proc/meminfo";  // of the host, or of what a container sees
  std::string group;                      // a control group's folder; empty: the whole host
  std::string folder;                     // of the swap files, as /proc/swaps shows it
};

// What /proc/swaps says of our areas.
struct SwapTable {
  std::array<bool, decide::memory::kMostAreas> is_listed{};
  std::array<std::uint64_t, decide::memory::kMostAreas> used{};
  std::uint32_t all = 0;      // areas, also of others
  std::uint32_t removed = 0;  // in our folder, active, and without a name: nobody can reach them
};

// `text` as /proc/swaps has it. Sizes there are in KiB, and blanks in paths are octal.
SwapTable parse_swaps(std::string_view text, std::string_view folder) noexcept;

class Sampler {
 public:
  Result<void> open(const SamplerPaths& paths);
  // `disk`: a descriptor of the swap folder; -1: none.
  decide::memory::MemorySample read(std::int64_t now_ns, int disk) noexcept;
  const SwapTable& swaps() const noexcept { return swaps_; }
  // swapon said that it takes no more: then that is the number.
  void slots_are_used_up() noexcept { slots_ = swaps_.all; }

 private:
  void read_meminfo(decide::memory::MemorySample& out) const noexcept;
  void read_pressure(decide::memory::MemorySample& out) const noexcept;
  void read_vmstat(decide::memory::MemorySample& out) const noexcept;

  TextFile meminfo_, pressure_, io_pressure_, vmstat_, swap_list_;
  std::optional<GroupFiles> group_;
  std::string folder_;
  SwapTable swaps_;
  std::uint32_t slots_ = 23;  // of a stock kernel; others have up to 28
  std::int64_t last_ns_ = 0;
};

}  // namespace estiva::memd
