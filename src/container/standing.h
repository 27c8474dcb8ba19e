// One container as GET /containers/ID/json tells of it: enough to recognise this run of it, to
// start and stop it, and to reach what it serves. Members as in the Docker Engine API 1.24 to 1.52;
// Podman answers with the same.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "base/error.h"
#include "model/container.h"
#include "net/address.h"

namespace estiva::container {

struct PublishedPort {
  std::uint16_t inside = 0;
  net::Endpoint outside;  // where this machine reaches it; a wildcard is loopback
  friend bool operator==(const PublishedPort&, const PublishedPort&) = default;
};

struct Standing {
  std::string id;    // full
  std::string name;  // without a leading slash
  std::string image, image_id;
  std::string project, service;  // Compose's; empty: not made by Compose
  ContainerState state = ContainerState::unknown;
  std::string health;      // "starting", "healthy", "unhealthy"; empty: it has no check
  std::string started_at;  // as the engine writes it; another one is another run
  pid_t pid = 0;           // of its first process, as the engine sees it; 0: none
  int exit_code = 0;
  bool is_out_of_memory = false;       // the kernel ended it for want of RAM
  std::uint64_t restarts = 0;          // by its restart policy, since somebody last started it
  std::string error;                   // why its last start failed
  std::vector<PublishedPort> ports;    // TCP, while it runs
  std::vector<std::uint16_t> exposed;  // TCP ports that its image or its maker named
  std::vector<std::string> addresses;  // its own, on its networks, while it runs
  bool is_on_host_network = false;

  // Its processes are there (a paused one's, too).
  bool is_up() const { return state == ContainerState::running || state == ContainerState::paused; }
};

// Errors: it is none of the API.
Result<Standing> parse_standing(std::string_view json);

// Where the one thing that it serves is reached from this machine: its published port, else its
// exposed port at its own address. Errors (usage): none, or several; with what to configure.
Result<net::Endpoint> address_of(const Standing& container);

}  // namespace estiva::container
