// Leases and the answers to assign and release.
#include "api/backend.h"
#include "api/json.h"
#include "api/json_parts.h"

namespace estiva::api {

using format::JsonWriter;

void write_lease(JsonWriter& json, const Lease& lease, const LeaseUse* use) {
  Bytes total;
  for (const Share& share : lease.shares) total += share.bytes;
  json.begin_object().field("id", lease.id).field("model", lease.model).key("gpus").begin_array();
  for (const Share& share : lease.shares) json.value(share.device.key());
  json.end_array().field("vram_bytes", total).key("shares").begin_array();
  for (const Share& share : lease.shares) {
    json.begin_object()
        .field("gpu", share.device.key())
        .field("vram_bytes", share.bytes)
        .end_object();
  }
  json.end_array().field("state", to_name(lease.state)).key("holder");
  if (lease.holder) {
    json.begin_object()
        .field("pid", lease.holder->pid)
        .field("start_ticks", lease.holder->start_ticks)
        .end_object();
  } else {
    json.null();
  }
  json.field("granted_at", to_rfc3339(lease.granted_at)).field("sequence", lease.sequence);
  if (use != nullptr) {
    json.field("measured_bytes", use->measured).field("charged_bytes", use->charged);
  }
  json.end_object();
}

void write_leases(JsonWriter& json, const World& world) {
  write_leases(json, world, std::vector<bool>(world.leases.size(), true));
}

void write_leases(JsonWriter& json, const World& world, const std::vector<bool>& shown) {
  json.begin_array();
  for (std::size_t i = 0; i < world.leases.size(); ++i) {
    if (i >= shown.size() || !shown[i]) continue;
    write_lease(json, world.leases[i],
                i < world.lease_uses.size() ? &world.lease_uses[i] : nullptr);
  }
  json.end_array();
}

std::string leases_json(const World& world) {
  return leases_json(world, std::vector<bool>(world.leases.size(), true));
}

std::string leases_json(const World& world, const std::vector<bool>& shown) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .field("schema", "estiva/leases/1")
      .field("simulated", world.simulated)
      .key("leases");
  write_leases(json, world, shown);
  json.end_object();
  return text;
}

std::string error_json(const Error& error) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/error/1").key("error").begin_object();
  json.field("kind", kind_name(error.kind))
      .field("message", error.what)
      .field("remedy", error.remedy)
      .end_object()
      .end_object();
  return text;
}

std::string assign_json(const AssignAnswer& answer, bool simulated) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/assign/1").field("simulated", simulated);
  if (!answer.refusal) {
    json.key("lease");
    write_lease(json, answer.lease, nullptr);
    json.field("already_assigned", answer.already_assigned).field("why", answer.why);
  } else {
    const decide::Explanation& refusal = *answer.refusal;
    json.key("refused").begin_object();
    json.field("kind", kind_name(refusal.kind))
        .field("reason", refusal.reason)
        .field("remedy", refusal.remedy)
        .key("gpus")
        .begin_array();
    for (const decide::GpuShortage& gpu : refusal.gpus) {
      json.begin_object()
          .field("uuid", gpu.uuid)
          .field("index", gpu.index)
          .field("free_bytes", gpu.free)
          .field("missing_bytes", gpu.missing)
          .field("why", gpu.why)
          .end_object();
    }
    json.end_array().key("would_fit_if").begin_array();
    for (const std::string& hint : refusal.would_fit_if) json.value(hint);
    json.end_array().end_object();
  }
  json.end_object();
  return text;
}

std::string release_json(const Lease& lease, bool simulated) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .field("schema", "estiva/release/1")
      .field("simulated", simulated)
      .key("released");
  write_lease(json, lease, nullptr);
  json.end_object();
  return text;
}

}  // namespace estiva::api
