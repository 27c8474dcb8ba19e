// The HTTP API: which request does what, and who may ask. One handler for the control socket, the
// lease socket and TCP. The control socket's file mode is its guard; TCP needs the token or, in a
// browser that logged in, the cookie of a session; the lease socket is for everybody, and shows
// each client only what is its own (caller_routes.h).
#pragma once
#include <string>
#include <vector>

#include "api/backend.h"
#include "net/server.h"

namespace estiva::api {

// Names given to Server::listen.
inline constexpr std::string_view kControlListener = "control";
inline constexpr std::string_view kLeaseListener = "lease";
inline constexpr std::string_view kTcpListener = "tcp";

struct Access {
  std::string token;                       // what TCP must show; empty: only a session's cookie
  std::vector<std::string> allowed_hosts;  // for Host and Origin
  std::size_t leases_per_client = 8;       // through the lease socket
};

// `backend` and the returned handler live on the same loop; the backend must outlive the server.
//   GET  /healthz                 200, or 503 when gpu_status is UNHEALTHY; open on TCP
//   GET  /metrics                 Prometheus or OpenMetrics; on TCP without the token no names
//   GET  /api/v1/gpu|status|leases|world
//   POST /api/v1/leases           200, 409 no room, 503 refused
//   DELETE /api/v1/leases/NAME    200, 404; ?id=ID: only if the name's lease is that one
//   POST /api/v1/leases/ID/revoke 200 when it gave its bytes back, 409 when it did not
//   GET  /api/v1/events           text/event-stream: "world" with the status document
//   /api/v1/models, /pause, /resume, /reload: see model_routes.h
//   /api/v1/keys: see key_routes.h: control socket only
//   POST, DELETE /api/v1/login    a code for one login; end all sessions: control socket only
//   GET  /                        a page for a browser, 401 without a session
//   GET, POST /login; POST /logout
// On the lease socket only /healthz and
//   GET  /api/v1/self             who the caller is, the GPUs it uses, its leases
//   GET  /api/v1/leases           its own
//   POST /api/v1/leases           held by the caller, or with "holder":"container" by its
//                                 container's first process
//   DELETE /api/v1/leases/NAME    200, 403 another's, 404
//   POST /api/v1/leases/ID/heartbeat  200 while it is held, 404 when it is gone
//   POST /api/v1/leases/ID/use|yielded|resume, GET /api/v1/leases/ID/events: docs/leases.md
net::Handler make_handler(Backend& backend, Access access);

}  // namespace estiva::api
