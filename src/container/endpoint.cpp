#include "container/endpoint.h"

#include <cstdlib>
#include <dirent.h>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <unistd.h>

#include "base/messages/container.h"
#include "format/json_tree.h"
#include "format/text.h"
#include "host/files.h"

namespace estiva::container {
namespace {

constexpr std::size_t kMostContexts = 256;

using format::JsonNode;
using format::JsonTree;

// An empty tree where it can't be read.
JsonTree read_json(const std::string& path) {
  const auto text = host::read_local_file(path);
  return text ? JsonTree::parse(*text).value_or(JsonTree()) : JsonTree();
}

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or(""));
}

Failure not_spoken(std::string_view address) {
  return fail(ErrorKind::usage,
              fmt::format(msg::kEngineScheme, format::escape_for_terminal(address.substr(0, 128))),
              std::string(msg::kEngineSchemeRemedy));
}

// "unix:///run/docker.sock", "tcp://127.0.0.1:2375", or a path.
Result<net::Endpoint> parse_address(std::string_view address, bool wants_tls) {
  constexpr std::string_view kUnix = "unix://", kTcp = "tcp://", kHttp = "http://";
  std::string plain(address);
  if (address.starts_with(kUnix)) {
    plain = "unix:" + plain.substr(kUnix.size());
  } else if (address.starts_with(kTcp) && !wants_tls) {
    plain = plain.substr(kTcp.size());
  } else if (address.starts_with("/")) {
    plain = "unix:" + plain;
  } else if (!address.starts_with(kHttp)) {
    return not_spoken(address);
  }
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  auto endpoint = net::parse_endpoint(plain);
  if (!endpoint) return not_spoken(address);
  return endpoint;
}

// Contexts are kept in folders named by the SHA-256 of their names; the name stands inside.
std::string address_of_context(const std::string& folder, const std::string& name) {
  const std::string contexts = folder + "/contexts/meta";
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(contexts.c_str()), ::closedir);
  if (dir == nullptr) return {};
  std::size_t looked_at = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (entry->d_name[0] == '.' || ++looked_at > kMostContexts) continue;
    const auto meta = read_json(contexts + "/" + entry->d_name + "/meta.json");
    if (meta.root()["Name"].text() == name) {
      return text_of(meta.root()["Endpoints"]["docker"]["Host"]);
    }
  }
  return {};
}

Result<EngineAddress> from_context(const std::string& folder, const std::string& name) {
  const std::string address = address_of_context(folder, name);
  if (address.empty()) {
    return fail(ErrorKind::usage,
                fmt::format(msg::kEngineContext, format::escape_for_terminal(name.substr(0, 64))),
                std::string(msg::kEngineContextRemedy));
  }
  auto endpoint = parse_address(address, false);
  if (!endpoint) return Failure(endpoint.error());
  return EngineAddress{std::move(*endpoint), "context " + name};
}

}  // namespace

EngineSearch EngineSearch::of_this_process(std::string setting) {
  EngineSearch search;
  search.setting = std::move(setting);
  search.variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value == nullptr ? "" : value);
  };
  const std::string own = search.variable("XDG_RUNTIME_DIR");
  search.sockets = {"/run/docker.sock", "/var/run/docker.sock"};
  if (!own.empty()) search.sockets.push_back(own + "/docker.sock");
  search.sockets.emplace_back("/run/podman/podman.sock");
  if (!own.empty()) search.sockets.push_back(own + "/podman/podman.sock");
  return search;
}

Result<EngineAddress> find_engine(const EngineSearch& search) {
  const bool wants_tls = !search.variable("DOCKER_TLS_VERIFY").empty();
  struct Named {
    std::string address;
    const char* by;
  };
  for (const Named& named : {Named{search.setting, "docker.host"},
                             Named{search.variable("DOCKER_HOST"), "DOCKER_HOST"}}) {
    if (named.address.empty()) continue;
    auto endpoint = parse_address(named.address, wants_tls);
    if (!endpoint) return Failure(endpoint.error());
    return EngineAddress{std::move(*endpoint), named.by};
  }
  std::string folder = search.variable("DOCKER_CONFIG");
  if (folder.empty()) folder = search.variable("HOME") + "/.docker";
  std::string context = search.variable("DOCKER_CONTEXT");
  if (context.empty())
    context = text_of(read_json(folder + "/config.json").root()["currentContext"]);
  if (!context.empty() && context != "default") return from_context(folder, context);
  for (const std::string& path : search.sockets) {
    if (::access(path.c_str(), F_OK) == 0) {
      return EngineAddress{net::Endpoint::unix_path(path), "usual place"};
    }
  }
  return EngineAddress{
      net::Endpoint::unix_path(search.sockets.empty() ? "/run/docker.sock" : search.sockets[0]),
      "usual place"};
}

}  // namespace estiva::container
