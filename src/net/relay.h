// A reverse proxy's inner part: one exchange's request goes to an upstream, its response comes
// back. Bodies pass verbatim in both directions at the same time with back-pressure, events as they
// arrive. Nothing is buffered beyond one piece each way.
#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "net/client.h"
#include "net/exchange.h"

namespace estiva::net {

struct RelayOptions {
  std::string target;  // empty: the client's own
  Headers add;         // added to the request after filtering ("X-Forwarded-For")
};

struct RelayReport {
  int status = 0;                                       // what the client was sent; 0: nothing
  std::uint64_t request_bytes = 0, response_bytes = 0;  // of bodies
};

// Hop-by-hop fields (RFC 9110 section 7.6.1: Connection and what it names, Keep-Alive, TE, Trailer,
// Transfer-Encoding, Upgrade, Proxy-*) are not forwarded; the others keep case and order.
// An upstream that can't be reached or dies before its head: the client gets 502 (504 when it was
// too slow). Dies later: the client's connection is cut, so that it sees a truncated body.
// The client hangs up: the upstream connection is closed at once. The error says which side failed.
// (Two overloads and no default argument: GCC 12 destroys one twice inside a co_await.)
Awaitable<Result<RelayReport>> relay(Exchange& exchange, Client& client, const Endpoint& upstream);
Awaitable<Result<RelayReport>> relay(Exchange& exchange, Client& client, const Endpoint& upstream,
                                     const RelayOptions& options);

// True for fields that concern one connection only. `connection` is the Connection field's value.
bool is_hop_by_hop(std::string_view name, std::string_view connection);

}  // namespace estiva::net
