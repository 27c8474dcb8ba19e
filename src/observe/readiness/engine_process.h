// What the engine's own process and files say: who it is, how it was started, which settings it has.
#pragma once
#include <vector>

#include "observe/readiness/processes.h"
#include "observe/readiness/tree.h"

namespace estiva::observe {

// Fills arguments, search_path, started_at, daemon_json, cli_is_podman, and, where the engine did
// not say it itself, kind and is_rootless.
void read_engine_process(const Tree& tree, const std::vector<FoundProcess>& processes,
                         EngineFacts& engine);

// The value of "--NAME=VALUE" or "--NAME VALUE"; empty where it is not there.
std::string option_of(const std::vector<std::string>& arguments, std::string_view name);

// The CDI directories that a daemon.json asks for, else the engine's own default.
std::vector<std::string> cdi_dirs_of(const TextFile& daemon_json);

}  // namespace estiva::observe
