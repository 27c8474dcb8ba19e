#include "container/standing.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/container.h"
#include "container/engine_json.h"
#include "format/json_tree.h"
#include "format/text.h"

namespace estiva::container {
namespace {

using format::JsonNode;

constexpr std::size_t kLongestText = 512, kMostPorts = 256;

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or("").substr(0, kLongestText));
}

// "8080/tcp" -> 8080; 0 for another protocol.
std::uint16_t tcp_port(std::string_view text) {
  if (!text.ends_with("/tcp")) return 0;
  const auto number = format::parse_u64(text.substr(0, text.size() - 4));
  return number && *number <= 65'535 ? static_cast<std::uint16_t>(*number) : 0;
}

// A wildcard is every address of the machine, so also its loopback.
std::string reached_at(const std::string& host) {
  if (host.empty() || host == "0.0.0.0") return "127.0.0.1";
  return host == "::" ? "::1" : host;
}

std::vector<PublishedPort> ports_of(JsonNode ports) {
  std::vector<PublishedPort> published;
  for (std::size_t i = 0; ports.is_object() && i < std::min(ports.size(), kMostPorts); ++i) {
    const std::uint16_t inside = tcp_port(ports.name_at(i));
    const JsonNode bindings = ports.at(i);
    // The first: a wildcard is told twice, for IPv4 and for IPv6.
    if (inside == 0 || !bindings.is_array() || bindings.size() == 0) continue;
    const auto outside = format::parse_u64(text_of(bindings.at(0)["HostPort"]));
    if (!outside || *outside == 0 || *outside > 65'535) continue;
    published.push_back({inside, net::Endpoint::tcp(reached_at(text_of(bindings.at(0)["HostIp"])),
                                                    static_cast<std::uint16_t>(*outside))});
  }
  return published;
}

std::vector<std::uint16_t> exposed_of(JsonNode ports) {
  std::vector<std::uint16_t> exposed;
  for (std::size_t i = 0; ports.is_object() && i < std::min(ports.size(), kMostPorts); ++i) {
    if (const std::uint16_t port = tcp_port(ports.name_at(i)); port != 0) exposed.push_back(port);
  }
  return exposed;
}

std::vector<std::string> addresses_of(JsonNode networks) {
  std::vector<std::string> addresses;
  for (std::size_t i = 0; networks.is_object() && i < std::min(networks.size(), kMostPorts); ++i) {
    std::string address = text_of(networks.at(i)["IPAddress"]);
    if (address.empty()) address = text_of(networks.at(i)["GlobalIPv6Address"]);
    if (!address.empty()) addresses.push_back(std::move(address));
  }
  return addresses;
}

Failure unclear(std::string what) {
  return fail(ErrorKind::usage, std::move(what), std::string(msg::kContainerUrlRemedy));
}

}  // namespace

Result<Standing> parse_standing(std::string_view json) {
  const auto tree = format::JsonTree::parse(json);
  if (!tree || !tree->root()["Id"].text()) return fail(std::string(msg::kEngineNonsense));
  const JsonNode root = tree->root(), state = root["State"], config = root["Config"];
  Standing container;
  container.id = text_of(root["Id"]);
  container.name = text_of(root["Name"]);
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.image = text_of(config["Image"]);
  container.image_id = text_of(root["Image"]);
  container.project = text_of(config["Labels"]["com.docker.compose.project"]);
  container.service = text_of(config["Labels"]["com.docker.compose.service"]);
  container.state = state_called(text_of(state["Status"]));
  container.health = text_of(state["Health"]["Status"]);
  if (container.health == "none") container.health.clear();
  container.started_at = text_of(state["StartedAt"]);
  container.pid = static_cast<pid_t>(state["Pid"].signed_number().value_or(0));
  container.exit_code = static_cast<int>(state["ExitCode"].signed_number().value_or(0));
  container.is_out_of_memory = state["OOMKilled"].boolean().value_or(false);
  container.restarts = root["RestartCount"].unsigned_number().value_or(0);
  container.error = text_of(state["Error"]);
  container.ports = ports_of(root["NetworkSettings"]["Ports"]);
  container.exposed = exposed_of(config["ExposedPorts"]);
  container.addresses = addresses_of(root["NetworkSettings"]["Networks"]);
  container.is_on_host_network = text_of(root["HostConfig"]["NetworkMode"]) == "host";
  return container;
}

Result<net::Endpoint> address_of(const Standing& container) {
  if (container.ports.size() == 1) return container.ports[0].outside;
  if (container.ports.size() > 1) {
    std::string list;
    for (const PublishedPort& port : container.ports)
      list +=
          fmt::format("{}{} ({})", list.empty() ? "" : ", ", to_text(port.outside), port.inside);
    return unclear(fmt::format(msg::kContainerManyPorts, container.name, list));
  }
  if (container.exposed.size() != 1)
    return unclear(fmt::format(msg::kContainerNoPort, container.name));
  if (container.is_on_host_network) return net::Endpoint::tcp("127.0.0.1", container.exposed[0]);
  if (container.addresses.empty())
    return unclear(fmt::format(msg::kContainerNoPort, container.name));
  return net::Endpoint::tcp(container.addresses[0], container.exposed[0]);
}

}  // namespace estiva::container
