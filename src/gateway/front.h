// Which API a request speaks, by its method and path, and what it wants. Pure.
#pragma once
#include <cstdint>
#include <string_view>

namespace estiva::gateway {

enum class Api : std::uint8_t { openai, anthropic, ollama, raw };

enum class Wish : std::uint8_t {
  relay,      // to the model that the body names
  raw,        // to the model that the path names
  list,       // of the models, in the API's form
  show_one,   // one of them, whose name is `rest`, still encoded
  running,    // Ollama: those that are loaded
  version,    // Ollama's
  operate,    // a word to estivad about a model (operate.h)
  alive,      // "/" and "/healthz"
  not_there,  // no such path here
};

struct Front {
  Api api = Api::openai;
  Wish wish = Wish::not_there;
  std::string_view rest;  // raw: what follows "/models/"; show_one: the name
};

// `target` as the request has it, with its query. `speaks_anthropic`: the request has the field
// anthropic-version, which decides the form of what both APIs have.
Front front_of(std::string_view method, std::string_view target, bool speaks_anthropic);

}  // namespace estiva::gateway
