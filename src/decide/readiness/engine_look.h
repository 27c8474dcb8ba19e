// What the engine's rules ask of daemon.json, config.toml and the toolkit. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "decide/readiness/look.h"
#include "format/json_tree.h"

namespace estiva::decide {

// The engine's programs and files are those that we see: not in a container that only has its
// socket.
bool sees_engine_host(const ReadinessFacts& facts);
// A file without a byte order mark and blanks around it; dockerd takes an empty one for {}.
std::string_view json_text(const TextFile& file);
// Nothing where the file is not there, is empty, or is not an object.
std::optional<format::JsonTree> json_object(const TextFile& file);
bool declares_cdi(const ReadinessFacts& facts);  // daemon.json: features.cdi is true

// The words behind dockerd's name: of its unit, which the next start takes; else of its process.
std::vector<std::string> dockerd_arguments(const ReadinessFacts& facts);
// Keys of daemon.json that stand on dockerd's command line too, each with its flag; dockerd does
// not start then.
struct DoubledKey {
  std::string key, flag;  // "log-opts", "--log-opt"
};
std::vector<DoubledKey> doubled_keys(const ReadinessFacts& facts);
// Features that a GPU set-up took out of daemon.json: by what stood there before, else the image
// store that is in use.
std::vector<std::string> lost_features(const ReadinessFacts& facts);
// The unit of estiva's that starts the containers which Docker could not start (K4).
constexpr std::string_view kCdiRestartUnit = "estiva-cdi-restart.service";
bool has_hook(const CdiFile& file, std::string_view name);  // "update-ldcache"

// A setting of NVIDIA's config.toml that is not commented out; nothing where it is not set.
std::optional<std::string> toolkit_setting(const ReadinessFacts& facts, std::string_view key);
std::string toolkit_version(const ReadinessFacts& facts);  // empty: not known
// The container gets its GPU from NVIDIA's hook: not by CDI, and not by a runtime or a Docker that
// turns the request into CDI.
bool uses_hook(const ReadinessFacts& facts, const ContainerFact& container);
std::vector<const ContainerFact*> hook_users(const ReadinessFacts& facts);
// Containers whose error or log holds all of these texts.
std::vector<const ContainerFact*> containers_that_say(
    const ReadinessFacts& facts, std::initializer_list<std::string_view> parts);
// The line of theirs that holds `part`.
Evidence said(const ContainerFact& container, std::string_view part);

}  // namespace estiva::decide
