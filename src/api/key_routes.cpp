#include "api/key_routes.h"

#include <fmt/format.h>

#include "api/json_parts.h"
#include "api/lease_routes.h"
#include "base/messages/api_keys.h"
#include "format/json_tree.h"
#include "format/json_writer.h"

namespace estiva::api {
namespace {

constexpr std::size_t kMostBody = 64 << 10;
constexpr std::size_t kMostModels = 256;  // of one key

using format::JsonNode;
using format::JsonWriter;

void write_limit(JsonWriter& json, std::string_view member, std::uint64_t limit) {
  json.key(member);
  limit > 0 ? json.value(limit) : json.null();
}

void write_spec(JsonWriter& json, const KeySpec& spec) {
  json.field("name", spec.name).field("role", spec.role).key("models").begin_array();
  for (const std::string& model : spec.models) json.value(model);
  json.end_array();
  write_limit(json, "requests_a_day", spec.requests_a_day);
  write_limit(json, "at_once", spec.at_once);
}

void write_key(JsonWriter& json, const KeyStatus& key) {
  json.begin_object();
  write_spec(json, key.spec);
  json.field("created_at", to_rfc3339(key.created))
      .field("requests_total", key.requests)
      .field("refused_total", key.refused)
      .field("requests_today", key.today)
      .field("received_bytes_total", key.bytes_in)
      .field("sent_bytes_total", key.bytes_out);
  write_text(json, "last_used_at", key.last_used ? to_rfc3339(*key.last_used) : std::string());
  json.end_object();
}

void write_listener(JsonWriter& json, const GatewayAddressStatus& one) {
  json.begin_object().field("asked", one.asked);
  write_text(json, "address", one.address);
  json.field("needs_key", one.needs_key).field("open", one.is_open);
  write_text(json, "reason", one.why);
  json.end_object();
}

// A number of a member that may be absent or null; false where it is something else.
template <class T>
bool take_count(JsonNode node, T& to) {
  if (!node || node.is_null()) return true;
  const auto number = node.unsigned_number();
  if (!number || *number > UINT32_MAX) return false;
  to = static_cast<T>(*number);
  return true;
}

std::optional<KeySpec> spec_of(std::string_view text) {
  const auto tree = format::JsonTree::parse(text);
  if (!tree || !tree->root().is_object()) return std::nullopt;
  const JsonNode root = tree->root(), role = root["role"], models = root["models"];
  KeySpec spec;
  const auto name = root["name"].text();
  if (!name || (role && !role.text()) || (models && !models.is_array())) return std::nullopt;
  spec.name = *name;
  if (role) spec.role = *role.text();
  if (models.size() > kMostModels) return std::nullopt;
  for (std::size_t i = 0; models && i < models.size(); ++i) {
    if (!models.at(i).text()) return std::nullopt;
    spec.models.emplace_back(*models.at(i).text());
  }
  if (!take_count(root["requests_a_day"], spec.requests_a_day)) return std::nullopt;
  if (!take_count(root["at_once"], spec.at_once)) return std::nullopt;
  return spec;
}

net::Awaitable<void> post_key(Keys& keys, net::Exchange& exchange) {
  auto body = co_await exchange.read_body(kMostBody);
  if (!body) co_return co_await send_error(exchange, body.error());
  auto spec = spec_of(*body);
  if (!spec) {
    const Error error{ErrorKind::usage, msg::kKeyWanted, {}};
    co_return co_await send_error(exchange, error);
  }
  const KeySpec made = *spec;
  auto secret = co_await keys.create(std::move(*spec));
  if (!secret) co_return co_await send_error(exchange, secret.error());
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/key/1").key("key").begin_object();
  write_spec(json, made);
  json.end_object().field("secret", *secret).end_object();
  co_await send_json(exchange, 200, std::move(text));
}

net::Awaitable<void> delete_key(Keys& keys, net::Exchange& exchange, const std::string& name) {
  const auto done = co_await keys.revoke(name);
  if (!done) co_return co_await send_error(exchange, done.error());
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/key/1").field("revoked", name).end_object();
  co_await send_json(exchange, 200, std::move(text));
}

}  // namespace

std::string keys_json(const Keys& keys) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/keys/1").key("keys").begin_array();
  for (const KeyStatus& key : keys.keys()) write_key(json, key);
  json.end_array().key("listeners").begin_array();
  for (const GatewayAddressStatus& one : keys.listeners()) write_listener(json, one);
  json.end_array().end_object();
  return text;
}

bool is_key_route(const net::Target& target) {
  const auto& parts = target.segments;
  return (parts.size() == 3 || parts.size() == 4) && parts[0] == "api" && parts[1] == "v1" &&
         parts[2] == "keys";
}

net::Awaitable<void> serve_keys(Keys& keys, net::Exchange& exchange, const net::Target& target) {
  const std::string& method = exchange.request().method;
  const bool is_one = target.segments.size() == 4;
  if (!is_one && method == "GET") co_return co_await send_json(exchange, 200, keys_json(keys));
  if (!is_one && method == "POST") co_return co_await post_key(keys, exchange);
  if (is_one && method == "DELETE") {
    co_return co_await delete_key(keys, exchange, target.segments[3]);
  }
  const Error error{ErrorKind::usage, msg::kKeyMethods, {}};
  co_await send_error(exchange, error);
}

}  // namespace estiva::api
