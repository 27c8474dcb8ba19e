// What Ollama says of its models: the answers of its API and the manifests in its folder. Pure;
// what is not understood is left out. Layout: docs/api.md of ollama/ollama.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/discovery.h"

namespace estiva::format {

inline constexpr std::size_t kMostOllamaModels = 256;

// GET /api/version; empty: this is no Ollama.
std::string parse_ollama_version(std::string_view json);
// GET /api/tags: `weights` is the size of the model's files. Errors: failed, no answer of Ollama.
Result<std::vector<FoundOllamaModel>> parse_ollama_tags(std::string_view json);
// GET /api/ps: fills in `vram` of those that are loaded.
void read_ollama_ps(std::string_view json, std::vector<FoundOllamaModel>& models);
// POST /api/show: fills in architecture and geometry from "model_info", which has GGUF's keys.
void read_ollama_show(std::string_view json, ModelFile& file);

// A manifest: the file with the weights, "sha256-..." in the folder blobs; empty: it has none.
std::string parse_ollama_manifest(std::string_view json);
// "registry.ollama.ai/library/qwen2.5/7b" below manifests -> "qwen2.5:7b"; empty: no model's path.
std::string ollama_name_of(std::string_view path);

}  // namespace estiva::format
