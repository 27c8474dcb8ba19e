// The header of a GGUF file, versions 2 and 3, little endian: what llama.cpp and Ollama load. The
// file may be tens of GB and its header some MB (a tokenizer of 250,000 words): lists that are not
// needed are passed over, memory stays below a few MB. Pure; any bytes are safe.
// Layout: docs/gguf.md of ggml-org/ggml; sizes of types: ggml.h and ggml-common.h of the same.
#pragma once
#include "base/error.h"
#include "format/byte_source.h"
#include "model/model_file.h"

namespace estiva::format {

// More is refused as damage. The largest models have 3,000 tensors (one for each expert: 12,000)
// and 100 keys; the longest header seen is 20 MB.
inline constexpr std::uint64_t kMaxGgufTensors = 100'000, kMaxGgufKeys = 10'000;
inline constexpr std::uint64_t kMaxGgufHeader = 128 << 20;

// `size`: of the whole source; it only serves for tensors of a type that we don't know. A file that
// ends before its tensors do is no error: compare ModelFile::file_size. Errors: failed, naming what
// is wrong (no GGUF, version 1, big endian, cut in the header, damaged).
Result<ModelFile> read_gguf(const ByteSource& source, std::uint64_t size);

// Bytes of one block of a ggml type, and values in it.
struct GgmlType {
  std::uint32_t id = 0;
  std::string_view name;  // "Q4_K"
  std::uint32_t values = 1, bytes = 0;
};
// nullptr: no type of that number is known.
const GgmlType* find_ggml_type(std::uint32_t id);

}  // namespace estiva::format
