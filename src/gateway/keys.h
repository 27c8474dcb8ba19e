// API keys of the gateway: who may call, how often a day, and what each used. Keys are known by
// their SHA-256 only. Loop thread only.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/gateway_protocol.h"
#include "base/clock.h"
#include "gateway/refusal.h"
#include "net/message.h"

namespace estiva::gateway {

enum class Right : std::uint8_t { list, call };

class KeyRing {
 public:
  // Replaces all: a key that is not among them is refused from now on. What was used so far stays
  // with the name.
  void set(std::vector<api::GatewayKey> keys);

  // What a request shows: the token of "Authorization: Bearer", or x-api-key. Empty: nothing.
  static std::string_view shown(const net::RequestHead& head);

  // Admits the request and counts it, or says why not: no key or an unknown one (401), not its
  // right (403), its day's requests are used up (429).
  struct Checked {
    std::string name;
    std::optional<Refusal> refusal;
  };
  Checked check(std::string_view shown, Right right, WallTime now);
  void add_bytes(const std::string& name, std::uint64_t in, std::uint64_t out);

  // What changed since the last call, as totals since restart_counts(): at a new Hello.
  std::vector<api::UseOfKey> take_changes();
  void restart_counts();

 private:
  struct Use {
    api::UseOfKey told;
    std::int64_t day = 0;
    std::uint64_t today = 0;
    bool is_changed = false;
  };
  const api::GatewayKey* find(std::string_view shown) const;

  std::vector<api::GatewayKey> keys_;
  std::map<std::string, Use, std::less<>> uses_;
};

}  // namespace estiva::gateway
