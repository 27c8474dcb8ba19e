// Addresses to listen on, as people write them: "127.0.0.1:7700", "[::1]:0".
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace estiva::format {

struct ListenAddress {
  std::string host;  // an IP address, without brackets
  std::uint16_t port = 0;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

// Address and port are both needed; names ("localhost") are refused, because what they mean is
// decided elsewhere. Usage error otherwise.
Result<ListenAddress> parse_listen(std::string_view text);
// The same, or "docker" or "docker:PORT": the address of the Docker bridge, asked for when it is
// needed. The port is 7701 where none is said.
struct GatewayListen {
  bool is_docker = false;
  ListenAddress address;  // without a host for Docker's
  friend bool operator==(const GatewayListen&, const GatewayListen&) = default;
};
Result<GatewayListen> parse_gateway_listen(std::string_view text);
// "172.17.0.1:7701", "[::1]:7701"
std::string to_text(const ListenAddress& address);

// 127.0.0.0/8 or ::1: only this machine can connect.
bool is_loopback(const ListenAddress& address);

}  // namespace estiva::format
