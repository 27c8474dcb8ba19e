// The answers of the Docker Engine API that are used, as plain values. Podman's answers have the
// same members. Anything may be in them: what is not understood is left out, and text is kept as it
// is (whoever prints it escapes it).
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/container.h"

namespace estiva::container {

// GET /version.
struct EngineVersion {
  std::string name, version;
  std::string api_version, min_api_version;  // "1.41"
};
Result<EngineVersion> parse_version(std::string_view json);

// GET /containers/json: sorted by id, each id once; at most kMostContainers.
inline constexpr std::size_t kMostContainers = 4096;
Result<std::vector<Container>> parse_containers(std::string_view json);

// "running"; unknown for a word that is none of the API's.
ContainerState state_called(std::string_view word);

// One line of GET /events: the container it is about.
std::optional<std::string> parse_event(std::string_view line);

// "1.41" < "1.5" is false: numbers, not text. False where either is none.
bool is_older(std::string_view version, std::string_view than);

}  // namespace estiva::container
