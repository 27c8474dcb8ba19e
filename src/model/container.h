// Containers as an engine (Docker, Podman) tells of them, and which process is in which.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/clock.h"

namespace estiva {

enum class ContainerState : std::uint8_t {
  unknown,
  created,
  running,
  paused,
  restarting,
  removing,
  exited,
  dead,
};

struct Container {
  std::string id;                // 64 hexadecimal digits
  std::string name;              // without a leading slash
  std::string image;             // as it was asked for
  std::string project, service;  // Compose's; empty: not made by Compose
  std::string model;             // what its label estiva.model says; empty: none
  ContainerState state = ContainerState::unknown;
  std::string health;  // "starting", "healthy", "unhealthy"; empty: it has no check
  friend bool operator==(const Container&, const Container&) = default;
};

// How the engine that is asked is doing.
enum class EngineState : std::uint8_t {
  absent,       // there is no socket
  connecting,   // the first answer is awaited
  ready,        // its containers are known, and changes are heard
  denied,       // we may not connect
  unreachable,  // it does not answer
  unsupported,  // an address or a version that we can't speak with
};

struct EngineStatus {
  EngineState state = EngineState::absent;
  std::string address;  // "unix:/run/docker.sock"
  std::string name;     // "Docker", "Podman"
  std::string version;  // the engine's; empty before it said so
  std::string reason, remedy;
  friend bool operator==(const EngineStatus&, const EngineStatus&) = default;
};

// By id. Shared: nobody changes one after it was made.
using Containers = std::shared_ptr<const std::vector<Container>>;
// Null where the list has none of that id.
const Container* find_container(const Containers& containers, std::string_view id);

// What the kernel says of a process: the container whose control group it is in.
struct ProcessContainer {
  pid_t pid = 0;
  std::string id;
  std::string runtime;  // "docker", "podman", "kubernetes", "containerd"; empty: not to be told
  bool rootless = false;
  friend bool operator==(const ProcessContainer&, const ProcessContainer&) = default;
};

std::string_view to_name(ContainerState state);
std::string_view to_name(EngineState state);

}  // namespace estiva
