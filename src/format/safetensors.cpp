#include "format/safetensors.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/messages/format_model.h"
#include "format/json_tree.h"
#include "format/text.h"

namespace estiva::format {
namespace {

Failure no_safetensors() {
  return fail(std::string(msg::kSafetensorsNot));
}

// The JSON at the file's beginning.
Result<std::string> read_header(const ByteSource& source) {
  std::string length(8, '\0');
  if (source.read_at(0, length) < 8) return no_safetensors();
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 0;) size = size << 8 | static_cast<unsigned char>(length[i]);
  std::string first(1, '\0');
  if (size < 2 || source.read_at(8, first) < 1 || first != "{") return no_safetensors();
  if (size > kMaxSafetensorsHeader)
    return fail(fmt::format(msg::kSafetensorsLong, size, kMaxSafetensorsHeader));
  std::string header(static_cast<std::size_t>(size), '\0');
  const std::size_t got = source.read_at(8, header);
  if (got < header.size())
    return fail(fmt::format(msg::kGgufCut, 8 + got), std::string(msg::kModelCutHow));
  return header;
}

Result<void> add_tensor(std::string_view name, JsonNode tensor, ModelFile& file) {
  const auto type = tensor["dtype"].text();
  const JsonNode place = tensor["data_offsets"];
  const auto begin = place.size() == 2 ? place.at(0).unsigned_number() : std::nullopt;
  const auto end = place.size() == 2 ? place.at(1).unsigned_number() : std::nullopt;
  if (!type || type->size() > 32 || !begin || !end || *end < *begin)
    return fail(fmt::format(msg::kSafetensorsTensor, escape_for_terminal(name.substr(0, 64))));
  auto sum = std::ranges::find(file.tensors, *type, &TensorSum::type);
  if (sum == file.tensors.end())
    sum = file.tensors.insert(sum, TensorSum{std::string(*type), 0, {}});
  ++sum->count;
  sum->bytes += Bytes{*end - *begin};
  file.weights += Bytes{*end - *begin};
  file.file_size = std::max(file.file_size, Bytes{*end});
  return {};
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == name.npos &&
         name.find('\0') == name.npos && name.size() <= 255;
}

Count number_of(JsonNode node) {
  return node.unsigned_number();
}

PerBlock same_for_all(JsonNode node) {
  const auto number = node.unsigned_number();
  if (!number) return {};
  return {static_cast<std::uint32_t>(std::min<std::uint64_t>(*number, UINT32_MAX))};
}

}  // namespace

Result<ModelFile> read_safetensors(const ByteSource& source) {
  const auto header = read_header(source);
  if (!header) return Failure(header.error());
  const auto tree = JsonTree::parse(*header);
  if (!tree || !tree->root().is_object()) return no_safetensors();
  ModelFile file;
  file.format = ModelFile::Format::safetensors;
  const JsonNode root = tree->root();
  for (std::size_t i = 0; i < root.size(); ++i) {
    if (root.name_at(i) == "__metadata__") continue;
    if (auto ok = add_tensor(root.name_at(i), root.at(i), file); !ok) return Failure(ok.error());
  }
  file.file_size += Bytes{8 + header->size()};
  std::ranges::stable_sort(
      file.tensors, [](const TensorSum& a, const TensorSum& b) { return a.bytes > b.bytes; });
  return file;
}

Result<SafetensorsIndex> parse_safetensors_index(std::string_view text) {
  const auto tree = JsonTree::parse(text);
  const JsonNode map = tree ? tree->root()["weight_map"] : JsonNode();
  if (!map.is_object()) return fail(std::string(msg::kSafetensorsIndex));
  std::set<std::string, std::less<>> files;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const auto name = map.at(i).text();
    if (name && is_file_name(*name)) files.emplace(*name);
  }
  return SafetensorsIndex{
      {files.begin(), files.end()},
      Bytes{tree->root()["metadata"]["total_size"].unsigned_number().value_or(0)}};
}

Result<void> read_model_config(std::string_view text, ModelFile& file) {
  const auto tree = JsonTree::parse(text);
  if (!tree || !tree->root().is_object()) return fail(std::string(msg::kModelConfig));
  JsonNode config = tree->root();
  if (config["text_config"].is_object()) config = config["text_config"];
  file.architecture = config["model_type"].text().value_or("");
  ModelGeometry& g = file.geometry;
  g.blocks = number_of(config["num_hidden_layers"]);
  g.embedding = number_of(config["hidden_size"]);
  g.context = number_of(config["max_position_embeddings"]);
  g.vocabulary = number_of(config["vocab_size"]);
  g.heads = same_for_all(config["num_attention_heads"]);
  g.kv_heads = same_for_all(config["num_key_value_heads"]);
  g.key_length = g.value_length = number_of(config["head_dim"]);
  const bool has_window = config["use_sliding_window"].boolean() != false;
  g.window = has_window ? number_of(config["sliding_window"]) : std::nullopt;
  return {};
}

}  // namespace estiva::format
