// Counts how often a crash point was passed and kills the process at the chosen one.
#pragma once
#include <atomic>

#include "store/crash_point.h"

namespace estiva::store {

class CrashGate {
 public:
  explicit CrashGate(CrashAt at) : at_(at) {}

  void pass(CrashPoint point) {
    if (point != at_.point) return;
    if (passed_.fetch_add(1, std::memory_order_relaxed) + 1 == at_.nth) die();
  }

 private:
  static void die();
  const CrashAt at_;
  std::atomic<std::uint64_t> passed_ = 0;
};

}  // namespace estiva::store
