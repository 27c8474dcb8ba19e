// Looks for models where this user may: folders, Ollama, ports of this machine, containers. Needs
// neither root nor a daemon, and changes nothing. Blocking, some seconds at most.
#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/arguments.h"
#include "decide/residency/propose.h"
#include "model/discovery.h"

namespace estiva::cli {

// --folder, --context, --config, --docker, and what the settings say. Errors: usage.
struct DiscoverWish {
  std::vector<std::string> folders;  // absolute, named by the user
  std::string config;                // settings file; empty: as a daemon finds it
  std::string docker;                // the engine's address; empty: as docker finds it
  decide::NeedWish need;
};
Result<DiscoverWish> discover_wish(const Arguments& args);

// What is found. `wish` gets what the settings say of the GPU's context.
Discovery discover(DiscoverWish& wish);

}  // namespace estiva::cli
