// What a program says of its lease, and what it is told: the lease socket's routes below
// /api/v1/leases/ID/. See routes.h and docs/leases.md.
#pragma once
#include <string_view>

#include "api/backend.h"
#include "net/exchange.h"

namespace estiva::api {

// heartbeat, use, yielded, resume (POST) and events (GET) of a live lease that is the caller's.
// False: there is no such route.
net::Awaitable<bool> serve_library(Backend& backend, net::Exchange& exchange, Lease lease,
                                   std::string_view action);
// On the control socket: POST /api/v1/leases/ID/revoke.
net::Awaitable<void> post_revoke(Backend& backend, net::Exchange& exchange, std::string id);

// Assigns, waiting as the terms say, and answers. What is granted to a client that has gone away
// meanwhile is given back, unless it had it before..
net::Awaitable<void> assign_and_answer(Backend& backend, net::Exchange& exchange,
                                       decide::AssignRequest request, AssignTerms terms,
                                       LibraryTerms library);

}  // namespace estiva::api
