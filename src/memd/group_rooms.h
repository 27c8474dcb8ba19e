// Every memory control group of the machine with its limit and what it has swapped: whose pages an
// area may hold. Read only before a swapoff of an area that is not empty. Nothing here allocates.
#pragma once
#include <cstdint>

#include "decide/memory/scope.h"

namespace estiva::memd {

inline constexpr std::uint32_t kMostGroups = 512;

// Fills `rooms`, which has kMostGroups places, from the hierarchy below `root` (v1:
// /sys/fs/cgroup/memory, v2: /sys/fs/cgroup). The number of groups; kMostGroups + 1: there are more
// than can be known, or they can't be read, so that nothing may be decided on them.
std::uint32_t read_group_rooms(const char* root, decide::memory::GroupRoom* rooms) noexcept;

// Where that hierarchy is mounted on this machine; null: nowhere.
const char* find_group_root() noexcept;

}  // namespace estiva::memd
