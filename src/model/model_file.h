// What the header of a model's file says of it: what its tensors weigh, and the geometry that its
// cache follows from. Read from GGUF (format/gguf.h) or safetensors (format/safetensors.h), used by
// decide/residency/estimate.h. What a file does not say is absent, never zero.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"

namespace estiva {

using Count = std::optional<std::uint64_t>;

// A figure that may differ from block to block. Empty: not said; one value: the same for all.
using PerBlock = std::vector<std::uint32_t>;

// Names and meanings are GGUF's, without the architecture in front ("attention.key_length").
struct ModelGeometry {
  Count blocks;                    // block_count
  Count embedding;                 // embedding_length
  Count context;                   // context_length: what it was trained for
  Count vocabulary;                // tokens it knows
  PerBlock heads, kv_heads;        // attention.head_count, head_count_kv
  Count key_length, value_length;  // of a head; absent: embedding / heads
  Count window;                    // attention.sliding_window, in tokens
  PerBlock window_blocks;          // sliding_window_pattern: 1 where a block has the window
  Count key_length_window, value_length_window;  // of a head in such a block
  Count compressed_kv;                           // attention.kv_lora_rank (MLA)
  Count compressed_key_length;  // attention.key_length_mla: the file has MLA's layout
  Count rope_dimensions;
  Count state_kernel, state_inner, state_size, state_groups;  // ssm.*: recurrent blocks
  Count full_attention_every;                                 // other blocks are recurrent
  std::optional<bool> causal;                                 // false: it has no cache

  friend bool operator==(const ModelGeometry&, const ModelGeometry&) = default;
};

// The tensors of one type.
struct TensorSum {
  std::string type;  // "Q4_K", "BF16"
  std::uint64_t count = 0;
  Bytes bytes;
  friend bool operator==(const TensorSum&, const TensorSum&) = default;
};

struct ModelFile {
  enum class Format : std::uint8_t { gguf, safetensors };
  Format format = Format::gguf;
  std::string architecture;  // "llama", "qwen3moe"
  std::string name;          // what its maker calls it
  std::string kind;          // GGUF's general.type: "model", "adapter", "mmproj"; mostly empty
  std::vector<TensorSum> tensors;   // the most bytes first
  std::uint64_t unknown_types = 0;  // tensors of a type we don't know; their bytes are from offsets
  Bytes weights;                    // of all tensors
  Bytes input_embedding;            // of them, the table of tokens, which stays in RAM
  bool has_output = false;          // it has a matrix of its own for the output
  Bytes file_size;                  // that the header promises: a smaller file is not whole
  Count split_number, split_count;  // one file of several; number from 0. Only the first has the
                                    // geometry
  ModelGeometry geometry;

  friend bool operator==(const ModelFile&, const ModelFile&) = default;
};

// Adds the tensors of another file of the same model; file_size stays as it is.
void add_part(ModelFile& model, const ModelFile& part);

}  // namespace estiva
