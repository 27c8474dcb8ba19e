#include "format/compose_services.h"

#include <algorithm>
#include <optional>

#include "format/yaml_look.h"

namespace estiva::format {
namespace {

using Id = std::uint32_t;

ComposeLine line_of(const YamlNode& node) {
  return {node.text, node.place.line};
}

std::vector<ComposeLine> scalars_of(const YamlTree& tree, Id list) {
  std::vector<ComposeLine> found;
  if (!is_sequence(tree[list])) return found;
  for (const Id item : tree[list].children) {
    if (is_scalar(tree[item])) found.push_back(line_of(tree[item]));
  }
  return found;
}

ComposeGpuRequest read_request(const YamlTree& tree, Id item) {
  ComposeGpuRequest request;
  request.line = tree[item].place.line;
  if (const auto driver = value_of(tree, item, "driver")) {
    request.driver = tree[*driver].text;
    request.driver_line = tree[*driver].place.line;
  }
  if (const auto count = value_of(tree, item, "count")) {
    request.has_count = true;
    request.count = tree[*count].text;
  }
  if (const auto ids = value_of(tree, item, "device_ids")) {
    request.has_ids = true;
    for (ComposeLine& id : scalars_of(tree, *ids)) request.ids.push_back(std::move(id.text));
  }
  if (const auto capabilities = value_of(tree, item, "capabilities")) {
    for (ComposeLine& one : scalars_of(tree, *capabilities))
      request.capabilities.push_back(std::move(one.text));
    const auto& all = request.capabilities;
    request.is_gpu = std::find(all.begin(), all.end(), "gpu") != all.end();
  }
  return request;
}

void read_requests(const YamlTree& tree, Id list, std::vector<ComposeGpuRequest>& requests) {
  if (!is_sequence(tree[list])) return;
  for (const Id item : tree[list].children) {
    if (is_mapping(tree[item])) requests.push_back(read_request(tree, item));
  }
}

void read_reservations(const YamlTree& tree, Id service, ComposeService& read) {
  std::optional<Id> here = service;
  for (const char* key : {"deploy", "resources", "reservations", "devices"}) {
    here = value_of(tree, *here, key);
    if (!here) return;
  }
  read_requests(tree, *here, read.requests);
}

// gpus: all, or a list of requests, which need no capabilities.
void read_gpus(const YamlTree& tree, Id service, ComposeService& read) {
  const auto gpus = value_of(tree, service, "gpus");
  if (!gpus) return;
  const std::size_t first = read.requests.size();
  if (is_scalar(tree[*gpus]) && !tree[*gpus].text.empty()) {
    read.requests.push_back({});
    read.requests.back().line = tree[*gpus].place.line;
  }
  read_requests(tree, *gpus, read.requests);
  for (std::size_t i = first; i < read.requests.size(); ++i) {
    read.requests[i].is_gpu = read.requests[i].is_by_gpus = true;
  }
}

// The value of a variable in `environment`, a mapping or a list of "NAME=value".
std::string variable_of(const YamlTree& tree, Id service, std::string_view name) {
  const auto environment = value_of(tree, service, "environment");
  if (!environment) return {};
  if (is_mapping(tree[*environment])) {
    const auto found = value_of(tree, *environment, name);
    return found ? tree[*found].text : std::string();
  }
  for (const ComposeLine& line : scalars_of(tree, *environment)) {
    const std::string_view text = line.text;
    if (text.starts_with(name) && text.substr(name.size()).starts_with('='))
      return std::string(text.substr(name.size() + 1));
  }
  return {};
}

ComposeService read_service(const YamlTree& tree, Id key, Id service) {
  ComposeService read;
  read.name = tree[key].text;
  read.line = tree[key].place.line;
  if (!is_mapping(tree[service])) return read;
  if (const auto image = value_of(tree, service, "image")) {
    read.image = tree[*image].text;
    read.image_line = tree[*image].place.line;
  }
  if (const auto runtime = value_of(tree, service, "runtime")) {
    read.runtime = tree[*runtime].text;
    read.runtime_line = tree[*runtime].place.line;
  }
  if (const auto devices = value_of(tree, service, "devices")) {
    read.devices = scalars_of(tree, *devices);
  }
  for (const char* asking : {"deploy", "gpus", "runtime", "devices"}) {
    read.concerns_gpu = read.concerns_gpu || value_of(tree, service, asking);
  }
  read.driver_capabilities = variable_of(tree, service, "NVIDIA_DRIVER_CAPABILITIES");
  read_reservations(tree, service, read);
  read_gpus(tree, service, read);
  return read;
}

}  // namespace

bool is_legacy(const ComposeGpuRequest& request) {
  return request.driver == "nvidia" || (request.driver.empty() && request.is_gpu);
}

std::vector<ComposeService> read_compose_services(const YamlTree& tree) {
  std::vector<ComposeService> services;
  if (tree.nodes.empty()) return services;
  const auto all = value_of(tree, tree.root, "services");
  if (!all || !is_mapping(tree[*all])) return services;
  const auto& children = tree[*all].children;
  for (std::size_t i = 0; i + 1 < children.size(); i += 2) {
    if (is_scalar(tree[children[i]]) && !is_merge_key(tree[children[i]])) {
      services.push_back(read_service(tree, children[i], children[i + 1]));
    }
  }
  return services;
}

std::vector<ComposeService> read_compose_services(std::string_view text) {
  const auto tree = YamlTree::parse(text);
  return tree ? read_compose_services(*tree) : std::vector<ComposeService>{};
}

}  // namespace estiva::format
