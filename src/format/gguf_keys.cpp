#include "format/gguf_keys.h"

#include <algorithm>

namespace estiva::format {
namespace {

class Keys {
 public:
  Keys(const GgufValues& values, std::string prefix)
      : values_(values), prefix_(std::move(prefix)) {}

  const GgufValue* find(std::string_view key) const {
    const auto found = values_.find(prefix_ + std::string(key));
    return found == values_.end() ? nullptr : &found->second;
  }
  Count number(std::string_view key) const {
    const GgufValue* value = find(key);
    return value != nullptr && value->is_number ? Count(value->number) : Count();
  }
  std::string text(std::string_view key) const {
    const GgufValue* value = find(key);
    return value == nullptr ? std::string() : value->text;
  }
  PerBlock per_block(std::string_view key) const {
    const GgufValue* value = find(key);
    if (value == nullptr) return {};
    if (!value->is_number) return value->list;
    return {static_cast<std::uint32_t>(std::min<std::uint64_t>(value->number, UINT32_MAX))};
  }
  std::uint64_t length(std::string_view key) const {
    const GgufValue* value = find(key);
    return value == nullptr ? 0 : value->length;
  }

 private:
  const GgufValues& values_;
  std::string prefix_;
};

ModelGeometry geometry_of(const Keys& own, std::uint64_t tokens) {
  ModelGeometry g;
  g.blocks = own.number("block_count");
  g.embedding = own.number("embedding_length");
  g.context = own.number("context_length");
  g.vocabulary = tokens > 0 ? Count(tokens) : own.number("vocab_size");
  g.heads = own.per_block("attention.head_count");
  g.kv_heads = own.per_block("attention.head_count_kv");
  g.key_length = own.number("attention.key_length");
  g.value_length = own.number("attention.value_length");
  g.window = own.number("attention.sliding_window");
  g.window_blocks = own.per_block("attention.sliding_window_pattern");
  g.key_length_window = own.number("attention.key_length_swa");
  g.value_length_window = own.number("attention.value_length_swa");
  g.compressed_kv = own.number("attention.kv_lora_rank");
  g.compressed_key_length = own.number("attention.key_length_mla");
  g.rope_dimensions = own.number("rope.dimension_count");
  g.state_kernel = own.number("ssm.conv_kernel");
  g.state_inner = own.number("ssm.inner_size");
  g.state_size = own.number("ssm.state_size");
  g.state_groups = own.number("ssm.group_count");
  g.full_attention_every = own.number("full_attention_interval");
  if (const Count causal = own.number("attention.causal")) g.causal = *causal != 0;
  return g;
}

}  // namespace

void fill_from_keys(const GgufValues& values, ModelFile& file) {
  const Keys all(values, "");
  if (std::string named = all.text("general.architecture"); !named.empty())
    file.architecture = std::move(named);
  file.name = all.text("general.name");
  file.kind = all.text("general.type");
  file.split_number = all.number("split.no");
  file.split_count = all.number("split.count");
  file.geometry =
      geometry_of(Keys(values, file.architecture + "."), all.length("tokenizer.ggml.tokens"));
}

std::uint64_t alignment_of(const GgufValues& values) {
  constexpr std::uint64_t kUsual = 32;
  return Keys(values, "").number("general.alignment").value_or(kUsual);
}

}  // namespace estiva::format
