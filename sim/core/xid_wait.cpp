// Waiting for an XID without looking again and again: the kernel's futex on the count of XIDs,
// which works between processes that share the state's memory.
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sim/core/engine.h"

namespace estiva::sim {
namespace {

// The lower half of the count: x86-64 and ARM64 have it first.
std::uint32_t* word_of(State& state) {
  static_assert(sizeof(state.xid_sequence) == 8 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  return reinterpret_cast<std::uint32_t*>(&state.xid_sequence);
}

}  // namespace

void wake_xid_waiters(State& state) {
  ::syscall(SYS_futex, word_of(state), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

void wait_for_xid(State& state, std::uint64_t seen, std::int64_t most_ns) {
  const timespec most{most_ns / 1'000'000'000, most_ns % 1'000'000'000};
  // Returns at once where the word has moved on already.
  ::syscall(SYS_futex, word_of(state), FUTEX_WAIT, static_cast<std::uint32_t>(seen), &most, nullptr,
            0);
}

}  // namespace estiva::sim
