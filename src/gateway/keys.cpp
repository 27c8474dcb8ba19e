#include "gateway/keys.h"

#include <fmt/format.h>

#include "base/messages/gateway.h"
#include "format/sha256.h"
#include "net/target.h"

namespace estiva::gateway {
namespace {

constexpr std::int64_t kDay = std::int64_t{86'400} * 1'000'000'000;

bool may(const api::GatewayKey& key, Right right) {
  if (key.role == "use" || key.role == "operate") return true;
  return key.role == "view" && right == Right::list;
}

}  // namespace

void KeyRing::set(std::vector<api::GatewayKey> keys) {
  keys_ = std::move(keys);
  std::erase_if(uses_, [this](const auto& entry) {
    for (const api::GatewayKey& key : keys_)
      if (key.name == entry.first) return false;
    return true;
  });
}

std::string_view KeyRing::shown(const net::RequestHead& head) {
  if (const auto token = net::bearer_token(head)) return *token;
  return head.headers.find("x-api-key").value_or(std::string_view{});
}

// All are compared, whichever it is, so that the time says nothing.
const api::GatewayKey* KeyRing::find(std::string_view shown) const {
  const std::string digest = format::sha256_hex(shown);
  const api::GatewayKey* found = nullptr;
  for (const api::GatewayKey& key : keys_) {
    if (net::equal_in_constant_time(digest, key.sha256)) found = &key;
  }
  return found;
}

KeyRing::Checked KeyRing::check(std::string_view shown, Right right, WallTime now) {
  if (shown.empty())
    return {{}, Refusal{401, msg::kGatewayKeyNeeded, msg::kGatewayKeyNeededRemedy, "no-key", {}}};
  const api::GatewayKey* key = find(shown);
  if (key == nullptr) return {{}, Refusal{401, msg::kGatewayKeyUnknown, {}, "bad-key", {}}};
  if (!may(*key, right))
    return {key->name,
            Refusal{403, fmt::format(msg::kGatewayKeyRole, key->name, key->role), {}, "role", {}}};
  Use& use = uses_[key->name];
  if (const std::int64_t day = now.ns / kDay; use.day != day) {
    use.day = day;
    use.today = 0;
  }
  if (key->requests_a_day > 0 && use.today >= key->requests_a_day) {
    const double left = static_cast<double>(kDay - now.ns % kDay) / 1e9;
    return {key->name, Refusal{429,
                               fmt::format(msg::kGatewayKeyQuota, key->name, key->requests_a_day),
                               {},
                               "quota",
                               left}};
  }
  ++use.today;
  ++use.told.requests;
  use.is_changed = true;
  return {key->name, std::nullopt};
}

void KeyRing::add_bytes(const std::string& name, std::uint64_t in, std::uint64_t out) {
  const auto found = uses_.find(name);
  if (found == uses_.end()) return;
  found->second.told.bytes_in += in;
  found->second.told.bytes_out += out;
  found->second.is_changed = true;
}

std::vector<api::UseOfKey> KeyRing::take_changes() {
  std::vector<api::UseOfKey> changes;
  for (auto& [name, use] : uses_) {
    if (!std::exchange(use.is_changed, false)) continue;
    changes.push_back(use.told);
    changes.back().key = name;
  }
  return changes;
}

void KeyRing::restart_counts() {
  for (auto& [name, use] : uses_) {
    use.told = {};
    use.is_changed = false;
  }
}

}  // namespace estiva::gateway
