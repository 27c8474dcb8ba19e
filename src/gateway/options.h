// What estiva-gateway is told on its command line.
#pragma once
#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "gateway/body.h"
#include "net/address.h"
#include "net/tls.h"

namespace estiva::gateway {

struct ListenSpec {
  net::Endpoint where;
  bool needs_key = false;
  bool is_behind_tls = false;  // another program takes the TLS off: any address will do
  bool has_tls = false;        // here; also where others than this machine's containers reach it
};

struct GatewayOptions {
  std::vector<ListenSpec> listen;  // 127.0.0.1:7701 where none is given
  std::string socket;              // of estivad
  std::string control_socket;      // beside it: for keys that may operate
  net::TlsFiles tls;               // empty: there is none
  std::vector<std::string> hosts;  // more names that a Host may say where a key is needed
  BodyLimits body;
  // Models may think for long, and stream with long pauses.
  std::chrono::milliseconds response_time = std::chrono::minutes(60);
  std::chrono::milliseconds idle_time = std::chrono::minutes(60);
  std::chrono::milliseconds grace = std::chrono::seconds(10);  // for requests, at the end
  std::size_t connections = 4096;
};

struct ParsedOptions {
  std::optional<GatewayOptions> options;  // nothing: `text` is to be printed, and that is all
  std::string text;
};

// Without a flag for it, a listener that others than this machine's users reach needs a key.
// Usage errors name the flag.
Result<ParsedOptions> parse_options(std::span<char*> arguments);

}  // namespace estiva::gateway
