#include "decide/memory/scope.h"

#include <algorithm>

#include "decide/memory/law_parts.h"

namespace estiva::decide::memory {

namespace {

constexpr int kMostParents = 64;

// Keeps the tightest of what was looked at; false where it does not fit.
bool fits(RetireCheck& check, std::int32_t group, std::uint64_t needed, std::uint64_t room) {
  const bool first = check.needed == 0;
  if (room >= needed && !first && room - needed >= less(check.room, check.needed)) return true;
  check.group = group;
  check.needed = needed;
  check.room = room;
  return room >= needed;
}

bool lineage_fits(RetireCheck& check, const GroupRoom* groups, std::uint32_t count, std::int32_t at,
                  std::uint64_t needed) {
  for (int depth = 0; at >= 0 && depth < kMostParents; ++depth) {
    if (static_cast<std::uint32_t>(at) >= count) return true;
    const GroupRoom& group = groups[at];
    if (group.limit != kNoLimit && !fits(check, at, needed, less(group.limit, group.current)))
      return false;
    at = group.parent;
  }
  return true;
}

}  // namespace

MemorySample in_group(const MemorySample& host, const GroupMemory& group) noexcept {
  MemorySample sample = host;
  sample.total = std::min(host.total, group.limit);
  if (group.limit != kNoLimit) {
    const std::uint64_t left = less(group.limit, group.current) + group.inactive_file;
    sample.available = std::min({left, host.available, sample.total});
  }
  const std::uint64_t swap_left =
      group.swap_limit == kNoLimit ? kNoLimit : less(group.swap_limit, group.swap_current);
  sample.swap_free = std::min(host.swap_free, swap_left);
  sample.swap_total = sample.swap_free + group.swap_current;
  sample.swap_cached = 0;
  sample.anon = group.anon;
  sample.shmem = group.shmem;
  sample.mlocked = sample.unevictable = group.unevictable;
  sample.oom_kills = group.oom_kills;
  sample.has_psi = group.has_psi;
  sample.psi_some_us = group.psi_some_us;
  sample.psi_full_us = group.psi_full_us;
  return sample;
}

RetireCheck may_retire(std::uint64_t used, const GroupRoom* groups, std::uint32_t count,
                       std::uint64_t host_available, std::uint64_t reserve,
                       std::uint64_t margin) noexcept {
  RetireCheck check;
  if (!fits(check, -1, used + reserve, host_available)) return check;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t share = std::min(used, groups[i].swapped);
    if (share == 0) continue;
    if (!lineage_fits(check, groups, count, static_cast<std::int32_t>(i), share + margin))
      return check;
  }
  check.may = true;
  return check;
}

}  // namespace estiva::decide::memory
