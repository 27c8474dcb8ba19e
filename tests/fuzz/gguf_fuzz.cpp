// The header of a GGUF file.
#include <cstdlib>

#include "format/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace estiva;
  const format::TextSource source({reinterpret_cast<const char*>(data), size});
  const auto file = format::read_gguf(source, size);
  if (!file) {
    if (file.error().what.empty()) std::abort();
    return 0;
  }
  Bytes sum;
  for (const TensorSum& one : file->tensors) sum += one.bytes;
  if (sum != file->weights || file->input_embedding > file->weights) std::abort();
  if (file->architecture.size() > 256 || file->geometry.heads.size() > 2048) std::abort();
  return 0;
}
