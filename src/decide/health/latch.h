// Memory of a condition: hysteresis, and the share of a window in which something was so.
#pragma once
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace estiva::decide {

// Opens when its sign has been there for `hold` without a break, closes when its all-clear has been
// there for `calm`. Between sign and all-clear it stays as it is.
class Latch {
 public:
  enum class Says { sign, neither, clear };

  bool update(Says says, SteadyTime now, Nanoseconds hold, Nanoseconds calm);
  bool open() const { return open_; }
  SteadyTime since() const { return since_; }  // of the last opening or closing

 private:
  bool open_ = false, counting_ = false;
  SteadyTime began_, since_;
};

// How much of the last ten minutes something was the case, judged by samples: a sample speaks for
// the time since the one before it, as long as that is not so long that nobody knows.
class ShareWindow {
 public:
  static constexpr Nanoseconds kLength = std::chrono::minutes(10);
  static constexpr Nanoseconds kLongestStep = std::chrono::seconds(10);

  void add(bool so, SteadyTime now);
  // Of the whole window, also while it is not full yet: ten seconds are never "all the time".
  double share() const;

 private:
  static constexpr std::size_t kSlots = 60;
  static constexpr std::int64_t kSlotLength = kLength.count() / kSlots;
  struct Slot {
    std::int64_t number = -1;
    Nanoseconds so{0};
  };
  Slot& slot(SteadyTime now);
  void forget(SteadyTime now);

  std::array<Slot, kSlots> slots_{};
  SteadyTime last_;
};

}  // namespace estiva::decide
