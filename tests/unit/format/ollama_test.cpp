#include "format/ollama.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estiva::format {
namespace {

using testing::ElementsAre;

// As docs/api.md of Ollama shows them, shortened.
constexpr std::string_view kTags = R"({"models":[
 {"name":"qwen2.5:7b","model":"qwen2.5:7b","size":4683087332,"digest":"845d","details":
  {"format":"gguf","family":"qwen2","parameter_size":"7.6B","quantization_level":"Q4_K_M"}},
 {"name":"gpt-oss:120b-cloud","size":384,"remote_host":"https://ollama.com:443","details":{}},
 {"name":"","size":1},{"size":1},7]})";

TEST(Ollama, TagsAreModelsWithTheirSizes) {
  const auto models = parse_ollama_tags(kTags);
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 2U);
  EXPECT_EQ((*models)[1].name, "qwen2.5:7b");
  EXPECT_EQ((*models)[1].file.weights, Bytes{4683087332});
  EXPECT_EQ((*models)[1].file.architecture, "qwen2");
  EXPECT_FALSE((*models)[1].is_remote);
  EXPECT_TRUE((*models)[0].is_remote);
  EXPECT_FALSE(parse_ollama_tags("{}"));
  EXPECT_FALSE(parse_ollama_tags("<html>"));
}

TEST(Ollama, WhatIsLoadedIsInPs) {
  auto models = *parse_ollama_tags(kTags);
  read_ollama_ps(R"({"models":[{"name":"qwen2.5:7b","size":6000000000,"size_vram":5100000000}]})",
                 models);
  EXPECT_EQ(models[1].vram, Bytes{5100000000});
  EXPECT_EQ(models[0].vram, Bytes{0});
}

TEST(Ollama, ShowHasGgufsKeys) {
  ModelFile file;
  read_ollama_show(
      R"({"details":{},"model_info":{"general.architecture":"qwen2","qwen2.block_count":28,)"
      R"("qwen2.attention.head_count":28,"qwen2.attention.head_count_kv":4,)"
      R"("qwen2.embedding_length":3584,"qwen2.rope.freq_base":1e6,"tokenizer.ggml.tokens":null}})",
      file);
  EXPECT_EQ(file.architecture, "qwen2");
  EXPECT_EQ(file.geometry.blocks, 28U);
  EXPECT_THAT(file.geometry.kv_heads, ElementsAre(4));
  const ModelFile before = file;
  read_ollama_show(R"({"error":"model not found"})", file);
  EXPECT_EQ(file, before);
}

TEST(Ollama, AManifestNamesItsWeights) {
  const std::string hex(64, 'a');
  EXPECT_EQ(parse_ollama_manifest(
                R"({"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"x"},)"
                R"({"mediaType":"application/vnd.ollama.image.model","digest":"sha256:)" +
                hex + R"("}]})"),
            "sha256-" + hex);
  // It becomes a path.
  EXPECT_EQ(parse_ollama_manifest(R"({"layers":[{"mediaType":"application/vnd.ollama.image.model",)"
                                  R"("digest":"sha256:../../../../etc/passwd"}]})"),
            "");
  EXPECT_EQ(parse_ollama_manifest("[]"), "");
}

TEST(Ollama, NamesAreThoseThatOllamaShows) {
  EXPECT_EQ(ollama_name_of("registry.ollama.ai/library/qwen2.5/7b"), "qwen2.5:7b");
  EXPECT_EQ(ollama_name_of("registry.ollama.ai/someone/tts/latest"), "someone/tts:latest");
  EXPECT_EQ(ollama_name_of("hf.co/Qwen/Qwen3-8B-GGUF/Q4_K_M"), "hf.co/Qwen/Qwen3-8B-GGUF:Q4_K_M");
  EXPECT_EQ(ollama_name_of("registry.ollama.ai/library/qwen2.5"), "");
  EXPECT_EQ(ollama_name_of("a/b/c/d/e"), "");
}

TEST(Ollama, OnlyItsVersionIsAVersion) {
  EXPECT_EQ(parse_ollama_version(R"({"version":"0.12.3"})"), "0.12.3");
  EXPECT_EQ(parse_ollama_version("nginx"), "");
}

}  // namespace
}  // namespace estiva::format
