// An HTTP/1.1 server on TCP and Unix sockets: keep-alive, pipelining, streaming both ways, and a
// limit on everything a client can use up. One handler serves every request; it may be running for
// many connections at once, on the one thread of the loop.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "net/address.h"
#include "net/exchange.h"
#include "net/loop.h"

namespace estiva::net {

// Times are enforced by a sweep every quarter of the shortest of them (10 ms to 1 s), so they may
// be late by that much and cost nothing per request.
struct ServerLimits {
  std::size_t header_bytes = 32 << 10;            // request line and fields: 431 beyond
  std::uint64_t body_bytes = 1 << 20;             // 413 beyond
  std::size_t connections = 512;                  // beyond: 503 and closed at once
  std::chrono::milliseconds header_time{10'000};  // first byte to end of header (slow loris): 408
  std::chrono::milliseconds idle_time{75'000};    // between requests: closed silently
  std::chrono::milliseconds write_stall{30'000};  // no byte taken by the client: closed
  // A body must bring at least this many bytes in each body_window while the handler reads: 408.
  std::chrono::milliseconds body_window{10'000};
  std::size_t body_window_bytes = 1 << 10;
  std::size_t requests_per_connection = 1'000'000;
};

struct ListenOptions {
  std::string name;         // what Exchange::listener() says
  mode_t unix_mode = 0660;  // permission bits of the socket file
  // Connections through this listener, 0: as many as the server has. So that strangers on one can't
  // take the room of those on another.
  std::size_t connections = 0;
  // Of these, connections of one client, by the name that `client_of` gives it; empty: no limit. So
  // that one stranger can't take the room of another.
  std::function<std::string(const Peer&)> client_of{};
  std::size_t per_client = 0;
  // Takes a layer off each connection, TLS: what it returns is read and written instead. An empty
  // descriptor ends the connection.
  std::function<UniqueFd(UniqueFd)> wrap{};
};

// Counters since start.
struct ServerStats {
  std::size_t connections = 0;                            // open now
  std::uint64_t accepted = 0, requests = 0, refused = 0;  // refused: over the connection cap
  std::uint64_t bad_requests = 0, timed_out = 0, hung_up = 0;
};

// A handler answers its exchange. If it returns without answering, or throws, the client gets 500
// (when nothing was sent yet) or a cut connection (when the response had begun).
using Handler = std::function<Awaitable<void>(Exchange&)>;

class Server {
 public:
  Server(Loop& loop, Handler handler, ServerLimits limits = {});
  ~Server();  // closes everything at once; the loop must still exist and not be running handlers
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and accepts. Returns the address bound, with the real port. A Unix socket file is
  // replaced only if nobody listens on it, never if it is another kind of file. Errors name the
  // port or path and, when it is taken, who holds it as far as /proc tells.
  Result<Endpoint> listen(const Endpoint& where, ListenOptions options = {});
  // Accepts on a listening socket that systemd passed (takes ownership of the descriptor).
  Result<Endpoint> adopt(int listening_fd, ListenOptions options = {});
  // Accepts no more there (an address that listen() returned); its connections go on.
  void stop_listening(const Endpoint& where);
  // Stops accepting, closes idle connections, lets running handlers finish until `grace`, then
  // cuts them (their exchanges report a hang-up). Removes the Unix socket files it created.
  Awaitable<void> stop(std::chrono::milliseconds grace);

  ServerStats stats() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace estiva::net
