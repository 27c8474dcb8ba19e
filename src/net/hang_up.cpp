// Noticing that the client went away while a handler waits for something else. Nothing is watched
// until the handler asks, so that a request answered at once pays nothing.
#include "net/connection.h"

namespace estiva::net {
namespace {

// When unread input hides the end of the stream, the socket is asked this often instead.
constexpr std::chrono::milliseconds kPollPeriod{20};

}  // namespace

void Connection::note_hang_up() {
  if (hung_up_) return;
  hung_up_ = true;
  if (phase_ == Phase::handler) ++shared_->stats.hung_up;
  waiters_.wake_all(Wake::hung_up);
  if (auto gone = std::exchange(gone_, {})) gone();
}

void Connection::watch() {
  if (watching_ || hung_up_ || phase_ != Phase::handler) return;
  watching_ = true;
  stream_.when_readable([self = weak_from_this(), turn = ++watch_turn_] {
    const auto connection = self.lock();
    if (connection && connection->watching_ && connection->watch_turn_ == turn)
      connection->watch_fired();
  });
}

void Connection::watch_fired() {
  if (stream_.peer_is_gone()) return note_hang_up();
  // Readable but not gone: the next request or more body. It stays in the kernel until its turn.
  if (poll_) return;
  poll_ = shared_->loop.every(kPollPeriod, [self = weak_from_this()] {
    const auto connection = self.lock();
    if (connection && connection->stream_.peer_is_gone()) connection->note_hang_up();
  });
}

void Connection::stop_watching() {
  gone_ = {};
  poll_.reset();
  if (!watching_) return;
  watching_ = false;
  ++watch_turn_;
  stream_.cancel();
}

void Connection::on_hang_up(std::function<void()> gone) {
  gone_ = std::move(gone);
  if (!gone_) return;
  if (hung_up_) return std::exchange(gone_, {})();
  watch();
}

Awaitable<Wake> Connection::wait(WaiterList* notice, Nanoseconds most) {
  if (hung_up_) co_return Wake::hung_up;
  watch();
  co_return co_await wait_in(shared_->loop, &waiters_, notice, most);
}

}  // namespace estiva::net
