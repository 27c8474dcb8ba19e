// Looking things up in a YAML tree: members of mappings, also those that a merge key brings.
#pragma once
#include <optional>
#include <string_view>
#include <vector>

#include "format/yaml_tree.h"

namespace estiva::format {

// Where in a mapping's children the key of that name stands; nullopt: it has none of its own, or
// this is no mapping. Of two keys of one name the last counts.
std::optional<std::size_t> own_key(const YamlTree& tree, std::uint32_t mapping,
                                   std::string_view key);
// What the mapping has under that key itself.
std::optional<std::uint32_t> own_value(const YamlTree& tree, std::uint32_t mapping,
                                       std::string_view key);
// The mappings that merge keys ("<<: *a", "<<: [*a, *b]") bring, theirs too, what counts most
// first.
std::vector<std::uint32_t> merged_into(const YamlTree& tree, std::uint32_t mapping);
// Its own value, else that of the first merged mapping that has one.
std::optional<std::uint32_t> value_of(const YamlTree& tree, std::uint32_t mapping,
                                      std::string_view key);

inline bool is_mapping(const YamlNode& node) {
  return node.kind == YamlNode::Kind::mapping;
}
inline bool is_sequence(const YamlNode& node) {
  return node.kind == YamlNode::Kind::sequence;
}
inline bool is_scalar(const YamlNode& node) {
  return node.kind == YamlNode::Kind::scalar;
}

}  // namespace estiva::format
