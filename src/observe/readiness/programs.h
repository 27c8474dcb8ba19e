// NVIDIA's container toolkit and other programs, found on a search path as the engine finds them.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "observe/readiness/packages.h"
#include "observe/readiness/tree.h"

namespace estiva::observe {

// What systemd gives to services (systemd.exec(5)).
inline constexpr std::string_view kServicePath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// The first executable file of that name, with its links followed; empty where there is none.
std::string find_on_path(const Tree& tree, std::string_view search_path, const std::string& name);

// The toolkit's programs and its settings. Versions are those of the packages.
ToolkitFacts read_toolkit(const Tree& tree, std::string_view search_path, const Packages& packages);

// Is "docker" Podman in Docker's clothes (the package podman-docker)?
bool docker_is_podman(const Tree& tree);

// Docker's Compose plug-in, "2.40.3": of its package, else (on the real machine) as it says itself.
Reading<std::string> read_compose_version(const Tree& tree, const Packages& packages);

}  // namespace estiva::observe
