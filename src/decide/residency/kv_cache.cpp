#include "decide/residency/kv_cache.h"

#include <algorithm>
#include <array>

namespace estiva::decide {
namespace {

constexpr std::uint64_t kMostBlocks = 4096;
constexpr std::uint64_t kCellStep = 256;  // GGML_PAD of llama_context

// Of how many blocks the last has no window, where the file does not say it: set_swa_pattern() in
// llama.cpp's src/llama-model.cpp. An architecture that is not here is taken to have no windows,
// which is never too little.
struct WindowRule {
  std::string_view architecture;
  std::uint64_t every;
};
constexpr std::array<WindowRule, 6> kWindowRules = {
    {{"gemma2", 2}, {"gemma3", 6}, {"gemma3n", 5}, {"gpt-oss", 2}, {"cohere2", 4}, {"exaone4", 4}}};

std::uint64_t rounded(std::uint64_t cells) {
  return (cells + kCellStep - 1) / kCellStep * kCellStep;
}

std::optional<std::uint64_t> at(const PerBlock& values, std::uint64_t block) {
  if (values.size() == 1) return values[0];
  if (block < values.size()) return values[block];
  return std::nullopt;
}

class Cache {
 public:
  Cache(const ModelGeometry& geometry, std::string_view architecture, const CacheWish& wish)
      : g_(geometry), wish_(wish), cells_(rounded(wish.context)) {
    for (const WindowRule& rule : kWindowRules)
      if (rule.architecture == architecture) window_every_ = rule.every;
    runs_both_ = architecture == "falcon-h1";
  }

  // Bytes of one block; nullopt: not known.
  std::optional<double> block(std::uint64_t i) const {
    if (g_.compressed_key_length && g_.compressed_kv && g_.rope_dimensions)
      return value(cells_) * static_cast<double>(*g_.compressed_kv + *g_.rope_dimensions);
    const bool is_state = is_recurrent(i);
    double bytes = is_state ? state() : 0;
    if (is_state && !runs_both_) return bytes;
    const auto kv_heads = g_.kv_heads.empty() ? at(g_.heads, i) : at(g_.kv_heads, i);
    const auto head = head_values(i);
    if (!kv_heads || !head) return std::nullopt;
    return bytes +
           value(has_window(i) ? window_cells() : cells_) * static_cast<double>(*kv_heads * *head);
  }

 private:
  double value(std::uint64_t cells) const { return static_cast<double>(cells) * wish_.value_bytes; }

  bool is_recurrent(std::uint64_t i) const {
    if (!g_.state_inner || !g_.state_size || !g_.state_kernel) return false;
    if (runs_both_) return true;
    if (g_.full_attention_every && *g_.full_attention_every > 0)
      return (i + 1) % *g_.full_attention_every != 0;
    return at(g_.kv_heads, i).value_or(0) == 0;
  }
  double state() const {
    const double inner = static_cast<double>(*g_.state_inner);
    const double size = static_cast<double>(*g_.state_size);
    const double groups = static_cast<double>(g_.state_groups.value_or(0));
    const double kernel = static_cast<double>(std::max<std::uint64_t>(*g_.state_kernel, 1) - 1);
    return static_cast<double>(wish_.slots) *
           (kernel * (inner + 2 * groups * size) + inner * size) * 4;
  }

  bool has_window(std::uint64_t i) const {
    if (!g_.window || *g_.window == 0) return false;
    if (g_.window_blocks.size() > 1) return at(g_.window_blocks, i).value_or(0) != 0;
    const std::uint64_t every =
        at(g_.window_blocks, 0).value_or(static_cast<std::uint32_t>(window_every_));
    return every > 1 && i % every < every - 1;
  }
  std::uint64_t window_cells() const {
    const std::uint64_t each = std::max<std::uint64_t>(wish_.slots, 1);
    return each * std::min(rounded(cells_ / each), rounded(*g_.window + kBatch));
  }

  // Values of a key and of a value of one head.
  std::optional<std::uint64_t> head_values(std::uint64_t i) const {
    const auto heads = at(g_.heads, i);
    Count usual;
    if (g_.embedding && heads && *heads > 0) usual = *g_.embedding / *heads;
    Count key = g_.key_length ? g_.key_length : usual;
    Count values = g_.value_length ? g_.value_length : usual;
    if (has_window(i) && g_.key_length_window) key = g_.key_length_window;
    if (has_window(i) && g_.value_length_window) values = g_.value_length_window;
    if (!key || !values || *key > 1 << 20 || *values > 1 << 20) return std::nullopt;
    return *key + *values;
  }

  const ModelGeometry& g_;
  const CacheWish& wish_;
  std::uint64_t cells_;
  std::uint64_t window_every_ = 0;
  bool runs_both_ = false;  // each block has attention and a state
};

}  // namespace

std::optional<Bytes> cache_bytes(const ModelGeometry& geometry, std::string_view architecture,
                                 const CacheWish& wish) {
  if (geometry.causal == false) return Bytes{0};
  if (!geometry.blocks || *geometry.blocks > kMostBlocks) return std::nullopt;
  const Cache cache(geometry, architecture, wish);
  double sum = 0;
  for (std::uint64_t i = 0; i < *geometry.blocks; ++i) {
    const auto block = cache.block(i);
    if (!block) return std::nullopt;
    sum += *block;
  }
  constexpr double kMost = 1e18;
  return sum < kMost ? std::optional(Bytes{static_cast<std::uint64_t>(sum)}) : std::nullopt;
}

}  // namespace estiva::decide
