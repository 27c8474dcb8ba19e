#include "container/engine_json.h"

#include <algorithm>
#include <boost/json.hpp>

#include "base/messages/container.h"
#include "format/text.h"

namespace estiva::container {
namespace {

namespace json = boost::json;

// Names and images that are longer are cut: nothing real is.
constexpr std::size_t kLongestText = 512;
constexpr std::size_t kIdLength = 64;

std::optional<json::value> parse(std::string_view text) {
  boost::system::error_code error;
  json::value value = json::parse(text, error, {}, {.max_depth = 32});
  if (error) return std::nullopt;
  return value;
}

std::string text_of(const json::object& from, std::string_view member) {
  const json::value* value = from.if_contains(member);
  const json::string* text = value == nullptr ? nullptr : value->if_string();
  if (text == nullptr) return {};
  return std::string(text->c_str(), std::min(text->size(), kLongestText));
}

const json::object* object_of(const json::object& from, std::string_view member) {
  const json::value* value = from.if_contains(member);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array* array_of(const json::object& from, std::string_view member) {
  const json::value* value = from.if_contains(member);
  return value == nullptr ? nullptr : value->if_array();
}

bool is_id(std::string_view text) {
  return text.size() == kIdLength && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

ContainerState state_of(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(ContainerState::dead); ++i) {
    const auto state = static_cast<ContainerState>(i);
    if (to_name(state) == text) return state;
  }
  return ContainerState::unknown;
}

// "Up 2 hours (healthy)", "Up 5 seconds (health: starting)".
std::string health_of(std::string_view status) {
  if (status.ends_with("(healthy)")) return "healthy";
  if (status.ends_with("(unhealthy)")) return "unhealthy";
  if (status.ends_with("(health: starting)")) return "starting";
  return {};
}

// Old links give a container further names with two slashes ("/other/alias").
std::string name_of(const json::object& from) {
  const json::array* names = array_of(from, "Names");
  if (names == nullptr) return {};
  for (const json::value& value : *names) {
    const json::string* text = value.if_string();
    if (text == nullptr) continue;
    std::string_view name(text->c_str(), std::min(text->size(), kLongestText));
    if (name.starts_with('/')) name.remove_prefix(1);
    if (name.find('/') == name.npos) return std::string(name);
  }
  return {};
}

Container container_of(const json::object& from) {
  Container container;
  container.id = text_of(from, "Id");
  container.name = name_of(from);
  container.image = text_of(from, "Image");
  container.state = state_of(text_of(from, "State"));
  container.health = health_of(text_of(from, "Status"));
  if (const json::object* labels = object_of(from, "Labels")) {
    container.project = text_of(*labels, "com.docker.compose.project");
    container.service = text_of(*labels, "com.docker.compose.service");
    container.model = text_of(*labels, "estiva.model");
  }
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
  const auto value = parse(text);
  const json::object* from = value ? value->if_object() : nullptr;
  if (from == nullptr) return fail(std::string(msg::kEngineNonsense));
  EngineVersion version;
  version.name = "Docker";
  version.version = text_of(*from, "Version");
  version.api_version = text_of(*from, "ApiVersion");
  version.min_api_version = text_of(*from, "MinAPIVersion");
  if (!numbers_of(version.api_version)) return fail(std::string(msg::kEngineNonsense));
  if (const json::array* components = array_of(*from, "Components")) {
    for (const json::value& component : *components) {
      const json::object* object = component.if_object();
      if (object != nullptr && text_of(*object, "Name").starts_with("Podman")) {
        version.name = "Podman";
      }
    }
  }
  return version;
}

Result<std::vector<Container>> parse_containers(std::string_view text) {
  const auto value = parse(text);
  const json::array* rows = value ? value->if_array() : nullptr;
  if (rows == nullptr) return fail(std::string(msg::kEngineNonsense));
  std::vector<Container> containers;
  for (const json::value& row : *rows) {
    const json::object* from = row.if_object();
    if (from == nullptr || containers.size() >= kMostContainers) continue;
    Container container = container_of(*from);
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
  const auto value = parse(line);
  const json::object* event = value ? value->if_object() : nullptr;
  if (event == nullptr) return std::nullopt;
  if (const std::string type = text_of(*event, "Type"); type != "container") return std::nullopt;
  const json::object* actor = object_of(*event, "Actor");
  std::string id = actor == nullptr ? text_of(*event, "id") : text_of(*actor, "ID");
  if (!is_id(id)) return std::nullopt;
  return id;
}

bool is_older(std::string_view version, std::string_view than) {
  const auto a = numbers_of(version), b = numbers_of(than);
  return a && b && *a < *b;
}

}  // namespace estiva::container
