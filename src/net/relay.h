// A reverse proxy's inner part: one exchange's request goes to an upstream, its response comes
// back. Bodies pass verbatim in both directions at the same time with back-pressure, events as they
// arrive. Nothing is buffered beyond one piece each way.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "net/client.h"
#include "net/exchange.h"

namespace estiva::net {

// The body of a relayed request, where it is not simply the client's: for a proxy that has read
// some of it already.
class RelayBody {
 public:
  virtual ~RelayBody() = default;
  virtual std::optional<std::uint64_t> length() const = 0;  // nothing: sent in chunks
  // All of it where it is in memory: it goes out together with the head, and can be sent twice.
  virtual std::optional<std::string_view> whole() const = 0;
  // The next piece, empty at the end; valid until the next call. Errors: the client's fault.
  virtual Awaitable<Result<std::string_view>> next() = 0;
};

// Ends a relay that is under way from outside. Reusable, one relay at a time; loop thread only.
class RelaySwitch {
 public:
  // The relay ends with this error soon; nothing happens where none runs. The first counts.
  void cut(Error why) {
    if (act_) std::exchange(act_, {})(std::move(why));
  }
  void arm(std::function<void(Error)> act) { act_ = std::move(act); }  // for relay()

 private:
  std::function<void(Error)> act_;
};

struct RelayOptions {
  std::string target;  // empty: the client's own
  Headers add;         // added to the request after filtering ("X-Forwarded-For")
  // Fields of the request that are not forwarded, lower case.
  std::vector<std::string_view> leave_out;
  Headers add_to_response;
  RelayBody* body = nullptr;   // instead of the client's own; outlives the relay
  RelaySwitch* off = nullptr;  // outlives the relay
  bool may_upgrade = false;    // forwards Upgrade; a 101 then makes a tunnel of it
  bool repeats_all = false;    // any method is sent again as idempotent ones are
  // The response is a stream of events and has begun: the upstream's stream goes on with it; any
  // other answer of the upstream is a failure.
  bool has_begun = false;
  bool* is_clients_fault = nullptr;  // set to true with an error that the client is to blame for
  bool answers_failures = true;      // else a failure before the head is only returned
  // What to say at the end of a response without a length that breaks off, before it is ended as if
  // it were whole: for event streams. `tail` are its last bytes, at most kTail. Empty: it is cut.
  std::function<std::string(const ResponseHead&, std::string_view tail, const Error&)> last_words;
  static constexpr std::size_t kTail = 4;
};

struct RelayReport {
  int status = 0;                                       // what the client was sent; 0: nothing
  std::uint64_t request_bytes = 0, response_bytes = 0;  // of bodies
  bool broke_off = false;                               // the response ended with last_words
};

// Hop-by-hop fields (RFC 9110 section 7.6.1: Connection and what it names, Keep-Alive, TE, Trailer,
// Transfer-Encoding, Upgrade, Proxy-*) are not forwarded; the others keep case and order.
// An upstream that can't be reached or dies before its head: the client gets 502 (504 when it was
// too slow). Dies later: the client's connection is cut, so that it sees a truncated body.
// The client hangs up: the upstream connection is closed at once. The error says what failed;
// `is_clients_fault` is set where it is the client. A request is sent a second time only where a
// kept connection turned out closed before a byte of the response came, on a new one. (Two
// overloads and no default argument: GCC 12 destroys one twice inside a co_await.)
Awaitable<Result<RelayReport>> relay(Exchange& exchange, Client& client, const Endpoint& upstream);
Awaitable<Result<RelayReport>> relay(Exchange& exchange, Client& client, const Endpoint& upstream,
                                     const RelayOptions& options);

// True for fields that concern one connection only. `connection` is the Connection field's value.
bool is_hop_by_hop(std::string_view name, std::string_view connection);

}  // namespace estiva::net
