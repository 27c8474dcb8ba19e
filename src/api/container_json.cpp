// The estiva/containers/1 document.
#include <algorithm>

#include "api/json.h"
#include "api/json_parts.h"

namespace estiva::api {

using format::JsonWriter;

void write_engine(JsonWriter& json, const World& world) {
  if (world.containers == nullptr) {
    json.null();
    return;
  }
  const EngineStatus& engine = world.engine;
  const auto running = std::count_if(
      world.containers->begin(), world.containers->end(),
      [](const Container& container) { return container.state == ContainerState::running; });
  json.begin_object()
      .field("state", to_name(engine.state))
      .field("name", engine.name)
      .field("version", engine.version)
      .field("address", engine.address)
      .field("reason", engine.reason)
      .field("remedy", engine.remedy)
      .field("containers", static_cast<std::uint64_t>(world.containers->size()))
      .field("running", static_cast<std::uint64_t>(running))
      .end_object();
}

namespace {

using Uses = std::vector<std::map<std::string_view, ContainerUse>>;  // one a GPU

// What the container's processes hold on each GPU.
void write_use(JsonWriter& json, const World& world, const Uses& uses, const Container& container) {
  json.key("gpus").begin_array();
  for (std::size_t i = 0; i < world.gpus.size(); ++i) {
    const auto use = uses[i].find(container.id);
    if (use == uses[i].end()) continue;
    json.begin_object()
        .field("uuid", world.gpus[i].identity.id.key())
        .field("index", world.gpus[i].identity.index)
        .field("processes", use->second.processes)
        .field("used_bytes", use->second.used)
        .field("sm_utilization_ratio", use->second.sm_utilization)
        .end_object();
  }
  json.end_array();
}

}  // namespace

std::string containers_json(const World& world) {
  Uses uses;
  for (const Gpu& gpu : world.gpus) uses.push_back(container_uses(world, gpu));
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/containers/1").key("engine");
  write_engine(json, world);
  json.key("containers").begin_array();
  if (world.containers != nullptr) {
    for (const Container& container : *world.containers) {
      json.begin_object()
          .field("id", container.id)
          .field("name", container.name)
          .field("image", container.image)
          .field("project", container.project)
          .field("service", container.service)
          .field("model", container.model)
          .field("state", to_name(container.state))
          .field("health", container.health);
      write_use(json, world, uses, container);
      json.end_object();
    }
  }
  json.end_array().end_object();
  return text;
}

}  // namespace estiva::api
