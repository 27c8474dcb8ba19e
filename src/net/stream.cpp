#include "net/stream.h"

#include <boost/asio.hpp>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>

namespace estiva::net {
namespace asio = boost::asio;
namespace {

// The concrete executor spares a virtual call for each operation.
using Descriptor = asio::posix::basic_stream_descriptor<asio::io_context::executor_type>;
using boost::system::error_code;

struct StreamDeadline final : Sweeper::Deadline {
  explicit StreamDeadline(Descriptor& of) : descriptor(of) {}
  void expired() override {
    timed_out = true;
    error_code ignored;
    descriptor.cancel(ignored);
  }
  Descriptor& descriptor;
  bool timed_out = false;
};

int errno_of(const error_code& ec, const StreamDeadline& deadline) {
  if (!ec) return 0;
  if (ec == asio::error::operation_aborted) return deadline.timed_out ? ETIMEDOUT : ECANCELED;
  return ec.category() == boost::system::system_category() ? ec.value() : EIO;
}

}  // namespace

struct Stream::Impl {
  Impl(Loop& loop, Sweeper& sweep, int fd)
      : descriptor(loop.context().get_executor(), fd),
        sweeper(sweep),
        reading(descriptor),
        writing(descriptor) {
    sweeper.add(reading);
    sweeper.add(writing);
  }
  ~Impl() {
    sweeper.remove(reading);
    sweeper.remove(writing);
  }
  Descriptor descriptor;
  Sweeper& sweeper;
  StreamDeadline reading, writing;
};

Stream::Stream(Loop& loop, Sweeper& sweeper, UniqueFd connected)
    : impl_(std::make_unique<Impl>(loop, sweeper, connected.release())) {}
Stream::~Stream() = default;

Awaitable<IoResult> Stream::read_some(char* to, std::size_t size) {
  Impl& impl = *impl_;
  if (!impl.descriptor.is_open()) co_return IoResult{0, ECANCELED};
  impl.reading.timed_out = false;
  error_code ec;
  const std::size_t got = co_await impl.descriptor.async_read_some(
      asio::buffer(to, size), asio::redirect_error(asio::use_awaitable, ec));
  if (ec == asio::error::eof) co_return IoResult{0, 0};
  co_return IoResult{got, errno_of(ec, impl.reading)};
}

IoResult Stream::try_read(char* to, std::size_t size) {
  if (!is_open()) return {0, ECANCELED};
  const ssize_t got = recv(fd(), to, size, MSG_DONTWAIT);
  if (got < 0) return {0, errno};
  return {static_cast<std::size_t>(got), 0};
}

int Stream::try_write(std::span<iovec>& pieces) {
  constexpr std::size_t kMaxPieces = 256;  // below IOV_MAX
  while (!pieces.empty()) {
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = std::min(pieces.size(), kMaxPieces);
    ssize_t sent = sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno;
    while (!pieces.empty() && static_cast<std::size_t>(sent) >= pieces.front().iov_len) {
      sent -= static_cast<ssize_t>(pieces.front().iov_len);
      pieces = pieces.subspan(1);
    }
    if (sent > 0) {
      pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + sent;
      pieces.front().iov_len -= static_cast<std::size_t>(sent);
    }
  }
  return 0;
}

Awaitable<int> Stream::write_all(std::span<iovec> pieces, std::uint32_t stall_ticks) {
  Impl& impl = *impl_;
  while (true) {
    if (!impl.descriptor.is_open()) co_return ECANCELED;
    const int error = try_write(pieces);
    if (error != EAGAIN) co_return error;
    impl.writing.timed_out = false;
    impl.writing.ticks = stall_ticks;
    error_code ec;
    co_await impl.descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                        asio::redirect_error(asio::use_awaitable, ec));
    impl.writing.ticks = 0;
    if (ec) co_return errno_of(ec, impl.writing);
  }
}

Awaitable<int> Stream::wait_connected(std::uint32_t ticks) {
  Impl& impl = *impl_;
  impl.writing.ticks = ticks;
  error_code ec;
  co_await impl.descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                      asio::redirect_error(asio::use_awaitable, ec));
  impl.writing.ticks = 0;
  co_return errno_of(ec, impl.writing);
}

void Stream::set_read_deadline(std::uint32_t ticks) {
  impl_->reading.ticks = ticks;
}
std::uint32_t Stream::read_ticks_left() const {
  return impl_->reading.ticks;
}

void Stream::when_readable(std::function<void()> ready) {
  impl_->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                               [ready = std::move(ready)](error_code) { ready(); });
}

void Stream::cancel() {
  error_code ignored;
  if (is_open()) impl_->descriptor.cancel(ignored);
}

void Stream::close() {
  error_code ignored;
  if (is_open()) impl_->descriptor.close(ignored);
}

bool Stream::is_open() const {
  return impl_->descriptor.is_open();
}
int Stream::fd() const {
  return impl_->descriptor.native_handle();
}
void Stream::shutdown_write() {
  ::shutdown(fd(), SHUT_WR);
}

bool Stream::peer_is_gone() const {
  if (!impl_->descriptor.is_open()) return true;
  pollfd query{impl_->descriptor.native_handle(), POLLRDHUP, 0};
  return poll(&query, 1, 0) > 0;
}

bool Stream::is_quiet() const {
  if (!impl_->descriptor.is_open()) return false;
  pollfd query{impl_->descriptor.native_handle(), POLLIN | POLLRDHUP, 0};
  return poll(&query, 1, 0) == 0;
}

}  // namespace estiva::net
