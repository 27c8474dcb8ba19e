// The daemon's two Unix sockets: control, for who administrates, and lease, for everybody. Those
// that systemd passed are used; the others are made.
#pragma once
#include <functional>
#include <string>

#include "api/places.h"
#include "base/error.h"
#include "net/server.h"

namespace estiva::daemon {

// `client_of` names the clients of the lease socket, so that none takes all connections. Without
// the control socket: an error. Without the lease socket the daemon works on, and says so.
Result<void> listen_locally(net::Server& server, const api::Places& places,
                            std::function<std::string(const net::Peer&)> client_of);

}  // namespace estiva::daemon
