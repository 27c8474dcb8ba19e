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
// 127.0.0.0/8 or ::1: only this machine can connect.
bool is_loopback(const ListenAddress& address);

}  // namespace estiva::format
