// An asynchronous HTTP/1.1 client with a bounded keep-alive pool, on TCP and Unix sockets. Loop
// thread only. The CLI uses the blocking net/fetch.h instead.
#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/address.h"
#include "net/loop.h"
#include "net/message.h"
#include "net/sse.h"

namespace estiva::net {

struct ClientLimits {
  std::chrono::milliseconds connect_time{5'000};
  std::chrono::milliseconds response_time{30'000};  // request sent to end of response header
  std::chrono::milliseconds idle_time{60'000};      // between two pieces of a body, either way
  std::chrono::milliseconds pool_time{20'000};      // an unused pooled connection is closed
  std::size_t header_bytes = 64 << 10;
  std::size_t body_bytes = 16 << 20;  // send() only: the largest body it gathers
  std::size_t pooled_per_endpoint = 32;
  std::size_t pooled = 128;
};

// A request known whole. Host and Content-Length are written for you unless given.
struct ClientRequest {
  std::string method = "GET";
  std::string target = "/";
  Headers headers;
  std::string body;
};

struct ClientResponse {
  ResponseHead head;
  std::string body;
};

// One request under way. Dropping it before the response was read to its end closes the connection;
// after, the connection goes back to the pool.
class Call {
 public:
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Request body, for calls opened with one. Returns when the kernel took the bytes.
  Awaitable<Result<void>> write(std::string_view bytes);
  Awaitable<Result<void>> finish();
  // The response head; 1xx are skipped. Call once, after finish() or while still writing.
  Awaitable<Result<const ResponseHead*>> response();
  const BodyInfo& body_info() const;
  // The next piece of the body, empty at the end; valid until the next call.
  Awaitable<Result<std::string_view>> read_some();
  Awaitable<Result<std::string>> read_body(std::size_t limit);
  // The next event of a text/event-stream; nullopt at its end.
  Awaitable<Result<std::optional<Event>>> next_event();
  // Ends any operation in progress with an error and closes the connection.
  void cancel();

  struct Impl;
  explicit Call(std::shared_ptr<Impl> impl);
  Impl& impl() { return *impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

class Client {
 public:
  explicit Client(Loop& loop, ClientLimits limits = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Whole request, whole response. A pooled connection that turns out closed before a byte of the
  // response arrived is retried once on a fresh one if the method is idempotent.
  Awaitable<Result<ClientResponse>> send(Endpoint to, ClientRequest request);
  // Sends head (and body) and returns with the response not yet read. Same retry as send().
  Awaitable<Result<std::unique_ptr<Call>>> open(Endpoint to, ClientRequest request);
  // Sends the head only; the body follows by Call::write, chunked unless `length` is given.
  Awaitable<Result<std::unique_ptr<Call>>> open_streaming(Endpoint to, RequestHead head,
                                                          std::optional<std::uint64_t> length);
  std::size_t pooled() const;
  // Closes those of the pool that lead there. A server that is to end waits for them (cpp-httplib,
  // which llama-server is built on, 0.1 s).
  void close_idle(const Endpoint& to);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace estiva::net
