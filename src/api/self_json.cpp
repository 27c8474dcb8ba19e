// The estiva/self/1 document: a client of the lease socket as the daemon sees it.
#include "api/json.h"
#include "api/json_parts.h"

namespace estiva::api {

using format::JsonWriter;

namespace {

constexpr std::size_t kShortId = 12;  // as Docker prints them

void write_container(JsonWriter& json, const Caller& caller) {
  const Container* known = caller.container ? &*caller.container : nullptr;
  const std::string_view id = caller.place.id;
  const bool has_name = known != nullptr && !known->name.empty();
  const auto told = [known](std::string Container::*member) {
    return known == nullptr ? std::string_view() : std::string_view(known->*member);
  };
  write_text(json, "container", has_name ? std::string_view(known->name) : id.substr(0, kShortId));
  write_text(json, "container_id", id);
  write_text(json, "runtime", caller.place.runtime);
  json.field("rootless", caller.place.rootless);
  write_text(json, "project", told(&Container::project));
  write_text(json, "service", told(&Container::service));
  write_text(json, "model", told(&Container::model));
}

// The caller itself, or a process in its container: of the same id in the same kind of place, so
// that a control group somebody named like it is not taken for it.
bool is_of(const World& world, const Caller& caller, pid_t pid) {
  if (pid == caller.process.pid) return true;
  const ProcessContainer* place = whereabouts_of(world, pid);
  const bool is_certain = caller.container || !caller.place.rootless;
  return is_certain && place != nullptr && place->id == caller.place.id &&
         place->runtime == caller.place.runtime && place->rootless == caller.place.rootless;
}

void write_uses(JsonWriter& json, const World& world, const Caller& caller) {
  json.key("gpus").begin_array();
  for (const Gpu& gpu : world.gpus) {
    if (!gpu.sample.processes) continue;
    Reading<Bytes> used = Bytes{};
    unsigned processes = 0;
    for (const GpuProcess& process : *gpu.sample.processes) {
      if (!is_of(world, caller, process.pid)) continue;
      ++processes;
      if (!process.used) used = process.used;
      if (used && process.used) used = *used + *process.used;
    }
    if (processes == 0) continue;
    MissingList missing;
    json.begin_object()
        .field("uuid", gpu.identity.id.key())
        .field("index", gpu.identity.index)
        .field("processes", processes);
    write_reading(json, missing, "used_bytes", used);
    missing.write(json);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string self_json(const World& world, const Caller& caller, const std::vector<bool>& own) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .field("schema", "estiva/self/1")
      .field("simulated", world.simulated)
      .field("pid", caller.process.pid)
      .field("start_ticks", caller.process.start_ticks)
      .field("uid", caller.uid);
  write_container(json, caller);
  write_uses(json, world, caller);
  json.key("leases");
  write_leases(json, world, own);
  json.end_object();
  return text;
}

}  // namespace estiva::api
