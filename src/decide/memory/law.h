// The control law of the memory loop: how much swap must stand ready, when to grow and when to give
// back, from what was just read. estiva-memd runs it where everything else may stall, so nothing
// here allocates, throws or needs more than the C library: plain values of fixed size.
//
// Pure: the same state, settings and sample give the same decision. Not thread-safe; one owner.
// The formulas and their sources are in docs/memory.md. Bytes are bytes, times are nanoseconds of
// a clock that does not jump, rates are bytes a second.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace estiva::decide::memory {

inline constexpr std::size_t kMostAreas = 8;  // of ours: of 23 slots that a stock kernel has
inline constexpr std::uint64_t kMiB = 1ULL << 20, kGiB = 1ULL << 30;

// What was read at one instant. In a scope that is a control group the totals are the group's: its
// limit stands for MemTotal, and what is left below it for MemAvailable.
struct MemorySample {
  std::int64_t at_ns = 0;
  std::int64_t gap_ns = 0;  // since the sample before: how late the loop can be
  std::uint64_t total = 0, available = 0;
  std::uint64_t swap_total = 0, swap_free = 0, swap_cached = 0;
  std::uint64_t anon = 0, shmem = 0, mlocked = 0, unevictable = 0;
  // Since boot. A source that can't be read stays 0 and its flag false.
  std::uint64_t psi_some_us = 0, psi_full_us = 0, psi_io_some_us = 0;
  std::uint64_t swapped_in = 0, swapped_out = 0;  // bytes
  std::uint64_t refault_anon = 0, refault_file = 0, stalls = 0, oom_kills = 0;
  bool has_psi = false, has_vmstat = false;
  // The file system of the swap folder.
  std::uint64_t disk_total = 0, disk_free = 0;
  std::uint32_t slots_free = 0;  // areas that the kernel still takes
};

enum class AreaState : std::uint8_t { none, prepared, active, retiring };

// One of our swap files, as it is now.
struct SwapArea {
  std::uint32_t id = 0;
  AreaState state = AreaState::none;
  std::uint64_t size = 0, used = 0;
  std::int64_t since_ns = 0;  // when it came into this state
};
using SwapAreas = std::array<SwapArea, kMostAreas>;

// Why no swap is added though more is wanted; `none` where nothing is in the way.
enum class Blocked : std::uint8_t {
  none,
  nothing_swappable,  // what grows is locked, pinned or mapped from files
  disk_floor,         // the free space that must stay
  cap,                // all that may ever be taken is taken
  slots,              // the kernel takes no more areas, or eight of ours are there
  file_system,        // the folder's file system can't hold swap
  not_root,
  stopped,  // a person said so
  failed,   // the last file could not be made; it is tried again, ever more seldom
};

// Of the floor: it is what is active at rest, in two areas, neither more than half, so that
// someone's swapoff can't take all of it.
struct LawSettings {
  std::uint64_t floor = kGiB;           // swap that always stands ready; 0: none
  std::uint64_t min_file = 256 * kMiB;  // smaller steps burn slots
  std::uint64_t cap = 0;                // of ours altogether; 0: min(3 x RAM, volume / 8)
  std::uint64_t disk_floor = 0;         // free space that stays; 0: max(10 %, 20 GiB)
  double write_out = 250e6;             // of the device, until it has shown what it takes
  double touch_rate = 2.4e9;            // what one core can fill, measured
  std::uint32_t cores = 1;              // that may fill memory at once
  std::int64_t shortest_sleep_ns = 5'000'000, longest_sleep_ns = 1'000'000'000;
  std::int64_t horizon_ns =
      2'000'000'000;                       // a file is made when what is there lasts less than this
  std::int64_t reserve_ns = 500'000'000;   // of write-out that the free swap must take
  std::int64_t grow_ns = 25'000'000;       // to make a file and swap to it
  std::int64_t calm_ns = 300'000'000'000;  // before an empty area goes; doubles after a regrow
  std::int64_t longest_calm_ns = 7'200'000'000'000;
  std::int64_t retire_deadline_ns = 30'000'000'000;  // of one swapoff
  std::uint64_t empty_below = kMiB;                  // an area with less in it counts as empty
  Blocked blocked = Blocked::none;  // what the caller found: not_root, file_system, stopped
};

