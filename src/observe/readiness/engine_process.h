// What the engine's own process and files say: who it is, how it was started, which settings it
// has.
#pragma once
#include <vector>

#include "observe/readiness/processes.h"
#include "observe/readiness/tree.h"

namespace estiva::observe {

// As whom the engine reads files; root where it is not known to be another.
struct EngineUser {
  uid_t uid = 0;
  std::vector<gid_t> gids;
};

// Fills arguments, search_path, started_at, daemon_json, cli_is_podman, and, where the engine did
// not say it itself, kind and is_rootless.
EngineUser read_engine_process(const Tree& tree, const std::vector<FoundProcess>& processes,
                               EngineFacts& engine);

// Fills daemon_json_before: the first of `copies` that is there, else a backup beside the file.
void find_settings_before(const Tree& tree, const std::vector<std::string>& copies,
                          EngineFacts& engine);
// Fills runtime_paths of what daemon_json says.
void find_runtimes(const Tree& tree, EngineFacts& engine);

// The value of "--NAME=VALUE" or "--NAME VALUE"; empty where it is not there.
std::string option_of(const std::vector<std::string>& arguments, std::string_view name);

// The CDI directories that a daemon.json asks for, else the engine's own default.
std::vector<std::string> cdi_dirs_of(const TextFile& daemon_json);

}  // namespace estiva::observe
