// GET /api/v1/journal: what happened and why. With /follow as a stream of server-sent events.
#pragma once
#include "api/backend.h"
#include "net/exchange.h"
#include "net/target.h"

namespace estiva::api {

// {"schema":"estiva/journal/1","records":[..]}, the oldest first.
net::Awaitable<void> get_journal(Backend& backend, net::Exchange& exchange,
                                 const net::Target& target);
// The same records one event each ("record", its position as id), then what is added, until the
// client hangs up or is no longer welcome. `Last-Event-ID` goes on behind that position.
net::Awaitable<void> follow_journal(Backend& backend, net::Exchange& exchange,
                                    const net::Target& target, std::function<bool()> is_welcome);

}  // namespace estiva::api
