#include "net/connection.h"

#include <algorithm>
#include <cerrno>
#include <exception>

#include "base/log.h"
#include "base/messages/net.h"

namespace estiva::net {
namespace {

constexpr std::size_t kSmallBuffer = 8 << 10;
// What an ending connection still reads, so that the client gets to see our last answer before a
// reset: at most this much and this long.
constexpr std::size_t kLingerBytes = 1 << 20;
constexpr std::chrono::milliseconds kLingerTime{1000};
// A request body that the handler did not read is read away up to this size; beyond, closing the
// connection is cheaper.
constexpr std::uint64_t kDrainBytes = 64 << 10;

bool may_start_method(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

ServerShared::ServerShared(Loop& l, Handler h, ServerLimits lim)
    : loop(l),
      handler(std::move(h)),
      limits(lim),
      sweeper(l, std::min({lim.header_time, lim.idle_time, lim.write_stall, lim.body_window})),
      header_ticks(sweeper.ticks_for(lim.header_time)),
      idle_ticks(sweeper.ticks_for(lim.idle_time)),
      stall_ticks(sweeper.ticks_for(lim.write_stall)),
      window_ticks(sweeper.ticks_for(lim.body_window)) {}

Connection::Connection(std::shared_ptr<ServerShared> shared, UniqueFd fd, Peer peer,
                       std::string listener)
    : shared_(std::move(shared)),
      stream_(shared_->loop, shared_->sweeper, std::move(fd)),
      peer_(std::move(peer)),
      listener_(std::move(listener)) {}

Awaitable<void> Connection::serve() {
  std::size_t served = 0;
  while (co_await read_head()) {
    ++shared_->stats.requests;
    if (++served >= shared_->limits.requests_per_connection) close_after_ = true;
    co_await run_handler();
    if (!co_await end_exchange()) break;
  }
  phase_ = Phase::closing;
  if (must_linger_) co_await linger();
  stream_.close();
}

// True with request_ filled in; false when the connection is to be closed.
Awaitable<bool> Connection::read_head() {
  std::size_t block = 0;
  finder_.reset();
  if (!co_await fill_head(block)) co_return false;
  phase_ = Phase::handler;
  stream_.set_read_deadline(0);
  parsed_ = parse_request(input_.data().substr(0, block), request_);
  if (parsed_.error != ParseError::none) {
    co_await refuse(parse_error_status(parsed_.error), parse_error_text(parsed_.error));
    co_return false;
  }
  input_.consume(block);
  body_.start(parsed_.body, shared_->limits.body_bytes);
  response_ = ResponsePhase::none;
  head_only_ = request_.method == "HEAD";
  close_after_ = !parsed_.keep_alive || shared_->stopping;
  continue_due_ = parsed_.expects_continue && !body_.done();
  window_got_ = 0;
  window_left_ = shared_->window_ticks;
  output_.clear();
  co_return true;
}

// Reads until a whole header block is there.
Awaitable<bool> Connection::fill_head(std::size_t& block) {
  const std::size_t limit = shared_->limits.header_bytes;
  phase_ = input_.empty() ? Phase::idle : Phase::header;
  stream_.set_read_deadline(input_.empty() ? shared_->idle_ticks : shared_->header_ticks);
  input_.shrink(2 * kSmallBuffer);
  while (true) {
    if (!input_.empty()) {
      const std::string_view seen = input_.data().substr(0, limit);
      if (!may_start_method(seen.front())) {
        co_await refuse(400, msg::kNetBadStartLine);
        co_return false;
      }
      if ((block = finder_.find(seen)) > 0) co_return true;
      if (input_.size() >= limit) {
        co_await refuse(431, msg::kNetHeaderTooLarge);
        co_return false;
      }
    }
    if (input_.tail_room() < kSmallBuffer / 4)
      input_.reserve(std::max(kSmallBuffer, std::min(limit, input_.capacity() * 2) + kSmallBuffer));
    const IoResult got = co_await stream_.read_some(input_.tail(), input_.tail_room());
    if (got.error == ETIMEDOUT && phase_ == Phase::header) {
      ++shared_->stats.timed_out;
      co_await refuse(408, msg::kNetClientSlow);
    }
    if (got.error != 0 || got.size == 0) co_return false;
    input_.added(got.size);
    if (phase_ == Phase::idle) {
      phase_ = Phase::header;
      stream_.set_read_deadline(shared_->header_ticks);
    }
  }
}

Awaitable<void> Connection::run_handler() {
  Exchange exchange(*this);
  std::string failure;
  try {
    co_await shared_->handler(exchange);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  stop_watching();
  if (failure.empty()) co_return;
  log(LogLevel::error, "a request handler failed",
      {{"method", request_.method}, {"target", request_.target}, {"reason", failure}});
  if (response_ == ResponsePhase::body) close_after_ = true;
}

// After the handler: true when another request may follow.
Awaitable<bool> Connection::end_exchange() {
  if (hung_up_ || !stream_.is_open()) co_return false;
  if (response_ == ResponsePhase::none) {
    Response answer;
    answer.status = 500;
    answer.content_type = "text/plain";
    answer.body.append(msg::kNetHandlerFailed).append(1, '\n');
    if (!co_await respond(std::move(answer))) co_return false;
  }
  if (response_ == ResponsePhase::body) co_return false;  // cut: the client sees it truncated
  const bool body_read = body_.done() || (!close_after_ && co_await drain_body());
  if (!body_read) must_linger_ = true;
  co_return body_read && !close_after_ && !shared_->stopping;
}

Awaitable<bool> Connection::drain_body() {
  // A client that still waits for "100 Continue" may send the body or leave it: no way to know.
  if (continue_due_) co_return false;
  const std::uint64_t before = body_.received();
  while (!body_.done()) {
    if (body_.received() - before > kDrainBytes) co_return false;
    if (!co_await read_some()) co_return false;
  }
  co_return true;
}

// Answers a request that never reached the handler, and closes.
Awaitable<void> Connection::refuse(int status, std::string_view text) {
  if (status != 408) ++shared_->stats.bad_requests;
  phase_ = Phase::handler;
  response_ = ResponsePhase::none;
  head_only_ = false;
  close_after_ = must_linger_ = true;
  output_.clear();
  Response answer;
  answer.status = status;
  answer.content_type = "text/plain";
  answer.body.append(text).append(1, '\n');
  co_await respond(std::move(answer));
}

Awaitable<void> Connection::linger() {
  stream_.shutdown_write();
  stream_.set_read_deadline(shared_->sweeper.ticks_for(kLingerTime));
  std::size_t total = 0;
  input_.consume(input_.size());
  input_.reserve(kSmallBuffer);
  while (total < kLingerBytes) {
    const IoResult got = co_await stream_.read_some(input_.tail(), input_.tail_room());
    if (got.error != 0 || got.size == 0) break;
    total += got.size;
  }
}

void Connection::abort() {
  note_hang_up();
  stream_.close();
}

}  // namespace estiva::net
