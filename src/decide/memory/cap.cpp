// How much swap may ever be taken: by RAM, by the volume, and by what must stay free on it.
#include <algorithm>

#include "decide/memory/law_parts.h"

namespace estiva::decide::memory {

namespace {

constexpr std::uint64_t kSeedMinimum = 2 * kGiB;  // offered on a small disk too
constexpr std::uint64_t kFreeFloor = 20 * kGiB;

std::uint64_t thrice(std::uint64_t ram) {
  return ram > UINT64_MAX / 3 ? UINT64_MAX : ram * 3;
}

}  // namespace

std::uint64_t disk_floor_of(const LawSettings& settings, const MemorySample& sample) noexcept {
  if (settings.disk_floor > 0) return settings.disk_floor;
  return std::max(sample.disk_total / 10, kFreeFloor);
}

std::uint64_t most_swap(const LawSettings& settings, const MemorySample& sample,
                        std::uint64_t ours) noexcept {
  // As if none of ours were there: what they take would be free.
  const std::uint64_t room = sample.disk_free + ours;
  const std::uint64_t wanted =
      settings.cap > 0 ? settings.cap : std::min(thrice(sample.total), sample.disk_total / 8);
  const std::uint64_t cap = std::min(wanted, less(room, disk_floor_of(settings, sample)));
  if (cap >= kSeedMinimum || settings.disk_floor > 0) return cap;
  const std::uint64_t least =
      settings.cap > 0 ? std::min(settings.cap, kSeedMinimum) : kSeedMinimum;
  return std::max(cap, std::min(least, less(room, sample.disk_total / 10)));
}

}  // namespace estiva::decide::memory
