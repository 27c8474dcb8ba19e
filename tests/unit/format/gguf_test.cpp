#include "format/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/format/gguf_bytes.h"

namespace estiva::format {
namespace {

using test::GgufBytes;
using test::put;
using test::put_text;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t kF32 = 0, kQ40 = 2, kQ4K = 12;

GgufBytes small() {
  GgufBytes file;
  file.text("general.architecture", "llama");
  file.text("general.name", "Small");
  file.number("llama.block_count", 2);
  file.number("llama.embedding_length", 256);
  file.tensor("token_embd.weight", {256, 320}, kQ4K, 46080);
  file.tensor("output.weight", {256, 320}, kF32, 327680);
  return file;
}

Result<ModelFile> read(const GgufBytes& file, std::uint64_t size = 0) {
  return read_gguf(TextSource(file.bytes()), size);
}
std::string error_of(const std::string& bytes) {
  const auto file = read_gguf(TextSource(bytes), bytes.size());
  return file ? "read" : file.error().what;
}

// A source that says how much of it was looked at.
class Counted final : public ByteSource {
 public:
  explicit Counted(std::string_view text) : text_(text) {}
  std::size_t read_at(std::uint64_t offset, std::span<char> out) const override {
    ++reads;
    return text_.read_at(offset, out);
  }
  mutable int reads = 0;

