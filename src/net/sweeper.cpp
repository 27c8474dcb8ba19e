#include "net/sweeper.h"

#include <algorithm>
#include <boost/asio.hpp>

namespace estiva::net {
using std::chrono::milliseconds;

struct Sweeper::Timer {
  explicit Timer(Loop& loop) : timer(loop.context()) {}
  boost::asio::steady_timer timer;
};

Sweeper::Sweeper(Loop& loop, milliseconds shortest)
    : tick_(std::clamp(shortest / 4, milliseconds(10), milliseconds(1000))),
      timer_(std::make_shared<Timer>(loop)) {}

Sweeper::~Sweeper() = default;

std::uint32_t Sweeper::ticks_for(milliseconds time) const {
  return static_cast<std::uint32_t>(1 + (time.count() + tick_.count() - 1) / tick_.count());
}

void Sweeper::add(Deadline& deadline) {
  deadline.next_ = first_;
  deadline.previous_ = nullptr;
  if (first_ != nullptr) first_->previous_ = &deadline;
  first_ = &deadline;
  if (!armed_) arm();
}

void Sweeper::remove(Deadline& deadline) {
  if (cursor_ == &deadline) cursor_ = deadline.next_;
  if (deadline.previous_ != nullptr) deadline.previous_->next_ = deadline.next_;
  if (deadline.next_ != nullptr) deadline.next_->previous_ = deadline.previous_;
  if (first_ == &deadline) first_ = deadline.next_;
  deadline.next_ = deadline.previous_ = nullptr;
  if (first_ == nullptr) timer_->timer.cancel();
}

void Sweeper::arm() {
  armed_ = true;
  timer_->timer.expires_after(tick_);
  timer_->timer.async_wait([this, alive = std::weak_ptr(timer_)](boost::system::error_code) {
    if (!alive.expired()) sweep();
  });
}

void Sweeper::sweep() {
  armed_ = false;
  for (cursor_ = first_; cursor_ != nullptr;) {
    Deadline& deadline = *cursor_;
    cursor_ = deadline.next_;
    if (deadline.ticks > 0 && --deadline.ticks == 0) deadline.expired();
  }
  if (first_ != nullptr) arm();
}

}  // namespace estiva::net
