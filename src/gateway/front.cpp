#include "gateway/front.h"

#include <algorithm>
#include <array>

#include "gateway/operate.h"

namespace estiva::gateway {
namespace {

// Ollama's paths that name a model and work with it. The others (pull, push, create, copy, delete)
// change what Ollama has, which is not the gateway's to pass on.
constexpr std::array<std::string_view, 5> kOllamaCalls = {
    "/api/generate", "/api/chat", "/api/embed", "/api/embeddings", "/api/show"};

bool is_reading(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

Wish ollama_wish(std::string_view method, std::string_view path) {
  if (method == "POST") {
    const bool is_call =
        std::find(kOllamaCalls.begin(), kOllamaCalls.end(), path) != kOllamaCalls.end();
    return is_call ? Wish::relay : Wish::not_there;
  }
  if (!is_reading(method)) return Wish::not_there;
  if (path == "/api/tags") return Wish::list;
  if (path == "/api/ps") return Wish::running;
  return path == "/api/version" ? Wish::version : Wish::not_there;
}

Front v1_front(std::string_view method, std::string_view path, bool speaks_anthropic) {
  constexpr std::string_view kModels = "/v1/models";
  Front front;
  const bool is_messages = path == "/v1/messages" || path.starts_with("/v1/messages/");
  front.api = is_messages || speaks_anthropic ? Api::anthropic : Api::openai;
  if (is_reading(method) && path == kModels) front.wish = Wish::list;
  if (is_reading(method) && path.starts_with("/v1/models/") && path.size() > kModels.size() + 1) {
    front.wish = Wish::show_one;
    front.rest = path.substr(kModels.size() + 1);
  }
  // Whatever else engines offer below /v1/ names its model in the body, as all calls of this API
  // do.
  if (method == "POST") front.wish = Wish::relay;
  return front;
}

}  // namespace

Front front_of(std::string_view method, std::string_view target, bool speaks_anthropic) {
  constexpr std::string_view kRaw = "/models/";
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.starts_with(kRaw)) return {Api::raw, Wish::raw, target.substr(kRaw.size())};
  if (path.starts_with("/v1/")) return v1_front(method, path, speaks_anthropic);
  if (is_order(path)) return {Api::raw, Wish::operate, {}};
  if (path.starts_with("/api/")) return {Api::ollama, ollama_wish(method, path), {}};
  if (is_reading(method) && (path == "/" || path == "/healthz")) return {Api::raw, Wish::alive, {}};
  return {};
}

}  // namespace estiva::gateway
