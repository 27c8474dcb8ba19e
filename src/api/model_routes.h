// The routes of models, below /api/v1 on the control socket and TCP:
//   GET  /models                        all, who waits, what is paused
//   POST /models/NAME/load|unload       answers once it is done; names with a slash: ?model=NAME
//   POST /models/NAME/pin|unpin
//   POST /models/NAME/policy            {"policy":"keep|swap|always-unload"}
//   GET  /models/NAME/log               the newest lines of its engine
//   POST /pause                         {"device":UUID or "","seconds":n or null}
//   POST /resume                        {"device":UUID or ""}
//   POST /reload                        reads the configuration again; ?dry_run=1 shows only
#pragma once
#include "api/residents.h"
#include "net/exchange.h"
#include "net/target.h"

namespace estiva::api {

// Is this path one of them?
bool is_model_route(const net::Target& target);
net::Awaitable<void> serve_models(Residents& residents, net::Exchange& exchange,
                                  const net::Target& target, bool simulated);

}  // namespace estiva::api
