// A safetensors file, its index and its config.json, of the same bytes.
#include <cstdlib>

#include "format/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto file = format::read_safetensors(format::TextSource(text))) {
    Bytes sum;
    for (const TensorSum& one : file->tensors) sum += one.bytes;
    if (sum != file->weights) std::abort();
  }
  if (const auto index = format::parse_safetensors_index(text))
    for (const std::string& name : index->files)
      if (name.find('/') != name.npos) std::abort();
  ModelFile file;
  (void)format::read_model_config(text, file);
  return 0;
}
