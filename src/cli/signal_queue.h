// Signals as events to take, not as interruptions: blocked for as long as this lives, so that none
// ends us between two steps. One thread only; the mask before is set again at the end.
#pragma once
#include <chrono>
#include <csignal>
#include <initializer_list>

#include "base/unique_fd.h"

namespace estiva::cli {

class SignalQueue {
 public:
  explicit SignalQueue(std::initializer_list<int> signals);
  ~SignalQueue();
  SignalQueue(const SignalQueue&) = delete;
  SignalQueue& operator=(const SignalQueue&) = delete;

  // The mask that a child's command should start with.
  const sigset_t& mask_before() const { return before_; }
  // The next of the signals, or 0 when none came within `span`.
  int take(std::chrono::nanoseconds span, siginfo_t& info) const;
  int take(std::chrono::nanoseconds span) const;
  // A descriptor that is readable while one of the signals waits, for poll(2): take them with
  // take(), not by reading it. Empty where the kernel has no room for one.
  UniqueFd descriptor() const;

 private:
  sigset_t set_{}, before_{};
};

// False for a key press at the terminal: that reaches our whole process group without us, and must
// not be passed on a second time.
bool was_sent_to_us(const siginfo_t& info);

}  // namespace estiva::cli
