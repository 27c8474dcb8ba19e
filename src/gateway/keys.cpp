#include "gateway/keys.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "base/messages/gateway.h"
#include "format/sha256.h"
#include "net/target.h"

namespace estiva::gateway {
namespace {

constexpr std::int64_t kDay = std::int64_t{86'400} * 1'000'000'000;
// How soon one of the requests that are under way may have ended; nobody knows.
constexpr double kSoon = 1.0;

bool may(const api::GatewayKey& key, Right right) {
  if (key.role == "operate") return true;
  if (key.role == "use") return right != Right::operate;
  return key.role == "view" && right == Right::list;
}

Refusal refuse(KeyEntry& entry, Refusal why) {
  ++entry.use.refused;
  entry.is_changed = true;
  return why;
}

void begin_day(api::UseOfKey& use, std::int64_t day) {
  if (use.day == day) return;
  use.day = day;
  use.today = 0;
}

// Nothing: the key admits one more.
std::optional<Refusal> over_quota(const KeyEntry& entry, WallTime now) {
  const api::GatewayKey& key = entry.key;
  if (key.requests_a_day > 0 && entry.use.today >= key.requests_a_day) {
    const double left = static_cast<double>(kDay - now.ns % kDay) / 1e9;
    return Refusal{
        429, fmt::format(msg::kGatewayKeyQuota, key.name, key.requests_a_day), {}, "quota", left};
  }
  if (key.at_once > 0 && entry.under_way >= key.at_once) {
    return Refusal{
        429, fmt::format(msg::kGatewayKeyAtOnce, key.name, key.at_once), {}, "at-once", kSoon};
  }
  return std::nullopt;
}

}  // namespace

KeyStay::KeyStay(std::shared_ptr<KeyEntry> entry) : entry_(std::move(entry)) {
  if (entry_) ++entry_->under_way;
}

KeyStay& KeyStay::operator=(KeyStay&& other) noexcept {
  leave();
  entry_ = std::move(other.entry_);
  return *this;
}

void KeyStay::leave() {
  if (const auto entry = std::exchange(entry_, {})) --entry->under_way;
}

bool KeyStay::may_use(const api::Route& route) const {
  if (!entry_ || entry_->key.models.empty()) return true;
  const auto is_named = [this](const std::string& name) {
    const auto& models = entry_->key.models;
    return std::find(models.begin(), models.end(), name) != models.end();
  };
  return is_named(route.model) || std::any_of(route.aliases.begin(), route.aliases.end(), is_named);
}

void KeyStay::add_bytes(std::uint64_t in, std::uint64_t out) const {
  if (!entry_) return;
  entry_->use.bytes_in += in;
  entry_->use.bytes_out += out;
  entry_->is_changed = true;
}

Refusal KeyStay::refuse_model(std::string_view model) const {
  Refusal why{403, fmt::format(msg::kGatewayKeyModel, entry_->key.name, model), {}, "model", {}};
  return refuse(*entry_, std::move(why));
}

void KeyRing::set(std::vector<api::GatewayKey> keys) {
  std::vector<std::shared_ptr<KeyEntry>> entries;
  for (api::GatewayKey& key : keys) {
    const auto known = std::find_if(entries_.begin(), entries_.end(), [&key](const auto& entry) {
      return entry->key.name == key.name && entry->key.sha256 == key.sha256;
    });
    auto entry = known == entries_.end() ? std::make_shared<KeyEntry>() : *known;
    if (known == entries_.end()) {
      entry->use.day = key.day;
      entry->use.today = key.today;
    }
    entry->key = std::move(key);
    entries.push_back(std::move(entry));
  }
  entries_ = std::move(entries);
}

std::string_view KeyRing::shown(const net::RequestHead& head) {
  if (const auto token = net::bearer_token(head)) return *token;
  return head.headers.find("x-api-key").value_or(std::string_view{});
}

// All are compared, whichever it is, so that the time says nothing.
std::shared_ptr<KeyEntry> KeyRing::find(std::string_view shown) const {
  const std::string digest = format::sha256_hex(shown);
  std::shared_ptr<KeyEntry> found;
  for (const auto& entry : entries_) {
    if (net::equal_in_constant_time(digest, entry->key.sha256)) found = entry;
  }
  return found;
}

KeyRing::Checked KeyRing::check(std::string_view shown, Right right, WallTime now) {
  if (shown.empty())
    return {{}, Refusal{401, msg::kGatewayKeyNeeded, msg::kGatewayKeyNeededRemedy, "no-key", {}}};
  auto entry = find(shown);
  if (!entry) return {{}, Refusal{401, msg::kGatewayKeyUnknown, {}, "bad-key", {}}};
  const api::GatewayKey& key = entry->key;
  if (!may(key, right)) {
    Refusal why{403, fmt::format(msg::kGatewayKeyRole, key.name, key.role), {}, "role", {}};
    return {{}, refuse(*entry, std::move(why))};
  }
  begin_day(entry->use, now.ns / kDay);
  if (auto why = over_quota(*entry, now)) return {{}, refuse(*entry, std::move(*why))};
  ++entry->use.today;
  ++entry->use.requests;
  entry->is_changed = true;
  return {KeyStay(std::move(entry)), std::nullopt};
}

std::vector<api::UseOfKey> KeyRing::take_changes() {
  std::vector<api::UseOfKey> changes;
  for (const auto& entry : entries_) {
    if (!std::exchange(entry->is_changed, false)) continue;
    changes.push_back(entry->use);
    changes.back().key = entry->key.name;
    entry->use = {{}, 0, 0, 0, 0, entry->use.day, entry->use.today};
  }
  return changes;
}

}  // namespace estiva::gateway
