#include "format/gguf.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/format_model.h"
#include "format/gguf_keys.h"
#include "format/gguf_reader.h"

namespace estiva::format {
namespace {

constexpr std::uint64_t kLongestKey = 65535;  // of gguf.md
constexpr std::uint64_t kLongestName = 1024;  // ggml itself: 64
constexpr std::uint32_t kMostDimensions = 4;  // GGML_MAX_DIMS
constexpr std::size_t kLongestKept = 128;     // of a key whose value is kept

struct Tensor {
  const GgmlType* type = nullptr;  // nullptr: not known
  std::uint32_t type_id = 0;
  std::uint64_t offset = 0, bytes = 0;
  bool is_input = false, is_output = false;
};

// a * b, or 2^64 - 1.
std::uint64_t times(std::uint64_t a, std::uint64_t b) {
  return b != 0 && a > UINT64_MAX / b ? UINT64_MAX : a * b;
}

GgufValues read_values(GgufCursor& in, std::uint64_t count) {
  GgufValues values;
  for (std::uint64_t i = 0; i < count && in.is_good(); ++i) {
    std::string key = in.text(kLongestKey);
    GgufValue value = read_gguf_value(in);
    if (values.size() < kMostGgufKept && key.size() <= kLongestKept)
      values.try_emplace(std::move(key), std::move(value));
  }
  return values;
}

Tensor read_tensor(GgufCursor& in) {
  Tensor tensor;
  const std::string name = in.text(kLongestName);
  tensor.is_input = name == "token_embd.weight";
  tensor.is_output = name == "output.weight";
  const std::uint32_t dimensions = in.u32();
  if (dimensions > kMostDimensions) in.damaged(msg::kGgufShape);
  std::uint64_t values = 1, row = 1;
  for (std::uint32_t i = 0; i < dimensions && in.is_good(); ++i) {
    const std::uint64_t length = in.u64();
    if (i == 0) row = length;
    values = times(values, length);
  }
  tensor.type_id = in.u32();
  tensor.offset = in.u64();
  tensor.type = find_ggml_type(tensor.type_id);
  if (tensor.type == nullptr) return tensor;
  if (values > (1ULL << 50) || row % tensor.type->values != 0) in.damaged(msg::kGgufShape);
  tensor.bytes = values / tensor.type->values * tensor.type->bytes;
  return tensor;
}

// A tensor of a type that we don't know reaches to the next one, or to the end of the file.
void size_unknown(std::vector<Tensor>& tensors, std::uint64_t data_size) {
  std::ranges::stable_sort(tensors, {}, &Tensor::offset);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].type != nullptr) continue;
    const std::uint64_t end = i + 1 < tensors.size() ? tensors[i + 1].offset : data_size;
    tensors[i].bytes = end > tensors[i].offset ? end - tensors[i].offset : 0;
  }
}

void add_up(const std::vector<Tensor>& tensors, ModelFile& file) {
  for (const Tensor& tensor : tensors) {
    const std::string type = tensor.type != nullptr ? std::string(tensor.type->name)
                                                    : fmt::format("type {}", tensor.type_id);
    auto sum = std::ranges::find(file.tensors, type, &TensorSum::type);
    if (sum == file.tensors.end()) sum = file.tensors.insert(sum, TensorSum{type, 0, {}});
    ++sum->count;
    sum->bytes += Bytes{tensor.bytes};
    file.weights += Bytes{tensor.bytes};
    if (tensor.type == nullptr) ++file.unknown_types;
    if (tensor.is_input) file.input_embedding += Bytes{tensor.bytes};
    file.has_output |= tensor.is_output;
  }
  std::ranges::stable_sort(
      file.tensors, [](const TensorSum& a, const TensorSum& b) { return a.bytes > b.bytes; });
}

// Version and byte order, as the error that ends it; empty: fine.
Error check_version(std::uint32_t magic, std::uint32_t version) {
  constexpr std::uint32_t kMagic = 0x46554747;  // "GGUF"
  if (magic != kMagic) return {ErrorKind::failed, std::string(msg::kGgufNot), {}};
  if (version == 2 || version == 3) return {};
  if ((version & 0xffff) == 0)
    return {ErrorKind::failed, std::string(msg::kGgufBigEndian),
            std::string(msg::kGgufBigEndianHow)};
  return {ErrorKind::failed, fmt::format(msg::kGgufVersion, version),
          std::string(msg::kGgufVersionHow)};
}

// Where the tensors' bytes begin.
std::uint64_t data_begin(GgufCursor& in, const GgufValues& values) {
  const std::uint64_t alignment = alignment_of(values);
  if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > 1 << 20)
    in.damaged(msg::kGgufAlignment);
  return in.is_good() ? (in.at() + alignment - 1) & ~(alignment - 1) : in.at();
}

}  // namespace

Result<ModelFile> read_gguf(const ByteSource& source, std::uint64_t size) {
  GgufCursor in(source);
  const std::uint32_t magic = in.u32(), version = in.u32();
  if (!in.is_good()) return fail(std::string(msg::kGgufNot));
  if (Error error = check_version(magic, version); !error.what.empty())
    return Failure(std::move(error));
  const std::uint64_t tensor_count = in.u64(), key_count = in.u64();
  if (tensor_count > kMaxGgufTensors) in.damaged(fmt::format(msg::kGgufTooMany, "tensors"));
  if (key_count > kMaxGgufKeys) in.damaged(fmt::format(msg::kGgufTooMany, "keys"));
  const GgufValues values = read_values(in, in.is_good() ? key_count : 0);
  std::vector<Tensor> tensors;
  for (std::uint64_t i = 0; i < tensor_count && in.is_good(); ++i)
    tensors.push_back(read_tensor(in));
  ModelFile file;
  fill_from_keys(values, file);
  const std::uint64_t begin = data_begin(in, values);
  if (file.architecture.empty() && file.split_number.value_or(0) == 0)
    in.damaged(msg::kGgufNoArchitecture);
  if (!in.is_good()) return Failure(in.error());
  size_unknown(tensors, size > begin ? size - begin : 0);
  add_up(tensors, file);
  file.file_size = Bytes{begin};
  for (const Tensor& tensor : tensors)
    file.file_size =
        std::max(file.file_size, Bytes{begin} + Bytes{tensor.offset} + Bytes{tensor.bytes});
  return file;
}

}  // namespace estiva::format
