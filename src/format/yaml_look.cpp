#include "format/yaml_look.h"

#include <algorithm>

namespace estiva::format {
namespace {

constexpr std::size_t kMostMerged = 256;  // of one mapping; a file of Compose has one or two

void add_merged(const YamlTree& tree, std::uint32_t mapping, std::vector<std::uint32_t>& found);

void add_source(const YamlTree& tree, std::uint32_t source, std::vector<std::uint32_t>& found) {
  const bool is_known = std::find(found.begin(), found.end(), source) != found.end();
  if (!is_mapping(tree[source]) || is_known || found.size() == kMostMerged) return;
  found.push_back(source);
  add_merged(tree, source, found);
}

void add_merged(const YamlTree& tree, std::uint32_t mapping, std::vector<std::uint32_t>& found) {
  const auto& children = tree[mapping].children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    if (!is_merge_key(tree[children[i]])) continue;
    const std::uint32_t source = children[i + 1];
    add_source(tree, source, found);
    if (!is_sequence(tree[source])) continue;
    for (const std::uint32_t one : tree[source].children) add_source(tree, one, found);
  }
}

}  // namespace

std::optional<std::size_t> own_key(const YamlTree& tree, std::uint32_t mapping,
                                   std::string_view key) {
  const YamlNode& node = tree[mapping];
  if (!is_mapping(node)) return std::nullopt;
  for (std::size_t i = node.children.size(); i >= 2; i -= 2) {
    const YamlNode& name = tree[node.children[i - 2]];
    if (is_scalar(name) && name.text == key && !is_merge_key(name)) return i - 2;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> own_value(const YamlTree& tree, std::uint32_t mapping,
                                       std::string_view key) {
  const auto at = own_key(tree, mapping, key);
  return at ? std::optional(tree[mapping].children[*at + 1]) : std::nullopt;
}

std::vector<std::uint32_t> merged_into(const YamlTree& tree, std::uint32_t mapping) {
  std::vector<std::uint32_t> found;
  if (is_mapping(tree[mapping])) add_merged(tree, mapping, found);
  return found;
}

std::optional<std::uint32_t> value_of(const YamlTree& tree, std::uint32_t mapping,
                                      std::string_view key) {
  if (const auto own = own_value(tree, mapping, key)) return own;
  for (const std::uint32_t source : merged_into(tree, mapping)) {
    if (const auto value = own_value(tree, source, key)) return value;
  }
  return std::nullopt;
}

}  // namespace estiva::format
