#include "cli/signal_queue.h"

#include <algorithm>
#include <ctime>
#include <sys/signalfd.h>

namespace estiva::cli {

SignalQueue::SignalQueue(std::initializer_list<int> signals) {
  sigemptyset(&set_);
  for (const int number : signals) sigaddset(&set_, number);
  sigprocmask(SIG_BLOCK, &set_, &before_);
}

SignalQueue::~SignalQueue() {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int SignalQueue::take(std::chrono::nanoseconds span, siginfo_t& info) const {
  const auto count = std::max<std::int64_t>(0, span.count());
  timespec time{};
  time.tv_sec = static_cast<time_t>(count / 1'000'000'000);
  time.tv_nsec = static_cast<long>(count % 1'000'000'000);
  return std::max(0, sigtimedwait(&set_, &info, &time));
}

int SignalQueue::take(std::chrono::nanoseconds span) const {
  siginfo_t info{};
  return take(span, info);
}

UniqueFd SignalQueue::descriptor() const {
  return UniqueFd(::signalfd(-1, &set_, SFD_CLOEXEC | SFD_NONBLOCK));
}

bool was_sent_to_us(const siginfo_t& info) {
  return info.si_code <= 0;
}  // SI_USER, SI_QUEUE, ...

}  // namespace estiva::cli
