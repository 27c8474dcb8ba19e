#include "net/waiters.h"

#include <boost/asio.hpp>

namespace estiva::net {
namespace asio = boost::asio;

struct Waiter {
  explicit Waiter(Loop& loop) : timer(loop.context()) {}
  ~Waiter() {
    if (first != nullptr) first->remove(*this);
    if (second != nullptr) second->remove(*this);
  }
  asio::steady_timer timer;
  Wake why = Wake::timed_out;
  WaiterList* first = nullptr;
  WaiterList* second = nullptr;
};

void WaiterList::remove(Waiter& waiter) {
  std::erase(waiters_, &waiter);
}

void WaiterList::wake_all(Wake why) {
  for (Waiter* waiter : std::exchange(waiters_, {})) {
    (waiter->first == this ? waiter->first : waiter->second) = nullptr;
    if (waiter->why == Wake::timed_out) waiter->why = why;
    waiter->timer.cancel();
  }
}

Awaitable<Wake> wait_in(Loop& loop, WaiterList* first, WaiterList* second, Nanoseconds most) {
  Waiter waiter(loop);
  if ((waiter.first = first) != nullptr) first->add(waiter);
  if ((waiter.second = second) != nullptr) second->add(waiter);
  const auto now = asio::steady_timer::clock_type::now();
  // Far enough never to come, near enough not to overflow.
  constexpr Nanoseconds kForever = std::chrono::hours(24 * 365);
  waiter.timer.expires_at(now + std::min(most, kForever));
  boost::system::error_code ignored;
  co_await waiter.timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return waiter.why;
}

Notice::Notice(Loop& loop) : impl_(new Impl{loop, {}}) {}
Notice::~Notice() {
  impl_->waiters.wake_all(Wake::timed_out);
}
void Notice::notify_all() {
  impl_->waiters.wake_all(Wake::notified);
}
std::size_t Notice::waiting() const {
  return impl_->waiters.size();
}

Awaitable<Wake> Notice::wait(Nanoseconds most) {
  return wait_in(impl_->loop, &impl_->waiters, nullptr, most);
}

}  // namespace estiva::net
