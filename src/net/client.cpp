#include "net/client.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/net.h"
#include "net/client_impl.h"
#include "net/head_writer.h"
#include "net/socket.h"

namespace estiva::net {

Client::Impl::Impl(Loop& l, ClientLimits lim)
    : loop(l),
      limits(lim),
      sweeper(l, std::min({lim.connect_time, lim.response_time, lim.idle_time})),
      pool(l, limits),
      connect_ticks(sweeper.ticks_for(lim.connect_time)),
      response_ticks(sweeper.ticks_for(lim.response_time)),
      idle_ticks(sweeper.ticks_for(lim.idle_time)) {}

Awaitable<Result<std::unique_ptr<Wire>>> Client::Impl::connect(const Endpoint& to,
                                                               const std::string& key,
                                                               bool may_reuse) {
  if (may_reuse)
    if (auto wire = pool.take(key)) co_return wire;
  auto fd = start_connect(to);
  if (!fd) co_return Failure(fd.error());
  auto wire = std::make_unique<Wire>(loop, sweeper, std::move(*fd));
  const int error = co_await wire->stream.wait_connected(connect_ticks);
  if (error == ETIMEDOUT)
    co_return fail(ErrorKind::timed_out, fmt::format(fmt::runtime(msg::kNetConnectTimedOut),
                                                     to_text(to), limits.connect_time.count()));
  if (error != 0) co_return connect_failure(to, error);
  if (auto connected = connect_result(wire->stream.fd(), to); !connected)
    co_return Failure(connected.error());
  co_return wire;
}

bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE" ||
         method == "OPTIONS";
}

Result<std::string> request_text(const Endpoint& to, const RequestHead& head,
                                 std::optional<std::uint64_t> length, bool has_body) {
  std::string out;
  out.reserve(512);
  if (auto written = write_request_head(out, head); !written) return Failure(written.error());
  if (!head.headers.has("host")) {
    const bool local = to.kind == Endpoint::Kind::unix_socket;
    out.append("Host: ").append(local ? "localhost" : to_text(to)).append("\r\n");
  }
  if (length && (has_body || *length > 0)) {
    out.append("Content-Length: ");
    write_number(out, *length);
    out.append("\r\n");
  } else if (!length && has_body) {
    out.append("Transfer-Encoding: chunked\r\n");
  }
  out.append("\r\n");
  return out;
}

Client::Client(Loop& loop, ClientLimits limits) : impl_(std::make_shared<Impl>(loop, limits)) {}
Client::~Client() = default;
void Client::close_idle(const Endpoint& to) {
  impl_->pool.drop(to_text(to));
}

std::size_t Client::pooled() const {
  return impl_->pool.size();
}

Awaitable<Result<std::unique_ptr<Call>>> Client::open(Endpoint to, ClientRequest request) {
  const std::shared_ptr<Impl> impl = impl_;
  RequestHead head;
  head.method = std::move(request.method);
  head.target = std::move(request.target);
  head.headers = std::move(request.headers);
  const bool has_body = !request.body.empty() || head.method == "POST" || head.method == "PUT";
  auto text = request_text(to, head, request.body.size(), has_body);
  if (!text) co_return Failure(text.error());
  const std::string key = to_text(to);
  for (bool first = true;; first = false) {
    auto call = std::make_unique<Call>(std::make_shared<Call::Impl>(impl, to, key));
    Call::Impl& it = call->impl();
    it.head_request = head.method == "HEAD";
    auto wire = co_await impl->connect(to, key, first);
    if (!wire) co_return Failure(wire.error());
    it.wire = std::move(*wire);
    auto sent = co_await it.send(*text, request.body);
    if (sent) {
      it.request_done = true;
      if (auto response = co_await it.response(); !response) sent = Failure(response.error());
    }
    if (sent) co_return std::move(call);
    // Once, on a new connection, and only what may be done twice (RFC 9110 section 9.2.2).
    if (!first || !it.is_stale() || !is_idempotent(head.method)) co_return Failure(sent.error());
  }
}

Awaitable<Result<ClientResponse>> Client::send(Endpoint to, ClientRequest request) {
  const std::size_t limit = impl_->limits.body_bytes;
  auto call = co_await open(std::move(to), std::move(request));
  if (!call) co_return Failure(call.error());
  ClientResponse response;
  auto body = co_await (*call)->read_body(limit);
  if (!body) co_return Failure(body.error());
  response.head = (*call)->impl().head;
  response.body = std::move(*body);
  co_return std::move(response);
}

Awaitable<Result<std::unique_ptr<Call>>> Client::open_streaming(
    Endpoint to, RequestHead head, std::optional<std::uint64_t> length) {
  const std::shared_ptr<Impl> impl = impl_;
  auto text = request_text(to, head, length, true);
  if (!text) co_return Failure(text.error());
  const std::string key = to_text(to);
  auto call = std::make_unique<Call>(std::make_shared<Call::Impl>(impl, to, key));
  Call::Impl& it = call->impl();
  it.head_request = head.method == "HEAD";
  it.chunked_request = !length;
  // A body that streams can't be sent again: a fresh connection, so that it need not be.
  auto wire = co_await impl->connect(to, key, false);
  if (!wire) co_return Failure(wire.error());
  it.wire = std::move(*wire);
  if (auto sent = co_await it.send(*text, {}); !sent) co_return Failure(sent.error());
  co_return std::move(call);
}

}  // namespace estiva::net
