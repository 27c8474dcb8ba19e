// Deadlines that cost nothing to set. One timer ticks while any deadline exists; a deadline is a
// count of ticks that the sweep takes down, so that a busy connection never touches a clock or a
// timer queue. Late by at most one tick.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>

#include "net/loop.h"

namespace estiva::net {

class Sweeper {
 public:
  class Deadline {
   public:
    virtual ~Deadline() = default;
    // Called once when the ticks ran out. May remove this deadline, no other.
    virtual void expired() = 0;
    std::uint32_t ticks = 0;  // 0: not set

   private:
    friend class Sweeper;
    Deadline* next_ = nullptr;
    Deadline* previous_ = nullptr;
  };

  Sweeper(Loop& loop, std::chrono::milliseconds shortest);
  ~Sweeper();
  Sweeper(const Sweeper&) = delete;
  Sweeper& operator=(const Sweeper&) = delete;

  void add(Deadline& deadline);
  void remove(Deadline& deadline);
  // At least `time`, at most one tick more; at least 1.
  std::uint32_t ticks_for(std::chrono::milliseconds time) const;

 private:
  struct Timer;
  void sweep();
  void arm();
  std::chrono::milliseconds tick_;
  std::shared_ptr<Timer> timer_;
  Deadline* first_ = nullptr;
  Deadline* cursor_ = nullptr;  // the next to look at while a sweep runs
  bool armed_ = false;
};

}  // namespace estiva::net
