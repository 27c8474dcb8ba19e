// Short questions to an engine's own HTTP server: is it ready, sleep, wake up. Loop thread only.
// Give them named strings that are moved: GCC 12 destroys what it converts inside co_await twice.
#pragma once
#include <string>
#include <string_view>

#include "base/clock.h"
#include "engines/address.h"
#include "net/client.h"

namespace estiva::engines {

// One server, for as long as the engine is there.
class Upstream {
 public:
  explicit Upstream(net::Loop& loop) : loop_(loop), client_(loop, kLimits) {}

  void set(net::Endpoint endpoint) { endpoint_ = std::move(endpoint); }
  const net::Endpoint& endpoint() const { return endpoint_; }

  // The whole answer, whatever its status. `bearer` is sent where it is not empty.
  net::Awaitable<Result<net::ClientResponse>> get(Url where, std::string bearer);
  // Empty: it can work. Else what it answered or why it did not, for a person. Without a URL: does
  // its port accept connections?
  net::Awaitable<std::string> why_not_ready(std::string url);
  // Errors: failed where it answers with another status than 2xx, with the beginning of its words;
  // timed_out after `most`.
  net::Awaitable<Result<std::string>> ask(std::string method, std::string target, std::string body,
                                          Nanoseconds most);

 private:
  // One that is loading may accept and say nothing; it is asked again. No connection stays open: an
  // engine that is to end would wait for it.
  static constexpr net::ClientLimits kLimits{.connect_time = std::chrono::milliseconds(1'000),
                                             .response_time = std::chrono::milliseconds(2'000),
                                             .idle_time = std::chrono::milliseconds(2'000),
                                             .pooled = 0};
  net::Loop& loop_;
  net::Client client_;
  net::Endpoint endpoint_;
};

}  // namespace estiva::engines
