// How much VRAM a model will take, from what its files say. An estimate: what was measured replaces
// it. Pure.
#pragma once
#include "decide/residency/kv_cache.h"
#include "model/model_file.h"

namespace estiva::decide {

// What a process has on a GPU beside the model: the CUDA context and cuBLAS. 107 MiB on a small
// card to 555 MiB on the largest were seen (llama.cpp pull request 23604); Ollama sets 457 MiB
// aside (MinimumMemory in its ml/device.go).
inline constexpr Bytes kProcessNeed = mib(457);
// Where nobody says how long a context is wanted: Ollama's choice below 23 GiB of VRAM.
inline constexpr std::uint64_t kUsualContext = 4096;

struct NeedWish {
  std::uint64_t context = 0;  // tokens; 0: kUsualContext, or less where the model knows no more
  std::uint64_t slots = 1;
  double value_bytes = 2;  // of the cache, see CacheWish
  Bytes process = kProcessNeed;
};

struct NeedEstimate {
  Bytes weights;  // on the GPU: without the table of tokens, unless that is the output too
  Bytes cache;
  Bytes compute;
  Bytes process;
  std::uint64_t context = 0;
  bool is_cache_known = true;  // false: `cache` is not in it; the model will take more

  Bytes total() const { return weights + cache + compute + process; }
  friend bool operator==(const NeedEstimate&, const NeedEstimate&) = default;
};

// GGUF: the sum of the parts, with flash attention and all blocks on the GPU. Compute is
// (vocabulary + 2 x embedding) x kBatch x 4 bytes, within 1 % of the logs that were compared;
// builds of 2026 need less. safetensors: the weights, and a fifth of them for cache and compute
// together (what gpustack adds; vLLM itself takes whatever share it is told to).
NeedEstimate estimate_need(const ModelFile& file, const NeedWish& wish = {});

}  // namespace estiva::decide
