// Where the container engine listens, found as Docker's own command line finds it.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/address.h"

namespace estiva::container {

struct EngineSearch {
  std::string setting;  // docker.host of estiva.toml; wins over all else
  // A variable of the environment; empty where it is not set.
  std::function<std::string(const char*)> variable;
  // Tried in this order where nothing names one; the first that exists.
  std::vector<std::string> sockets;
  // The machine's usual places: Docker's, rootless Docker's, Podman's.
  static EngineSearch of_this_process(std::string setting);
};

struct EngineAddress {
  net::Endpoint endpoint;
  std::string chosen_by;  // "docker.host", "DOCKER_HOST", "context NAME", "usual place"
};

// In this order: the setting, DOCKER_HOST, DOCKER_CONTEXT, the context that DOCKER_CONFIG (or
// ~/.docker) has chosen, the usual places. Reads small files; errors of kind usage: an address with
// a scheme that is not spoken (ssh, TLS), a context that is not there.
Result<EngineAddress> find_engine(const EngineSearch& search);

}  // namespace estiva::container
