#include "observe/discovery/servers.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/observe_discovery.h"
#include "format/json_tree.h"
#include "host/listeners.h"
#include "observe/discovery/ollama.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kMostModels = 64, kLongestText = 512, kMostServers = 64;

// Defaults of the engines' own documentation: LM Studio 1234, KoboldCpp 5001, text-generation-webui
// 5000, vLLM and many others 8000, llama-server and LocalAI 8080, Ollama 11434, LMDeploy 23333,
// SGLang 30000; and the next numbers, which people take for a second one.
constexpr std::array<std::uint16_t, 15> kUsualPorts = {
    1234, 5000, 5001, 8000, 8001, 8002, 8080, 8081, 8082, 8888, 9000, 11434, 11435, 23333, 30000};
constexpr std::array<std::string_view, 9> kEngineWords = {
    "llama-server", "ollama",    "vllm",    "sglang",  "text-generation",
    "lmdeploy",     "koboldcpp", "localai", "tabbyapi"};
// Ours.
constexpr std::array<std::string_view, 2> kOwn = {"estivad", "estiva-gateway"};

bool mentions_engine(const host::Listener& listener) {
  return std::ranges::any_of(kEngineWords, [&](std::string_view word) {
    return listener.name.find(word) != std::string::npos ||
           std::ranges::any_of(listener.command, [&](const std::string& one) {
             return one.find(word) != std::string::npos;
           });
  });
}

bool is_worth_asking(const host::Listener& listener) {
  if (std::ranges::find(kOwn, listener.name) != kOwn.end()) return false;
  return std::ranges::find(kUsualPorts, listener.port) != kUsualPorts.end() ||
         mentions_engine(listener);
}

std::string text_of(format::JsonNode node) {
  return std::string(node.text().value_or("").substr(0, kLongestText));
}

std::string engine_of(std::string_view owner) {
  if (owner == "llamacpp") return "llama-server";
  if (owner == "vllm") return "vLLM";
  if (owner == "sglang") return "SGLang";
  if (owner == "organization_owner") return "LM Studio";
  if (owner == "lmdeploy") return "LMDeploy";
  return "OpenAI API";
}

// llama-server says which file it has loaded.
void ask_props(const net::Endpoint& at, const LocalAsk& ask, FoundServer& server) {
  const auto answer = ask.get(at, "/props");
  const auto tree = answer ? format::JsonTree::parse(answer->body) : Failure(answer.error());
  if (tree) server.file = text_of(tree->root()["model_path"]);
}

// TGI has its model's name in a document of its own.
std::optional<FoundServer> ask_info(const net::Endpoint& at, const LocalAsk& ask) {
  const auto answer = ask.get(at, "/info");
  const auto tree = answer ? format::JsonTree::parse(answer->body) : Failure(answer.error());
  const std::string model = tree ? text_of(tree->root()["model_id"]) : std::string();
  if (model.empty()) return std::nullopt;
  FoundServer server;
  server.engine = "TGI";
  server.models = {model};
  return server;
}

std::optional<FoundServer> ask_server(const net::Endpoint& at, const LocalAsk& ask) {
  auto tgi = ask_info(at, ask);
  if (tgi) return tgi;
  const auto answer = ask.get(at, "/v1/models");
  auto server = answer ? read_model_list(answer->body) : std::nullopt;
  if (server && server->engine == "llama-server") ask_props(at, ask, *server);
  return server;
}

bool is_known(const Discovery& found, const std::string& url) {
  return std::ranges::find(found.ollama, url, &FoundOllama::url) != found.ollama.end();
}

void look_at(const host::Listener& listener, const LocalAsk& ask, Discovery& found) {
  const auto at =
      net::Endpoint::tcp(listener.is_v6_only_loopback ? "::1" : "127.0.0.1", listener.port);
  const std::string url = "http://" + net::to_text(at);
  if (is_known(found, url)) return;
  if (auto ollama = ask_ollama(at, ask, found)) {
    found.ollama.push_back(std::move(*ollama));
    return;
  }
  auto server = ask_server(at, ask);
  if (!server) return;
  server->url = url;
  server->port = listener.port;
  server->pid = listener.pid;
  server->program = listener.name;
  found.servers.push_back(std::move(*server));
}

}  // namespace

std::optional<FoundServer> read_model_list(std::string_view json) {
  const auto tree = format::JsonTree::parse(json);
  const format::JsonNode list = tree ? tree->root()["data"] : format::JsonNode();
  if (!list.is_array() || list.size() == 0) return std::nullopt;
  FoundServer server;
  server.engine = engine_of(text_of(list.at(0)["owned_by"]));
  for (std::size_t i = 0; i < std::min(list.size(), kMostModels); ++i)
    if (std::string id = text_of(list.at(i)["id"]); !id.empty())
      server.models.push_back(std::move(id));
  if (server.models.empty()) return std::nullopt;
  return server;
}

void find_servers(const host::Root& root, const LocalAsk& ask, Discovery& found) {
  const auto listeners = host::read_listeners(root);
  if (!listeners) {
    found.not_seen.push_back(fmt::format(msg::kDiscoverPorts, listeners.error().what));
    return;
  }
  std::size_t asked = 0;
  for (const host::Listener& listener : *listeners) {
    if (!is_worth_asking(listener) || ++asked > kMostServers) continue;
    if (ask.is_over()) {
      found.not_seen.emplace_back(msg::kDiscoverPortsTime);
      return;
    }
    look_at(listener, ask, found);
  }
}

}  // namespace estiva::observe
