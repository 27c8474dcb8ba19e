// A blocking HTTP client for the command line: one connection, one request, poll(2). It starts in
// microseconds, needs no loop, and reads with the same parser as everything else. Thread-safe.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "base/error.h"
#include "net/address.h"
#include "net/client.h"

namespace estiva::net {

struct FetchLimits {
  std::chrono::milliseconds connect_time{2'000};
  std::chrono::milliseconds total_time{30'000};  // fetch: all of it; fetch_events: to the header
  std::chrono::milliseconds idle_time{60'000};   // fetch_events: between two pieces
  std::size_t header_bytes = 64 << 10;
  std::size_t body_bytes = 64 << 20;
  // A descriptor that is watched beside. When it can be read, `stops` is called, which has to take
  // what is there: true ends the fetch, with an error of kind refused.
  int beside = -1;
  std::function<bool()> stops{};
};

// Errors: not_found when nobody listens there (the file is missing or the connection is refused),
// denied when the socket's permissions forbid it, timed_out, failed for everything else. An HTTP
// status of 400 and above is not an error: look at head.status.
Result<ClientResponse> fetch(const Endpoint& endpoint, const ClientRequest& request,
                             const FetchLimits& limits = {});

// Reads a text/event-stream and calls `on_event` for each until it returns false, the stream ends
// (then the result is its head) or an error. A status other than 200 is returned as the response
// with its body and no event.
Result<ClientResponse> fetch_events(const Endpoint& endpoint, const ClientRequest& request,
                                    const std::function<bool(const Event&)>& on_event,
                                    const FetchLimits& limits = {});

// A text/event-stream that is read beside other things a program waits for. One thread.
class EventStream {
 public:
  // Connects, asks, and waits for the head of the answer, as fetch() does. Errors: fetch()'s, and
  // failed for an answer that is no event stream.
  static Result<EventStream> open(const Endpoint& endpoint, const ClientRequest& request,
                                  const FetchLimits& limits = {});
  EventStream(EventStream&& other) noexcept;
  ~EventStream();

  // Readable where take() has something to look at.
  int fd() const;
  // The next event that has arrived whole; nullopt: none yet. Never waits. Errors: failed, once the
  // stream has ended.
  Result<std::optional<Event>> take();

 private:
  struct Impl;
  explicit EventStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace estiva::net
