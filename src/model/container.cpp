#include "model/container.h"

#include <algorithm>

namespace estiva {

const Container* find_container(const Containers& containers, std::string_view id) {
  if (containers == nullptr) return nullptr;
  const auto found = std::lower_bound(
      containers->begin(), containers->end(), id,
      [](const Container& container, std::string_view wanted) { return container.id < wanted; });
  return found != containers->end() && found->id == id ? &*found : nullptr;
}

std::string_view to_name(ContainerState state) {
  switch (state) {
    case ContainerState::unknown:
      return "unknown";
    case ContainerState::created:
      return "created";
    case ContainerState::running:
      return "running";
    case ContainerState::paused:
      return "paused";
    case ContainerState::restarting:
      return "restarting";
    case ContainerState::removing:
      return "removing";
    case ContainerState::exited:
      return "exited";
    case ContainerState::dead:
      return "dead";
  }
  return "unknown";
}

std::string_view to_name(EngineState state) {
  switch (state) {
    case EngineState::absent:
      return "absent";
    case EngineState::connecting:
      return "connecting";
    case EngineState::ready:
      return "ready";
    case EngineState::denied:
      return "denied";
    case EngineState::unreachable:
      return "unreachable";
    case EngineState::unsupported:
      return "unsupported";
  }
  return "absent";
}

}  // namespace estiva
