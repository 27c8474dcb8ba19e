#include "format/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/format/gguf_bytes.h"

namespace estiva::format {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string with_length(std::string_view header) {
  std::string bytes;
  test::put(bytes, header.size(), 8);
  return bytes + std::string(header);
}
std::string error_of(const std::string& bytes) {
  const auto file = read_safetensors(TextSource(bytes));
  return file ? "read" : file.error().what;
}

TEST(Safetensors, TensorsAreAddedUpByType) {
  const auto file = read_safetensors(
      TextSource(with_length(R"({"__metadata__":{"format":"pt"},)"
                             R"("a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},)"
                             R"("b":{"dtype":"F32","shape":[4],"data_offsets":[12,28]},)"
                             R"("c":{"dtype":"BF16","shape":[1],"data_offsets":[28,30]}})")));
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->format, ModelFile::Format::safetensors);
  EXPECT_THAT(file->tensors,
              ElementsAre(TensorSum{"F32", 1, Bytes{16}}, TensorSum{"BF16", 2, Bytes{14}}));
  EXPECT_EQ(file->weights, Bytes{30});
  EXPECT_EQ(file->file_size, Bytes{8 + 200 + 30});
}

TEST(Safetensors, WhatIsNoneSaysWhy) {
  EXPECT_THAT(error_of(""), HasSubstr("no safetensors"));
  EXPECT_THAT(error_of(with_length("[1]")), HasSubstr("no safetensors"));
  EXPECT_THAT(error_of(with_length("{nonsense}")), HasSubstr("no safetensors"));
  EXPECT_THAT(error_of(with_length(R"({"a":{"dtype":"F32","data_offsets":[8,4]}})")),
              HasSubstr("'a' has no type or no place"));
  EXPECT_THAT(error_of(with_length(R"({"a":{"data_offsets":[0,4]}})")), HasSubstr("'a'"));
  std::string cut = with_length("{}");
  cut[0] = 100;
  EXPECT_THAT(error_of(cut), HasSubstr("ends in its header, at byte 10"));
  cut[4] = 1;  // 4 GiB
  EXPECT_THAT(error_of(cut), HasSubstr("at most 33554432 are read"));
}

TEST(Safetensors, AnIndexNamesItsFilesOnce) {
  const auto index = parse_safetensors_index(
      R"({"metadata":{"total_size":16060522496},"weight_map":{"x":"model-2.safetensors",)"
      R"("y":"model-1.safetensors","z":"model-2.safetensors","evil":"../../etc/passwd","n":1}})");
  ASSERT_TRUE(index);
  EXPECT_THAT(index->files, ElementsAre("model-1.safetensors", "model-2.safetensors"));
  EXPECT_EQ(index->total, Bytes{16060522496});
  EXPECT_FALSE(parse_safetensors_index("{}"));
  EXPECT_FALSE(parse_safetensors_index("weights"));
}

TEST(Safetensors, ConfigJsonHasTheGeometry) {
  ModelFile file;
  ASSERT_TRUE(read_model_config(
      R"({"model_type":"gemma3","text_config":{"model_type":"gemma3_text","hidden_size":3840,)"
      R"("num_hidden_layers":48,"num_attention_heads":16,"num_key_value_heads":8,"head_dim":256,)"
      R"("sliding_window":1024,"vocab_size":262208,"max_position_embeddings":131072}})",
      file));
  EXPECT_EQ(file.architecture, "gemma3_text");
  EXPECT_EQ(file.geometry.blocks, 48U);
  EXPECT_THAT(file.geometry.kv_heads, ElementsAre(8));
  EXPECT_EQ(file.geometry.window, 1024U);
  ASSERT_TRUE(read_model_config(
      R"({"model_type":"qwen2","use_sliding_window":false,"sliding_window":32768})", file));
  EXPECT_EQ(file.geometry.window, std::nullopt);
  EXPECT_FALSE(read_model_config("[]", file));
}

}  // namespace
}  // namespace estiva::format
