// Where a test may have the process killed (SIGKILL to itself): every boundary between a change
// and its acknowledgement. Always compiled in and costs one comparison; off unless Options::crash
// names a point, which the daemon sets only from its hidden option --test-crash-point NAME[:N].
// There is no environment variable on purpose: nothing inherited can kill an installed daemon.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace estiva::store {

enum class CrashPoint : std::uint8_t {
  none,
  before_begin,     // writes taken from the queue, no transaction yet
  after_begin,      // transaction open, nothing written
  after_lease,      // lease row written, its journal record not
  after_journal,    // lease row and journal record written
  before_commit,    // the whole batch and the ledger sequence written
  after_commit,     // durable, nobody told
  before_callback,  // on the caller's executor, just before the first callback of the batch
  after_callback,   // all callbacks of the batch ran
};
inline constexpr std::array kCrashPoints = {
    CrashPoint::before_begin,    CrashPoint::after_begin,   CrashPoint::after_lease,
    CrashPoint::after_journal,   CrashPoint::before_commit, CrashPoint::after_commit,
    CrashPoint::before_callback, CrashPoint::after_callback};

// Die when `point` is passed for the nth time (1 = the first).
struct CrashAt {
  CrashPoint point = CrashPoint::none;
  std::uint64_t nth = 1;
};

// "after_commit"
std::string_view to_name(CrashPoint point);
// "after_commit" or "after_commit:37".
Result<CrashAt> parse_crash_point(std::string_view text);

}  // namespace estiva::store
