// What a model's attention and recurrent blocks keep for the tokens of its context, as llama.cpp
// allocates it. Pure.
#pragma once
#include <string_view>

#include "model/model_file.h"

namespace estiva::decide {

// llama.cpp's -ub: tokens that are computed at a time.
inline constexpr std::uint64_t kBatch = 512;

struct CacheWish {
  std::uint64_t context = 4096;  // tokens of all requests together
  std::uint64_t slots = 1;       // requests at a time, each with its share of the context
  double value_bytes = 2;        // f16; q8_0: 1.0625, q4_0: 0.5625
};

// nullopt: the file does not say enough. Zero for a model that keeps nothing (embeddings).
//
// A block with attention: cells x kv_heads x (key_length + value_length) x value_bytes. Cells are
// the context, rounded up to 256; in a block with a window of W tokens W + kBatch for each slot,
// if that is less. Compressed attention (MLA): cells x (kv_lora_rank + rope dimensions). A
// recurrent block: slots x ((conv - 1) x (inner + 2 x groups x state) + inner x state) x 4.
// Source: llama.cpp src/llama-kv-cache*.cpp, llama-hparams.cpp; the figures of its own log agree
// (tests/unit/decide/estimate_test.cpp).
std::optional<Bytes> cache_bytes(const ModelGeometry& geometry, std::string_view architecture,
                                 const CacheWish& wish);

}  // namespace estiva::decide
