// Ollama's answers as plain values. The members are those of its API's documentation (docs/api.md
// of Ollama 0.1 to 0.12); what is absent stays at its default. Pure.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace estiva::engines {

// "llama3" and "llama3:latest" are one model.
std::string full_ollama_name(std::string_view name);

// POST /api/show.
struct OllamaModel {
  std::string digest;              // of its weights, 64 hexadecimal digits; empty: not told
  bool is_embedding_only = false;  // it answers /api/embed and not /api/generate
  // Bytes that one token of context takes in the key and value cache at 16 bits; 0: not told.
  std::uint64_t bytes_a_token = 0;
  std::uint64_t context = 0;  // tokens that its parameters set; 0: Ollama's default
};
Result<OllamaModel> parse_ollama_show(std::string_view json);

// GET /api/ps and GET /api/tags.
struct OllamaRow {
  std::string name;  // in full
  std::string digest;
  Bytes size;                      // ps: all that it takes; tags: of its files
  std::optional<Bytes> size_vram;  // ps: the part on GPUs
};
Result<std::vector<OllamaRow>> parse_ollama_models(std::string_view json);
const OllamaRow* find_ollama_model(const std::vector<OllamaRow>& rows, std::string_view name);

// GET /api/version; empty: not told.
std::string parse_ollama_version(std::string_view json);
// {"error": "..."}, else the beginning of the text.
std::string ollama_error(std::string_view body);

// What a model takes with one request at a time: its files and the cache of its context, as
// Ollama's own scheduler reckons (PredictServerVRAM in llm/llama_server.go).
Bytes estimate_of_ollama(Bytes files, const OllamaModel& model);

}  // namespace estiva::engines
