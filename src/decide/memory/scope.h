// The law for one container or slice instead of the whole machine, and whether an area may go
// though pages are in it. Pure; nothing here allocates or throws.
#pragma once
#include <cstdint>

#include "decide/memory/law.h"

namespace estiva::decide::memory {

inline constexpr std::uint64_t kNoLimit = UINT64_MAX;

// What a control group's files say, v1 or v2; bytes. A limit that is "max" is kNoLimit.
struct GroupMemory {
  std::uint64_t limit = kNoLimit, current = 0;
  std::uint64_t swap_limit = kNoLimit, swap_current = 0;  // v2: of swap alone
  std::uint64_t anon = 0, shmem = 0, unevictable = 0;     // memory.stat
  std::uint64_t inactive_file = 0;                        // can be dropped at once
  std::uint64_t psi_some_us = 0, psi_full_us = 0, oom_kills = 0;
  bool has_psi = false;
};

// `host` as that group sees it: its limit stands for the RAM, what is left below it for what is
// available. A group can have no more than the machine has. Disk, slots and times stay the host's.
MemorySample in_group(const MemorySample& host, const GroupMemory& group) noexcept;

// One group whose pages may be in an area. `parent` is its index in the same list; -1: none.
struct GroupRoom {
  std::uint64_t limit = kNoLimit, current = 0, swapped = 0;
  std::int32_t parent = -1;
};

struct RetireCheck {
  bool may = false;
  std::int32_t group = -1;             // that has no room; -1 with may == false: the machine
  std::uint64_t needed = 0, room = 0;  // the numbers of the refusal, or of the tightest that passed
};

// True where a swapoff of an area with `used` bytes in it can harm nobody. Nothing tells whose
// pages they are, so each group is taken for the owner of all of them, as far as it has so many
// swapped, and needs that and `margin` below its limit and those of its parents; and the machine
// needs `reserve` beyond them. The kernel checks none of this and kills the owner (measured: ENOMEM
// after 0.17 s and oom_kill 1, with 20 GiB free on the host). At most 64 parents are followed.
RetireCheck may_retire(std::uint64_t used, const GroupRoom* groups, std::uint32_t count,
                       std::uint64_t host_available, std::uint64_t reserve,
                       std::uint64_t margin) noexcept;

}  // namespace estiva::decide::memory