enum class ActionKind : std::uint8_t {
  none,
  prepare,     // make a file of `size`, ready but not active
  activate,    // swap to the prepared area `area`
  discard,     // remove the prepared area
  retire,      // swapoff, in a child, until `deadline_ns` after now
  ask_unload,  // tell estivad: unload idle models, `size` bytes are wanted
  brake,       // memory.high on the group that grows fastest and is not protected
  release_brake,
};

struct Action {
  ActionKind kind = ActionKind::none;
  std::uint32_t area = 0;
  std::uint64_t size = 0;
  std::int64_t deadline_ns = 0;
};

inline constexpr std::size_t kMostActions = 4;

struct Decision {
  std::int64_t sleep_ns = 0;  // until the next sample, at most
  std::array<Action, kMostActions> actions{};
  std::uint32_t action_count = 0;
  // The numbers that justify it.
  double rate = 0;       // of demand
  double write_out = 0;  // what the device has shown it can take
  std::int64_t reaction_ns = 0;
  std::uint64_t required = 0;   // R: free swap that must be there
  std::uint64_t swappable = 0;  // that swap could take at all
  std::uint64_t headroom = 0;   // available + free swap, as the law counts them
  std::int64_t left_ns = -1;    // until the headroom is gone at this rate; -1: it does not grow
  Blocked blocked = Blocked::none;
  std::uint64_t missing = 0;  // what is wanted and can't be had
};

// What the law remembers. Its members are the law's; a new one is a fresh start.
struct LawState {
  bool started = false;
  MemorySample last, anchor;               // the tick before; where the running slope began
  double rate = 0, locked_rate = 0;        // bytes a second: up at once, down slowly
  double fastest = 0, write_out = 0;       // of about the last hour; of the device
  double stalled = 0, fully_stalled = 0;   // share of time, smoothed
  std::int64_t sleep_ns = 0, late_ns = 0;  // asked for last; how late the loop has been
  // Calm: since when, how long before an area goes, and the level that it is measured against.
  std::int64_t calm_since_ns = 0, calm_wanted_ns = 0;
  std::uint64_t calm_level = 0, calm_stall_us = 0;
  // Of the file that was asked for last: whether its outcome is still to be seen, and how many
  // areas there were; how many failed one after the other, and when the next may be asked for.
  bool prepare_asked = false;
  std::uint32_t areas_before = 0, failures = 0;
  std::int64_t retry_ns = 0;
  double file_refaults = 0, anon_refaults = 0;  // pages a second, smoothed
  // When it last happened; -1: not yet.
  std::int64_t grown_ns = -1, retired_ns = -1, asked_ns = -1, braked_ns = -1;
};

// One tick: takes `sample` in, and says what to do and when to look again. The actions are in the
// order in which to do them; one that failed shows in the next call's `areas`, and comes again.
// A clock that went backwards, or a tick that is late by more than 10 s, starts the estimates anew.
Decision decide_tick(LawState& state, const LawSettings& settings, const MemorySample& sample,
                     const SwapAreas& areas) noexcept;

// All that may ever be taken, in bytes, of which `ours` are taken already (made or active):
// min(3 x RAM, volume / 8, free disk - max(10 %, 20 GiB)). Where that leaves less than 2 GiB:
// up to 2 GiB, as long as 10 % of the volume stays free.
std::uint64_t most_swap(const LawSettings& settings, const MemorySample& sample,
                        std::uint64_t ours) noexcept;

}  // namespace estiva::decide::memory
