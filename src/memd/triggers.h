// The kernel's own alarm: pressure triggers and the events of a control group. They confirm what
// the timer finds, and wake the loop early; a source that can't be had, or that breaks, is given
// up, so that it never wakes the loop for nothing.
#pragma once
#include <array>
#include <cstdint>
#include <poll.h>
#include <string>

#include "base/unique_fd.h"

namespace estiva::memd {

enum class TriggerWindow : std::uint8_t {
  none,         // refused, or there is no such file: the timer alone
  half,         // 500 ms; needs CAP_SYS_RESOURCE
  two_seconds,  // what the kernel lets everybody have
};

class Triggers {
 public:
  // `pressure`: /proc/pressure/memory or a group's memory.pressure; `events`: a group's
  // memory.events, may be empty.
  void open(const std::string& pressure, const std::string& events);
  TriggerWindow window() const noexcept { return window_; }

  // Where to wait: descriptors of -1 are passed over by poll.
  std::array<pollfd, 2> waits() const noexcept;
  // After the poll. True where one of them has fired.
  bool take(const std::array<pollfd, 2>& waited) noexcept;

 private:
  bool arm(const std::string& path, const char* words);

  UniqueFd pressure_, events_;
  TriggerWindow window_ = TriggerWindow::none;
};

}  // namespace estiva::memd
