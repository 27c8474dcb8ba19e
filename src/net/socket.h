// Opening, binding and connecting sockets with plain system calls: shared by server, client and the
// blocking client. Every descriptor is close-on-exec and non-blocking.
#pragma once
#include <sys/socket.h>

#include "base/error.h"
#include "net/address.h"
#include "net/peer.h"

namespace estiva::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress to_sockaddr(const Endpoint& endpoint);
Endpoint endpoint_of(const sockaddr_storage& address);
// The local address of a bound socket.
Result<Endpoint> local_endpoint(int fd);

struct BoundSocket {
  UniqueFd fd;
  Endpoint endpoint;  // with the real port
};
// Binds and listens. Errors as Server::listen says.
Result<BoundSocket> open_listener(const Endpoint& where, mode_t unix_mode);
// Checks a descriptor somebody else bound, and sets it non-blocking.
Result<BoundSocket> adopt_listener(int fd);

// Starts a connection; it may still be in progress (wait for writability, then connect_result).
Result<UniqueFd> start_connect(const Endpoint& to);
// After writability: fails with the reason in words.
Result<void> connect_result(int fd, const Endpoint& to);
Failure connect_failure(const Endpoint& to, int error_number);

// " by process 17 (nginx)" when /proc tells who listens on this TCP port, else "".
std::string port_holder(std::uint16_t port);

}  // namespace estiva::net
