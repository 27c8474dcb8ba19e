#include "api/gateway_protocol.h"

#include <array>
#include <fmt/format.h>

#include "base/messages/gateway.h"
#include "format/json_fields.h"
#include "format/json_tree.h"

namespace estiva::api {

// ---- the members of each message; found by argument-dependent lookup from json_fields.h
// ----------

template <class Io>
void fields(Io& io, Route& route) {
  io("model", route.model);
  io("aliases", route.aliases);
  io("engine", route.engine);
  io("upstream_model", route.upstream_model);
  io("parallel", route.parallel);
  io("queue_limit", route.queue_limit, 1024U);
  io("drain_ns", route.drain_ns);
}
template <class Io>
void fields(Io& io, GatewayKey& key) {
  io("name", key.name);
  io("sha256", key.sha256);
  io("role", key.role);
  io("requests_a_day", key.requests_a_day);
  io("at_once", key.at_once);
  io("models", key.models);
  io("day", key.day);
  io("today", key.today);
}
template <class Io>
void fields(Io& io, GatewayAddress& address) {
  io("address", address.address);
  io("certificate", address.certificate);
  io("private_key", address.private_key);
}
template <class Io>
void fields(Io& io, Routes& message) {
  io.list("routes", message.routes);
  io.list("keys", message.keys);
  io.list("listen", message.listen);
  io("listens_only", message.listens_only);
  io("hosts", message.hosts);
}
template <class Io>
void fields(Io& io, OpenModel& message) {
  io("model", message.model);
  io("generation", message.generation);
  io("endpoint", message.endpoint);
  io("path_prefix", message.path_prefix);
  io("bearer", message.bearer);
}
template <class Io>
void fields(Io& io, CloseModel& message) {
  io("model", message.model);
  io("generation", message.generation);
  io("why", message.why);
}
template <class Io>
void fields(Io& io, CutModel& message) {
  io("model", message.model);
  io("generation", message.generation);
  io("why", message.why);
}
template <class Io>
void fields(Io& io, RefuseTicket& message) {
  io("ticket", message.ticket);
  io("status", message.status, 503);
  io("why", message.why);
  io("remedy", message.remedy);
  io("retry_after_seconds", message.retry_after_seconds);
}
template <class Io>
void fields(Io& io, QueuePlace& message) {
  io("ticket", message.ticket);
  io("place", message.place);
  io("expected_seconds", message.expected_seconds);
  io("bound_seconds", message.bound_seconds);
  io("why", message.why);
}
template <class Io>
void fields(Io& io, Hello::Model& model) {
  io("model", model.model);
  io("generation", model.generation);
  io("in_flight", model.in_flight);
}
template <class Io>
void fields(Io& io, Hello& message) {
  io("protocol", message.protocol);
  io("pid", message.pid);
  io.list("open", message.open);
}
template <class Io>
void fields(Io& io, WantModel& message) {
  io("ticket", message.ticket);
  io("model", message.model);
  io("priority", message.priority);
  io("waited_ns", message.waited_ns);
}
template <class Io>
void fields(Io& io, LeaveQueue& message) {
  io("ticket", message.ticket);
}
template <class Io>
void fields(Io& io, UseOfModel& message) {
  io("model", message.model);
  io("generation", message.generation);
  io("in_flight", message.in_flight);
  io("began", message.began);
  io("failed", message.failed);
}
template <class Io>
void fields(Io& io, ClosedModel& message) {
  io("model", message.model);
  io("generation", message.generation);
  io("in_flight", message.in_flight);
}
template <class Io>
void fields(Io& io, UseOfKey& message) {
  io("key", message.key);
  io("requests", message.requests);
  io("refused", message.refused);
  io("bytes_in", message.bytes_in);
  io("bytes_out", message.bytes_out);
  io("day", message.day);
  io("today", message.today);
}
template <class Io>
void fields(Io& io, ListensOn& message) {
  io("address", message.address);
  io("problem", message.problem);
}

namespace {

// The member "kind" of a packet, in the order of the variant's alternatives.
constexpr std::array<std::string_view, 6> kToGateway = {"routes", "open",   "close",
                                                        "cut",    "refuse", "place"};
constexpr std::array<std::string_view, 7> kFromGateway = {"hello",  "want", "leave",  "use",
                                                          "closed", "key",  "listens"};

template <class Message>
std::string write(const Message& message, std::string_view kind) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("kind", kind);
  format::FieldWriter writer(json);
  std::visit(
      [&](const auto& one) { fields(writer, const_cast<std::decay_t<decltype(one)>&>(one)); },
      message);
  json.end_object();
  return text;
}

Failure malformed(std::string_view why) {
  return fail(fmt::format(msg::kGatewayPacket, why));
}

template <class Message>
using Names = std::array<std::string_view, std::variant_size_v<Message>>;

// Tries the alternatives one after the other: the one called `kind` is read.
template <class Message, std::size_t kAt = 0>
Result<Message> read(format::JsonNode root, std::string_view kind, const Names<Message>& names) {
  if constexpr (kAt < std::variant_size_v<Message>) {
    if (names[kAt] != kind) return read<Message, kAt + 1>(root, kind, names);
    std::variant_alternative_t<kAt, Message> one;
    if (const std::string problem = format::read_fields(root, one); !problem.empty())
      return malformed(problem);
    return Message(std::move(one));
  } else {
    return malformed("kind");
  }
}

template <class Message>
Result<Message> read_packet(std::string_view packet, const Names<Message>& names) {
  if (packet.size() > kMostPacket) return malformed(msg::kGatewayPacketLarge);
  auto tree = format::JsonTree::parse(packet);
  if (!tree) return malformed(tree.error().what);
  const auto kind = tree->root()["kind"].text();
  if (!kind) return malformed("kind");
  return read<Message>(tree->root(), *kind, names);
}

}  // namespace

std::string to_packet(const ToGateway& message) {
  return write(message, kToGateway[message.index()]);
}

std::string to_packet(const FromGateway& message) {
  return write(message, kFromGateway[message.index()]);
}

Result<ToGateway> read_to_gateway(std::string_view packet) {
  return read_packet<ToGateway>(packet, kToGateway);
}

Result<FromGateway> read_from_gateway(std::string_view packet) {
  auto message = read_packet<FromGateway>(packet, kFromGateway);
  if (!message) return message;
  if (const auto* hello = std::get_if<Hello>(&*message);
      hello && hello->protocol != kGatewayProtocol)
    return fail(fmt::format(msg::kGatewayProtocol, hello->protocol, kGatewayProtocol));
  return message;
}

}  // namespace estiva::api
