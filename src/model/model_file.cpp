#include "model/model_file.h"

#include <algorithm>

namespace estiva {

void add_part(ModelFile& model, const ModelFile& part) {
  for (const TensorSum& more : part.tensors) {
    auto sum = std::ranges::find(model.tensors, more.type, &TensorSum::type);
    if (sum == model.tensors.end()) {
      model.tensors.push_back(more);
      continue;
    }
    sum->count += more.count;
    sum->bytes += more.bytes;
  }
  std::ranges::stable_sort(
      model.tensors, [](const TensorSum& a, const TensorSum& b) { return a.bytes > b.bytes; });
  model.weights += part.weights;
  model.unknown_types += part.unknown_types;
  model.input_embedding += part.input_embedding;
  model.has_output |= part.has_output;
}

}  // namespace estiva
