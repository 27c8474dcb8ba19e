// Where an engine that others started answers, and whether it does yet.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/address.h"
#include "net/client.h"
#include "net/loop.h"

namespace estiva::engines {

struct Url {
  net::Endpoint endpoint;
  std::string path;  // "/v1", with the query if there is one; empty: none
  friend bool operator==(const Url&, const Url&) = default;
};

// "http://HOST:PORT/PATH", "http://HOST" (port 80), "HOST:PORT/PATH" and "unix:/SOCKET" (which has
// no path). The host is an address or localhost. Errors (usage): another form.
Result<Url> parse_url(std::string_view text);

// "${PORT}" in `text` becomes `port`.
std::string with_port(std::string text, std::uint16_t port);

// How long one question of answers() may take.
net::ClientLimits patience_of_a_probe();

// Asks once, with GET. True for a status of 200 to 299, or for any answer in HTTP at all.
net::Awaitable<bool> answers(net::Client& client, Url url, bool any_status);

}  // namespace estiva::engines
