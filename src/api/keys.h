// What the routes may ask of the keys of the gateway: those who may use the models from beyond this
// machine's own users. The daemon implements it on its loop; tests with values. Loop thread only.
#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "net/loop.h"

namespace estiva::api {

// What a key is for.
struct KeySpec {
  std::string name;                  // 1 to 64 letters, digits, '.', '-' and '_'
  std::string role = "use";          // view, use, operate
  std::uint64_t requests_a_day = 0;  // 0: no quota
  unsigned at_once = 0;              // requests at a time; 0: any number
  std::vector<std::string> models;   // names or aliases; empty: all
};

struct KeyStatus {
  KeySpec spec;
  WallTime created;
  // Since it was made, across restarts.
  std::uint64_t requests = 0, refused = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t today = 0;            // requests since midnight UTC
  std::optional<WallTime> last_used;  // to the second
};

// An address of the gateway, as the configuration has it.
struct GatewayAddressStatus {
  std::string asked;    // "docker", "127.0.0.1:7701"
  std::string address;  // "172.17.0.1:7701"; empty: not known yet
  bool needs_key = false, is_open = false;
  std::string why;  // it does not listen; empty: it does, or nothing was heard yet
};

class Keys {
 public:
  virtual ~Keys() = default;

  virtual std::vector<KeyStatus> keys() const = 0;  // by name
  virtual std::vector<GatewayAddressStatus> listeners() const = 0;
  // The secret, which is not kept and can't be had again; durable when it returns. Errors: usage
  // (a name or role that can't be), refused (the name is taken; too many keys), failed (the disk).
  virtual net::Awaitable<Result<std::string>> create(KeySpec spec) = 0;
  // In force at once, durable when it returns. Errors: not_found; failed: it is in force until the
  // next start only.
  virtual net::Awaitable<Result<void>> revoke(std::string name) = 0;
};

}  // namespace estiva::api
