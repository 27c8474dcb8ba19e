// The routes of keys, below /api/v1, on the control socket only:
//   GET    /keys        all keys with what each used, and where the gateway listens
//   POST   /keys        {"name":..,"role":..,"requests_a_day":n,"at_once":n,"models":[..]}; the
//                       answer has the secret, once
//   DELETE /keys/NAME   revokes it
#pragma once
#include <string>

#include "api/keys.h"
#include "net/exchange.h"
#include "net/target.h"

namespace estiva::api {

// Is this path one of them?
bool is_key_route(const net::Target& target);
net::Awaitable<void> serve_keys(Keys& keys, net::Exchange& exchange, const net::Target& target);

// {"schema":"estiva/keys/1","keys":[..],"listeners":[..]}
std::string keys_json(const Keys& keys);

}  // namespace estiva::api
