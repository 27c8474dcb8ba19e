#include <cstdlib>

#include "engines/ollama_api.h"

// What an Ollama server answers: digests that are digests, and an estimate that is no less than the
// files, whatever it sends.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)engines::parse_ollama_version(text);
  (void)engines::ollama_error(text);
  if (const auto model = engines::parse_ollama_show(text)) {
    if (!model->digest.empty() && model->digest.size() != 64) std::abort();
    if (engines::estimate_of_ollama(Bytes{1}, *model).value < 1) std::abort();
  }
  if (const auto rows = engines::parse_ollama_models(text)) {
    for (const auto& row : *rows) {
      if (row.name.find(':') == row.name.npos) std::abort();
    }
  }
  return 0;
}