 private:
  TextSource text_;
};

TEST(Gguf, TensorsAreAddedUpByType) {
  const auto file = read(small());
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->architecture, "llama");
  EXPECT_EQ(file->name, "Small");
  // 256 x 320 values: 4 bytes each as F32, 144 bytes for 256 as Q4_K.
  EXPECT_THAT(file->tensors,
              ElementsAre(TensorSum{"F32", 1, Bytes{327680}}, TensorSum{"Q4_K", 1, Bytes{46080}}));
  EXPECT_EQ(file->weights, Bytes{373760});
  EXPECT_EQ(file->input_embedding, Bytes{46080});
  EXPECT_TRUE(file->has_output);
  const std::uint64_t begin = (small().bytes().size() + 31) / 32 * 32;
  EXPECT_EQ(file->file_size, Bytes{begin + 46080 + 327680});
}

TEST(Gguf, GeometryIsTheArchitecturesOwn) {
  GgufBytes keys = small();
  keys.number("llama.context_length", 131072);
  keys.number("llama.attention.head_count", 32);
  keys.numbers("llama.attention.head_count_kv", {8, 0});
  keys.number("llama.attention.key_length", 128);
  keys.number("clip.block_count", 27);
  keys.key("llama.attention.causal", 7);
  put(keys.keys, 0, 1);
  keys.key("llama.rope.freq_base", 6);  // a float
  put(keys.keys, 0x7f800000, 4);
  keys.texts("tokenizer.ggml.tokens", 320, "word");
  const auto file = read(keys);
  ASSERT_TRUE(file) << file.error().what;
  const ModelGeometry& g = file->geometry;
  EXPECT_EQ(g.blocks, 2U);
  EXPECT_EQ(g.context, 131072U);
  EXPECT_THAT(g.heads, ElementsAre(32));
  EXPECT_THAT(g.kv_heads, ElementsAre(8, 0));
  EXPECT_EQ(g.key_length, 128U);
  EXPECT_EQ(g.value_length, std::nullopt);
  EXPECT_EQ(g.vocabulary, 320U);
  EXPECT_EQ(g.causal, false);
}

TEST(Gguf, AKeyMayStandBeforeTheArchitecture) {
  GgufBytes keys;
  keys.number("qwen3.block_count", 36).text("general.architecture", "qwen3");
  EXPECT_EQ(read(keys)->geometry.blocks, 36U);
}

TEST(Gguf, AnUnknownTypeIsSizedByOffsets) {
  GgufBytes file = small();
  file.tensor("blk.0.new", {256}, 999, 4096).tensor("blk.0.last", {256}, 998, 64);
  const std::uint64_t begin = (file.bytes().size() + 31) / 32 * 32;
  const auto read_file = read(file, begin + file.next_offset);
  EXPECT_EQ(read_file->unknown_types, 2U);
  EXPECT_EQ(read_file->weights, Bytes{373760 + 4096 + 64});
}

TEST(Gguf, ATokenizerOf250000WordsIsPassedOver) {
  GgufBytes keys;
  keys.text("general.architecture", "gemma3");
  keys.texts("tokenizer.ggml.tokens", 250'000, "a word of usual length");
  keys.texts("tokenizer.ggml.merges", 250'000, "two words");
  keys.number("gemma3.block_count", 48);
  const std::string bytes = keys.bytes();
  const Counted source(bytes);
  const auto file = read_gguf(source, bytes.size());
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->geometry.blocks, 48U);
  EXPECT_EQ(file->geometry.vocabulary, 250'000U);
  EXPECT_LT(source.reads, 60);  // 12 MB by windows of 256 KiB
}

TEST(Gguf, OnlyTheFirstPartOfSeveralHasAnArchitecture) {
  GgufBytes part;
  part.key("split.no", 2);
  put(part.keys, 1, 2);
  part.key("split.count", 2);
  put(part.keys, 3, 2);
  part.tensor("blk.1.a", {32}, kQ40, 18);
  const auto file = read(part);
  ASSERT_TRUE(file) << file.error().what;
  EXPECT_EQ(file->split_number, 1U);
  EXPECT_EQ(file->split_count, 3U);
  ModelFile whole = *read(small());
  add_part(whole, *file);
  EXPECT_EQ(whole.weights, Bytes{373760 + 18});
  EXPECT_EQ(whole.tensors.size(), 3U);
}

TEST(Gguf, EveryPrefixIsAnErrorAndNothingElse) {
  const std::string bytes = small().bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string error = error_of(bytes.substr(0, size));
    EXPECT_THAT(error, size < 8 ? HasSubstr("no GGUF") : HasSubstr("ends in its header")) << size;
  }
  EXPECT_EQ(error_of(bytes), "read");
}

TEST(Gguf, WhatIsNoReadableFileSaysWhy) {
  const std::string good = small().bytes();
  const auto with = [&](std::size_t at, std::uint64_t value, unsigned bytes) {
    std::string number;
    put(number, value, bytes);
    return std::string(good).replace(at, bytes, number);
  };
  EXPECT_THAT(error_of("GGML" + good.substr(4)), HasSubstr("no GGUF"));
  EXPECT_THAT(error_of(with(4, 1, 4)), HasSubstr("version 1"));
  EXPECT_THAT(error_of(with(4, 0x03000000, 4)), HasSubstr("big endian"));
  EXPECT_THAT(error_of(with(8, 1'000'000, 8)), HasSubstr("more tensors"));
  EXPECT_THAT(error_of(with(16, UINT64_MAX, 8)), HasSubstr("more keys"));
  EXPECT_THAT(error_of(with(24, UINT64_MAX, 8)), HasSubstr("text that is too long"));
  GgufBytes nested;
  nested.key("x", 9);
  put(nested.keys, 9, 4);
  put(nested.keys, 1, 8);
  EXPECT_THAT(error_of(nested.bytes()), HasSubstr("a list of lists"));
  GgufBytes unknown;
  unknown.key("x", 13);
  EXPECT_THAT(error_of(unknown.bytes()), HasSubstr("no known type"));
  GgufBytes endless;
  endless.key("x", 9);
  put(endless.keys, 10, 4);
  put(endless.keys, UINT64_MAX / 8, 8);
  EXPECT_THAT(error_of(endless.bytes()), HasSubstr("does not end"));
  EXPECT_THAT(error_of(GgufBytes().number("x", 1).bytes()), HasSubstr("general.architecture"));
}

TEST(Gguf, ImpossibleShapesAreDamage) {
  const auto shape = [](const std::vector<std::uint64_t>& dims, std::uint32_t type) {
    return error_of(small().tensor("x", dims, type, 0).bytes());
  };
  EXPECT_EQ(shape({256}, kQ4K), "read");
  EXPECT_THAT(shape({255}, kQ4K), HasSubstr("possible shape"));  // rows are whole blocks
  EXPECT_THAT(shape({1, 1, 1, 1, 1}, kF32), HasSubstr("possible shape"));
  EXPECT_THAT(shape({1ULL << 40, 1ULL << 40}, kF32), HasSubstr("possible shape"));
}

}  // namespace
}  // namespace estiva::format
