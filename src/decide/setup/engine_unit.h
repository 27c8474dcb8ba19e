// The unit of the machine that runs the container engine, where there is one. Pure.
#pragma once
#include <string_view>

#include "model/readiness.h"

namespace estiva::decide {

// Empty: it is a user's (systemctl --user), runs in a virtual machine, or is no service.
inline std::string_view unit_of_engine(const EngineFacts& engine) {
  if (engine.is_rootless) return {};
  if (engine.kind == EngineKind::docker) return "docker.service";
  if (engine.kind == EngineKind::docker_snap) return "snap.docker.dockerd.service";
  return {};
}

}  // namespace estiva::decide
