// What Ollama answers, and its manifests, of the same bytes.
#include <cstdlib>

#include "format/ollama.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (auto models = format::parse_ollama_tags(text)) {
    format::read_ollama_ps(text, *models);
    for (const FoundOllamaModel& model : *models)
      if (model.name.empty()) std::abort();
  }
  ModelFile file;
  format::read_ollama_show(text, file);
  (void)format::parse_ollama_version(text);
  if (format::parse_ollama_manifest(text).find('/') != std::string::npos) std::abort();
  (void)format::ollama_name_of(text);
  return 0;
}
