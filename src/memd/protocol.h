// The messages between estiva-memd and who speaks to it: one SEQPACKET message is one header and
// rows of one kind, of fixed size. estiva-memd waits for nobody: a message that finds no room in
// the socket is lost, and a reader that wants to know asks again. Host byte order.
#pragma once
#include <cstddef>
#include <cstdint>

#include "decide/memory/law.h"

namespace estiva::memd {

inline constexpr std::uint32_t kMagic = 0x314d5345;  // "ESM1"
inline constexpr std::uint16_t kProtocolVersion = 1;
inline constexpr std::size_t kMaxMessage = 16384;

enum class Kind : std::uint16_t {
  // to estiva-memd
  policy = 1,  // one PolicyRow; valid from the next tick on
  ask = 2,     // answered by one StatusRow
  expand = 3,  // argument = MiB: made and swapped to at once
  retire = 4,  // argument = area: swapped off where that harms nobody
  ticks = 5,   // argument = the first tick that is wanted; answered by TickRows
  // from estiva-memd
  status = 16,
  event = 17,      // one EventRow; at any time
  answer = 18,     // argument = errno, 0: begun or done
  tick_rows = 19,  // argument = number of the first
};

struct Header {
  std::uint32_t magic = kMagic;
  std::uint16_t version = kProtocolVersion;
  Kind kind{};
  std::uint64_t id = 0;  // of the question that this answers; 0: none
  std::uint32_t count = 0;
  std::uint32_t argument = 0;
};

// 0: as decide::memory::LawSettings has it, but for `floor`.
struct PolicyRow {
  std::uint64_t floor = decide::memory::kGiB, cap = 0, disk_floor = 0;
  std::int64_t calm_ns = 0;
  std::uint8_t stopped = 0, reserved[7] = {};  // 1: no more swap is added, and all goes that may
};

// One tick, for replay: what the law read, in pages where not said otherwise.
struct TickRow {
  std::int64_t at_ns;
  std::uint32_t gap_us, available, swap_total, swap_free, anon, shmem, mlocked;
  std::uint32_t swapped_out, refault_file, psi_some_ms, psi_io_ms, disk_free_mib;
  std::uint8_t slots_free, actions, blocked, oom_kills;
};

enum class EventKind : std::uint8_t {
  prepare,
  activate,
  discard,
  retire,
  retired,
  refused,
  ask_unload,
  brake,
  release_brake,
  recovered,
};
const char* event_name(EventKind kind) noexcept;

// A decision that was carried out, or was not, with the numbers that justified it.
struct EventRow {
  std::int64_t at_ns = 0, took_ns = 0;  // activate: since it was noticed that swap is needed
  std::uint64_t size = 0, required = 0, headroom = 0, available = 0, swap_free = 0;
  std::uint64_t rate = 0;              // bytes a second
  std::uint64_t needed = 0, room = 0;  // of a swapoff that was refused
  std::uint32_t area = 0;
  std::int32_t error = 0;
  EventKind kind{};
  std::uint8_t step = 0, reserved[6] = {};  // AreaStep
};

struct StatusRow {
  std::int64_t at_ns = 0, left_ns = -1, calm_since_ns = 0, slowest_growth_ns = 0;
  std::uint64_t total = 0, available = 0, swap_total = 0, swap_free = 0, unswappable = 0;
  std::uint64_t required = 0, headroom = 0, rate = 0, missing = 0, floor = 0, cap = 0;
  std::uint64_t ticks = 0, growths = 0, retirements = 0, refusals = 0, lost_messages = 0;
  std::uint64_t allocations = 0;  // after the start
  decide::memory::SwapArea areas[decide::memory::kMostAreas];
  std::uint32_t foreign = 0, removed = 0;
  std::uint8_t blocked = 0, window = 0, is_locked = 0, is_running = 0, reserved[4] = {};
};

static_assert(sizeof(Header) == 24 && sizeof(PolicyRow) == 40 && sizeof(TickRow) == 64);
static_assert(sizeof(EventRow) == 96 && sizeof(StatusRow) < 1024);

}  // namespace estiva::memd
