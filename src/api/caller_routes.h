// The lease socket's few routes, for clients in containers: who they are, and what is theirs. No
// answer names another client's model, container or process. See routes.h.
#pragma once
#include "api/backend.h"
#include "net/exchange.h"
#include "net/target.h"

namespace estiva::api {

// Everything but /healthz. `most` leases may be held by one container, or by one user outside of
// containers.
net::Awaitable<void> serve_caller(Backend& backend, net::Exchange& exchange,
                                  const net::Target& target, std::size_t most);

}  // namespace estiva::api
