// A machine at rest, and one that is pressed, for the tests of the law.
#pragma once
#include "decide/memory/law.h"

namespace estiva::decide::memory {

inline constexpr std::int64_t kMs = 1'000'000, kSecond = 1'000'000'000;

inline MemorySample machine(std::uint64_t ram = kGiB) {
  MemorySample sample;
  sample.at_ns = kSecond;
  sample.total = ram;
  sample.available = ram - ram / 8;
  sample.disk_total = 400 * kGiB;
  sample.disk_free = 300 * kGiB;
  sample.slots_free = 20;
  sample.anon = ram / 16;
  return sample;
}

inline SwapAreas standing(MemorySample& sample, std::uint64_t used = 0) {
  SwapAreas areas{};
  areas[0] = {1, AreaState::active, 512 * kMiB, used, 0};
  areas[1] = {2, AreaState::active, 512 * kMiB, 0, 0};
  sample.swap_total = kGiB;
  sample.swap_free = kGiB - used;
  return areas;
}

inline bool has(const Decision& decision, ActionKind kind) {
  for (std::uint32_t i = 0; i < decision.action_count; ++i)
    if (decision.actions[i].kind == kind) return true;
  return false;
}

// One tick in which memory fills at `rate` with little left.
inline Decision pressed(LawState& state, MemorySample sample, const SwapAreas& areas,
                        const LawSettings& settings = {}) {
  decide_tick(state, settings, sample, areas);
  sample.at_ns += 100 * kMs;
  sample.available = 10 * kMiB;
  sample.anon = 900 * kMiB;
  return decide_tick(state, settings, sample, areas);
}

}  // namespace estiva::decide::memory
