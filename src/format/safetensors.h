// safetensors files and what lies beside them in a model's folder: the weights that vLLM, TGI and
// transformers load. Pure; any bytes are safe.
// Layout: the "Format" chapter of huggingface/safetensors: 8 bytes of length, a JSON object
// {name: {dtype, shape, data_offsets: [begin, end]}}, then the bytes.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/byte_source.h"
#include "model/model_file.h"

namespace estiva::format {

// The format itself allows 100 MB; a model of 600 GB has 10 MB.
inline constexpr std::uint64_t kMaxSafetensorsHeader = 32 << 20;

// Types, bytes and file_size; the geometry is in config.json. Errors: failed, naming what is wrong.
Result<ModelFile> read_safetensors(const ByteSource& source);

// model.safetensors.index.json of a model in several files.
struct SafetensorsIndex {
  std::vector<std::string> files;  // their names, sorted, each once
  Bytes total;                     // of all tensors; 0: it does not say
};
// Errors: failed where it is none. Names that are no plain file names are left out.
Result<SafetensorsIndex> parse_safetensors_index(std::string_view text);

// config.json of transformers: fills in architecture and geometry. Of a model for pictures and text
// the part for text counts ("text_config"). Errors: failed where it is no JSON object.
Result<void> read_model_config(std::string_view text, ModelFile& file);

}  // namespace estiva::format
