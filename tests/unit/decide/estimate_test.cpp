// The need of models, against what llama.cpp says of the same files. "Oracle": llama-fit-params of
// Debian's llama.cpp 0.7.0 (build 11669) on files of tests/gguf_writer.py with `-fitp on -nr`, in
// whole MiB. "Log": load logs of published models, in shared notes of the project's reference.
#include "decide/residency/estimate.h"

#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

ModelGeometry plain(std::uint64_t blocks, std::uint64_t width, std::uint32_t heads,
                    std::uint32_t kv_heads, Count head = {}) {
  ModelGeometry g;
  g.blocks = blocks;
  g.embedding = width;
  g.heads = {heads};
  g.kv_heads = {kv_heads};
  g.key_length = g.value_length = head;
  return g;
}
ModelGeometry gemma3_12b() {
  ModelGeometry g = plain(48, 3840, 16, 8, 256);
  g.window = 1024;
  return g;
}
ModelGeometry mamba() {
  ModelGeometry g;
  g.blocks = 48;
  g.heads = {0};
  g.state_kernel = 4;
  g.state_inner = 4096;
  g.state_size = 16;
  return g;
}
ModelGeometry deepseek(bool compressed) {
  ModelGeometry g = plain(61, 7168, 128, compressed ? 1 : 128);
  g.key_length = compressed ? 576 : 192;
  g.value_length = compressed ? 512 : 128;
  g.compressed_kv = 512;
  g.rope_dimensions = 64;
  if (compressed) g.compressed_key_length = 192;
  return g;
}

struct CacheCase {
  const char* name;
  const char* architecture;
  ModelGeometry geometry;
  CacheWish wish;
  double mib;
};

TEST(Cache, AgreesWithLlamaCpp) {
  ModelGeometry gpt_oss = plain(24, 2880, 64, 8, 64);
  gpt_oss.window = 128;
  ModelGeometry named = gemma3_12b();
  named.window_blocks.assign(48, 1);
  for (unsigned i = 5; i < 48; i += 6) named.window_blocks[i] = 0;
  ModelGeometry hybrid = plain(4, 1024, 8, 2, 64);  // every second block has attention
  hybrid.full_attention_every = 2;
  hybrid.state_kernel = 4;
  hybrid.state_inner = 2048;
  hybrid.state_size = 128;
  hybrid.state_groups = 16;
  ModelGeometry jamba = hybrid;
  jamba.full_attention_every = {};
  jamba.kv_heads = {0, 2, 0, 2};
  // Two states of 4 x (3 x (2048 + 2 x 16 x 128) + 2048 x 128) and two caches of 4096 x 2 x 128
  // x 2.
  const double of_hybrid = (2 * 4 * (3 * 6144.0 + 262144) + 2 * 4096 * 2 * 128 * 2) / 1048576;
  const CacheCase cases[] = {
      {"oracle: Llama 3.1 8B", "llama", plain(32, 4096, 32, 8), {}, 512},
      {"oracle: Qwen3 8B, heads wider than its width says",
       "qwen3",
       plain(36, 4096, 32, 8, 128),
       {},
       576},
      {"oracle: Qwen3 0.6B", "qwen3", plain(28, 1024, 16, 8, 128), {}, 448},
      {"oracle: Gemma 3 12B", "gemma3", gemma3_12b(), {}, 736},
      {"oracle: Gemma 3 12B, 32k", "gemma3", gemma3_12b(), {32768}, 2528},
      {"oracle: Gemma 3 12B, 32k, four slots", "gemma3", gemma3_12b(), {32768, 4}, 3968},
      {"the same by a list of blocks", "any", named, {32768}, 2528},
      {"oracle: Mamba 1.4B", "mamba", mamba(), {}, 14.25},
      {"a state for each slot", "mamba", mamba(), {4096, 4}, 57},
      {"log: DeepSeek V3, compressed, 32k", "deepseek2", deepseek(true), {32768}, 2196},
      {"log: DeepSeek V3 of an old file, 512", "deepseek2", deepseek(false), {512}, 2440},
      {"q8_0 has 34 bytes for 32 values", "llama", plain(32, 4096, 32, 8), {4096, 1, 1.0625}, 272},
      {"gpt-oss: 12 blocks with a window of 128",
       "gpt-oss",
       gpt_oss,
       {8192},
       (12 * 8192 + 12 * 768) * 2048.0 / 1048576},
      {"cells come by 256", "llama", plain(32, 4096, 32, 8), {4100}, 544},
      {"a short context needs no more than itself", "gemma3", gemma3_12b(), {512}, 192},
      {"a hybrid by its interval", "qwen3next", hybrid, {}, of_hybrid},
      {"a hybrid by its list of heads", "jamba", jamba, {}, of_hybrid},
  };
  for (const CacheCase& one : cases) {
    const auto bytes = cache_bytes(one.geometry, one.architecture, one.wish);
    ASSERT_TRUE(bytes) << one.name;
    EXPECT_DOUBLE_EQ(static_cast<double>(bytes->value) / 1048576, one.mib) << one.name;
  }
}

