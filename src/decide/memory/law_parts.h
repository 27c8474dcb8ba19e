// The parts of one tick of the law: each is a step that fills in the decision. For law.cpp and its
// tests. Nothing here allocates or throws.
#pragma once
#include "decide/memory/law.h"

namespace estiva::decide::memory {

// a - b, but never below nothing.
constexpr std::uint64_t less(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : 0;
}

// Our areas, added up.
struct Areas {
  std::uint64_t active = 0;  // bytes that the kernel may use
  std::uint64_t ours = 0;    // on disk: prepared, active and retiring
  std::uint32_t count = 0;
  std::uint32_t prepared_id = 0;
  std::uint64_t prepared_size = 0;  // 0: none is ready
  bool retiring = false;
};

// One tick while it is being decided.
struct Tick {
  LawState& state;
  const LawSettings& settings;
  const MemorySample& now;
  const SwapAreas& areas;
  Areas sum;
  std::uint64_t cap = 0;
  Decision out;
};

// What is taken of RAM and swap together; pages that are in both count once.
std::uint64_t demand_of(const MemorySample& sample) noexcept;
// Bytes that the kernel could still push out: anonymous and shared, without what is locked.
std::uint64_t swappable_of(const MemorySample& sample) noexcept;
// What has to stay free on the disk.
std::uint64_t disk_floor_of(const LawSettings& settings, const MemorySample& sample) noexcept;

Areas add_up(const SwapAreas& areas) noexcept;
// Puts an action at the end; a fifth in one tick is dropped and comes again with the next.
void act(Decision& decision, ActionKind kind, std::uint32_t area, std::uint64_t size,
         std::int64_t deadline_ns = 0) noexcept;

// Rates, stalls, lateness and calm, from the sample before to this one.
void take_in(LawState& state, const LawSettings& settings, const MemorySample& now) noexcept;
// R, what is swappable, the headroom, and how long it lasts.
void measure(Tick& tick) noexcept;
// True where what grows is locked in memory, so that swap can't take it.
bool is_locked_growth(const LawState& state) noexcept;
// True where the stalls come of mapped files that are read again and again, model weights that do
// not fit: more swap can't help those.
bool is_file_thrash(const LawState& state) noexcept;
// Whether the file that was asked for came; each failure doubles the wait before the next try.
void note_outcome(LawState& state, const MemorySample& now, const Areas& sum) noexcept;
// The standing floor, a file in time, the swap to it. True where swap is wanted that can't be had.
bool grow(Tick& tick) noexcept;
// An empty area that is no longer needed; a prepared one that was not.
void shrink(Tick& tick) noexcept;
// The levers of others: ask for models to be unloaded, brake who grows, let go.
void relieve(Tick& tick, bool starved) noexcept;

}  // namespace estiva::decide::memory
