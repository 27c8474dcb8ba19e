// One request and its response, as a handler sees them. Lives as long as the handler runs; loop
// thread only. Every call that returns an error means that the connection is gone or unusable:
// the handler should return soon; the server then closes it.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/loop.h"
#include "net/message.h"
#include "net/peer.h"
#include "net/sse.h"

namespace estiva::net {

class Connection;

class Exchange {
 public:
  explicit Exchange(Connection& connection) : connection_(connection) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const RequestHead& request() const;
  const BodyInfo& body_info() const;
  const Peer& peer() const;
  // The name given to Server::listen, so that one handler can tell the control socket from TCP.
  std::string_view listener() const;

  // --- request body -------------------------------------------------------------------------
  // The next piece, empty at the end. The view is valid until the next call on this exchange.
  // Sends "100 Continue" first if the client waits for it. Errors: hung up, too slow, larger than
  // the body limit, bad chunk. Reading nothing is back-pressure: the client stops.
  Awaitable<Result<std::string_view>> read_some();
  // The whole body; `usage` when larger than `limit` bytes (answer 413).
  Awaitable<Result<std::string>> read_body(std::size_t limit);

  // --- response: either respond(), or start() / write()... / finish() --------------------------
  // Awaitables are lazy: co_await them. Give them a named value (std::move(response)), not one
  // built inside the co_await expression: GCC 12 destroys an aggregate built there twice. For HEAD
  // the body is counted but not sent.
  Awaitable<Result<void>> respond(Response response);
  // A streamed response. With `length` the body must be exactly that long; without, it is chunked
  // (or ends with the connection for HTTP/1.0 clients). Do not add Content-Length,
  // Transfer-Encoding or Connection yourself.
  Awaitable<Result<void>> start(ResponseHead head, std::optional<std::uint64_t> length = {});
  // Returns when the kernel took the bytes (back-pressure). Fails when the client hung up or took
  // nothing for the stall limit.
  Awaitable<Result<void>> write(std::string_view bytes);
  Awaitable<Result<void>> finish();
  // Starts a text/event-stream response; then send_event() until you finish() or it fails.
  Awaitable<Result<void>> start_events();
  Awaitable<Result<void>> send_event(const Event& event);
  bool started() const;

  // --- the client going away -----------------------------------------------------------------
  // True once the client was seen to hang up (only while wait(), hung_up() or on_hang_up() watch).
  bool is_hung_up() const;
  // Returns when the client hangs up.
  Awaitable<void> hung_up();
  // Calls back once, within a loop turn of the hang-up, at latest while the handler runs; never
  // afterwards. One callback at a time: a second call replaces the first, {} removes it.
  void on_hang_up(std::function<void()> gone);
  // Waits for a notice, a time-out or the client's hang-up, whichever is first. The stream loop of
  // an event source is: while (true) switch (co_await exchange.wait(changed, 15s)) ...
  Awaitable<Wake> wait(Notice& notice, Nanoseconds most = Nanoseconds::max());

  Connection& connection() { return connection_; }  // for relay()

 private:
  Connection& connection_;
};

}  // namespace estiva::net
