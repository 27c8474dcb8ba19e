// Where an engine that others started answers, and whether it does yet.
#pragma once
#include "engines/address.h"
#include "net/client.h"
#include "net/loop.h"

namespace estiva::engines {

// How long one question of answers() may take.
net::ClientLimits patience_of_a_probe();

// Asks once, with GET. True for a status of 200 to 299, or for any answer in HTTP at all.
net::Awaitable<bool> answers(net::Client& client, Url url, bool any_status);

}  // namespace estiva::engines
