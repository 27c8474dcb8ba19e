// The HTTP API: which request does what, and who may ask. One handler for the control socket and
// for TCP; the control socket's file mode is its guard, TCP needs the token or, in a browser that
// logged in, the cookie of a session.
#pragma once
#include <string>
#include <vector>

#include "api/backend.h"
#include "net/server.h"

namespace estiva::api {

// Names given to Server::listen.
inline constexpr std::string_view kControlListener = "control";
inline constexpr std::string_view kTcpListener = "tcp";

struct Access {
  std::string token;                       // what TCP must show; empty: only a session's cookie
  std::vector<std::string> allowed_hosts;  // for Host and Origin
};

// `backend` and the returned handler live on the same loop; the backend must outlive the server.
//   GET  /healthz                 200, or 503 when gpu_status is UNHEALTHY; open on TCP
//   GET  /metrics                 Prometheus or OpenMetrics; on TCP without the token no names
//   GET  /api/v1/gpu|status|leases|world
//   POST /api/v1/leases           200, 409 no room, 503 refused
//   DELETE /api/v1/leases/NAME    200, 404; ?id=ID: only if the name's lease is that one
//   GET  /api/v1/events           text/event-stream: "world" with the status document
//   POST, DELETE /api/v1/login    a code for one login; end all sessions: control socket only
//   GET  /                        a page for a browser, 401 without a session
//   GET, POST /login; POST /logout
net::Handler make_handler(Backend& backend, Access access);

}  // namespace estiva::api
