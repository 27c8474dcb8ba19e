// Where a model answers: addresses with ${PORT} in them, free ports, and whose port it is.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/process_tree.h"
#include "host/files.h"
#include "net/address.h"

namespace estiva::engines {

inline constexpr std::string_view kPortPlace = "${PORT}";

// Each ${PORT} becomes the number. Nothing else that looks like a variable is touched.
std::string with_port(std::string_view text, std::uint16_t port);

struct Url {
  net::Endpoint endpoint;
  std::string path;  // "/health", with its query; empty where there is none
  friend bool operator==(const Url&, const Url&) = default;
};
// "http://127.0.0.1:8080/health", "127.0.0.1:8080", "unix:/run/x.sock". Without a port: 80.
// Errors: usage, with what is accepted; https is refused by name.
Result<Url> parse_url(std::string_view text);

// A port below those that the kernel gives to outgoing connections, so that none of them can take
// it before the engine has it. The same name gets the same one where it can. Errors: failed.
Result<std::uint16_t> choose_port(std::string_view name,
                                  const std::function<bool(std::uint16_t)>& is_free);
// Nobody listens there on any address, and no old connection blocks it.
bool is_port_free(std::uint16_t port);
// Somebody accepts connections there. On this machine the kernel knows at once; waits 5 ms at most.
bool accepts(const net::Endpoint& endpoint);

// Does one of these processes listen there? nullopt where /proc does not tell, or for other than
// TCP. Blocking, some 50 us a process.
std::optional<bool> is_listener(const host::Root& root, const std::vector<Member>& members,
                                std::uint16_t port);

}  // namespace estiva::engines
