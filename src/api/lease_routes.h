// POST and DELETE of leases; see routes.h.
#pragma once
#include "api/backend.h"
#include "net/exchange.h"
#include "net/target.h"

namespace estiva::api {

net::Awaitable<void> post_lease(Backend& backend, net::Exchange& exchange);
// An empty `id`: whichever lease has the name.
net::Awaitable<void> delete_lease(Backend& backend, net::Exchange& exchange, std::string model,
                                  std::string id);
// Sends a JSON body; a client that is gone is nobody's error.
net::Awaitable<void> send_json(net::Exchange& exchange, int status, std::string body);
net::Awaitable<void> send_error(net::Exchange& exchange, const Error& error);

}  // namespace estiva::api
