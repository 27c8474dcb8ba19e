#include "decide/residency/estimate.h"

#include <algorithm>

namespace estiva::decide {
namespace {

// Where the file does not say how many words it knows: that of an 8B model with 128,256.
constexpr Bytes kUsualCompute = mib(267);
constexpr std::uint64_t kMostValues = 1 << 24;  // of a vocabulary or a layer: no model comes near

std::uint64_t context_of(const ModelGeometry& geometry, const NeedWish& wish) {
  if (wish.context > 0) return wish.context;
  return std::min(geometry.context.value_or(kUsualContext), kUsualContext);
}

Bytes compute_of(const ModelGeometry& geometry) {
  const std::uint64_t words = geometry.vocabulary.value_or(0);
  const std::uint64_t width = geometry.embedding.value_or(0);
  if (words == 0 || words > kMostValues || width > kMostValues) return kUsualCompute;
  return Bytes{(words + 2 * width) * kBatch * 4};
}

}  // namespace

NeedEstimate estimate_need(const ModelFile& file, const NeedWish& wish) {
  NeedEstimate need;
  need.context = context_of(file.geometry, wish);
  need.process = wish.process;
  need.weights = file.weights;
  if (file.format == ModelFile::Format::safetensors) {
    need.cache = Bytes{file.weights.value / 5};
    return need;
  }
  if (file.has_output) need.weights -= file.input_embedding;
  const auto cache =
      cache_bytes(file.geometry, file.architecture, {need.context, wish.slots, wish.value_bytes});
  need.is_cache_known = cache.has_value();
  need.cache = cache.value_or(Bytes{0});
  need.compute = compute_of(file.geometry);
  return need;
}

}  // namespace estiva::decide