TEST(Cache, WhatIsNotSaidIsNotZero) {
  EXPECT_FALSE(cache_bytes({}, "llama", {}));
  ModelGeometry no_heads = plain(32, 4096, 32, 8);
  no_heads.heads = no_heads.kv_heads = {};
  EXPECT_FALSE(cache_bytes(no_heads, "llama", {}));
  EXPECT_FALSE(cache_bytes(plain(5000, 4096, 32, 8), "llama", {}));
  ModelGeometry bert = plain(12, 768, 12, 12);
  bert.causal = false;
  EXPECT_EQ(cache_bytes(bert, "bert", {}), Bytes{0});
}

ModelFile llama_8b() {
  ModelFile file;
  file.architecture = "llama";
  file.weights = Bytes{4653375488};         // as tests/gguf_writer.py llama-8b says
  file.input_embedding = Bytes{295501824};  // 128256 x 4096 as Q4_K: 281.8 MiB
  file.has_output = true;
  file.geometry = plain(32, 4096, 32, 8);
  file.geometry.context = 131072;
  file.geometry.vocabulary = 128256;
  return file;
}

TEST(Estimate, IsTheSumOfItsParts) {
  const NeedEstimate need = estimate_need(llama_8b());
  EXPECT_EQ(need.weights, Bytes{4653375488 - 295501824});
  EXPECT_EQ(need.cache, mib(512));
  EXPECT_EQ(need.context, 4096U);
  // Logged by CUDA builds of 2024: 258.5 MiB; by the oracle, on the CPU: 294.
  EXPECT_EQ(need.compute, Bytes{(128256 + 2 * 4096) * 2048ULL});
  EXPECT_EQ(need.process, mib(457));
  EXPECT_EQ(need.total(), need.weights + mib(512) + need.compute + mib(457));
  EXPECT_TRUE(need.is_cache_known);
}

TEST(Estimate, TiedWeightsAreOnTheGpuToo) {
  ModelFile file = llama_8b();
  file.has_output = false;
  EXPECT_EQ(estimate_need(file).weights, file.weights);
}

TEST(Estimate, TheContextIsWhatWasAskedFor) {
  ModelFile file = llama_8b();
  EXPECT_EQ(estimate_need(file, {.context = 131072}).cache, gib(16));
  file.geometry.context = 2048;
  EXPECT_EQ(estimate_need(file).context, 2048U);
  EXPECT_EQ(estimate_need(file).cache, mib(256));
}

TEST(Estimate, SafetensorsAreTheirBytesAndAFifth) {
  ModelFile file;
  file.format = ModelFile::Format::safetensors;
  file.weights = Bytes{16'060'522'496};  // Llama 3.1 8B as BF16
  const NeedEstimate need = estimate_need(file);
  EXPECT_EQ(need.total(), Bytes{16'060'522'496 + 3'212'104'499} + mib(457));
}

TEST(Estimate, AFileThatSaysLittleIsSaidToBeIncomplete) {
  ModelFile file = llama_8b();
  file.geometry = {};
  const NeedEstimate need = estimate_need(file);
  EXPECT_FALSE(need.is_cache_known);
  EXPECT_GT(need.compute, Bytes{0});
}

}  // namespace
}  // namespace estiva::decide
