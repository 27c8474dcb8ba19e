// One text out of a small foreign JSON file (Docker's daemon.json), without building a tree of it.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace estiva::format {

// The text under `key` of the outermost object. nullopt where the file is not JSON as far as it
// had to be read, nests deeper than 64, has no such key, or it is not a text. Keys with escapes in
// them are never equal to `key`.
std::optional<std::string> top_level_string(std::string_view json, std::string_view key);

}  // namespace estiva::format
