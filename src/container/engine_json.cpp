#include "container/engine_json.h"

#include <algorithm>

#include "base/messages/container.h"
#include "format/json_tree.h"
#include "format/text.h"

namespace estiva::container {
namespace {

using format::JsonNode;
using format::JsonTree;

// Names and images that are longer are cut: nothing real is.
constexpr std::size_t kLongestText = 512;
constexpr std::size_t kIdLength = 64;

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or("").substr(0, kLongestText));
}

bool is_id(std::string_view text) {
  return text.size() == kIdLength && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// "Up 2 hours (healthy)", "Up 5 seconds (health: starting)".
std::string health_of(std::string_view status) {
  if (status.ends_with("(healthy)")) return "healthy";
  if (status.ends_with("(unhealthy)")) return "unhealthy";
  if (status.ends_with("(health: starting)")) return "starting";
  return {};
}

// Old links give a container further names with two slashes ("/other/alias").
std::string name_of(JsonNode names) {
  for (std::size_t i = 0; names.is_array() && i < names.size(); ++i) {
    if (!names.at(i).text()) continue;
    std::string name = text_of(names.at(i));
    if (name.starts_with('/')) name.erase(0, 1);
    if (name.find('/') == name.npos) return name;
  }
  return {};
}

Container container_of(JsonNode from) {
  Container container;
  container.id = text_of(from["Id"]);
  container.name = name_of(from["Names"]);
  container.image = text_of(from["Image"]);
  container.state = state_called(text_of(from["State"]));
  container.health = health_of(text_of(from["Status"]));
  const JsonNode labels = from["Labels"];
  container.project = text_of(labels["com.docker.compose.project"]);
  container.service = text_of(labels["com.docker.compose.service"]);
  container.model = text_of(labels["estiva.model"]);
  return container;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> numbers_of(std::string_view version) {
  const std::size_t dot = version.find('.');
  if (dot == version.npos) return std::nullopt;
  const auto major = format::parse_u64(version.substr(0, dot));
  const auto minor = format::parse_u64(version.substr(dot + 1));
  if (!major || !minor) return std::nullopt;
  return std::pair(*major, *minor);
}

}  // namespace

Result<EngineVersion> parse_version(std::string_view text) {
  const auto tree = JsonTree::parse(text);
  if (!tree || !tree->root().is_object()) return fail(std::string(msg::kEngineNonsense));
  const JsonNode from = tree->root();
  EngineVersion version;
  version.name = "Docker";
  version.version = text_of(from["Version"]);
  version.api_version = text_of(from["ApiVersion"]);
  version.min_api_version = text_of(from["MinAPIVersion"]);
  if (!numbers_of(version.api_version)) return fail(std::string(msg::kEngineNonsense));
  const JsonNode components = from["Components"];
  for (std::size_t i = 0; components.is_array() && i < components.size(); ++i) {
    if (text_of(components.at(i)["Name"]).starts_with("Podman")) version.name = "Podman";
  }
  return version;
}

Result<std::vector<Container>> parse_containers(std::string_view text) {
  const auto tree = JsonTree::parse(text);
  if (!tree || !tree->root().is_array()) return fail(std::string(msg::kEngineNonsense));
  std::vector<Container> containers;
  for (std::size_t i = 0; i < tree->root().size() && containers.size() < kMostContainers; ++i) {
    Container container = container_of(tree->root().at(i));
    if (is_id(container.id)) containers.push_back(std::move(container));
  }
  std::sort(containers.begin(), containers.end(),
            [](const Container& a, const Container& b) { return a.id < b.id; });
  containers.erase(std::unique(containers.begin(), containers.end(),
                               [](const Container& a, const Container& b) { return a.id == b.id; }),
                   containers.end());
  return containers;
}

std::optional<std::string> parse_event(std::string_view line) {
  const auto tree = JsonTree::parse(line);
  if (!tree || text_of(tree->root()["Type"]) != "container") return std::nullopt;
  const JsonNode event = tree->root(), actor = event["Actor"];
  std::string id = text_of(actor.is_object() ? actor["ID"] : event["id"]);
  if (!is_id(id)) return std::nullopt;
  return id;
}

ContainerState state_called(std::string_view word) {
  for (int i = 0; i <= static_cast<int>(ContainerState::dead); ++i) {
    const auto state = static_cast<ContainerState>(i);
    if (to_name(state) == word) return state;
  }
  return ContainerState::unknown;
}

bool is_older(std::string_view version, std::string_view than) {
  const auto a = numbers_of(version), b = numbers_of(than);
  return a && b && *a < *b;
}

}  // namespace estiva::container
