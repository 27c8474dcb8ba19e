#include "format/ollama.h"

#include <algorithm>
#include <array>

#include "base/messages/format_model.h"
#include "format/gguf_keys.h"
#include "format/json_tree.h"

namespace estiva::format {
namespace {

constexpr std::size_t kLongestName = 256;

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or("").substr(0, kLongestName));
}

Bytes bytes_of(JsonNode node) {
  return Bytes{node.unsigned_number().value_or(0)};
}

FoundOllamaModel model_of(JsonNode from) {
  FoundOllamaModel model;
  model.name = text_of(from["name"]);
  model.file.weights = bytes_of(from["size"]);
  model.file.architecture = text_of(from["details"]["family"]);
  model.is_remote = !text_of(from["remote_host"]).empty();
  return model;
}

GgufValue value_of(JsonNode node) {
  GgufValue value;
  if (const auto number = node.unsigned_number()) {
    value.is_number = true;
    value.number = *number;
  } else if (const auto yes = node.boolean()) {
    value.is_number = true;
    value.number = *yes ? 1 : 0;
  } else if (node.is_array()) {
    value.length = node.size();
    for (std::size_t i = 0; i < std::min<std::size_t>(node.size(), kMostGgufBlocks); ++i)
      value.list.push_back(static_cast<std::uint32_t>(
          std::min<std::uint64_t>(node.at(i).unsigned_number().value_or(0), UINT32_MAX)));
  }
  value.text = text_of(node);
  return value;
}

}  // namespace

std::string parse_ollama_version(std::string_view json) {
  const auto tree = JsonTree::parse(json);
  return tree ? text_of(tree->root()["version"]) : std::string();
}

Result<std::vector<FoundOllamaModel>> parse_ollama_tags(std::string_view json) {
  const auto tree = JsonTree::parse(json);
  const JsonNode list = tree ? tree->root()["models"] : JsonNode();
  if (!list.is_array()) return fail(std::string(msg::kOllamaTags));
  std::vector<FoundOllamaModel> models;
  for (std::size_t i = 0; i < list.size() && models.size() < kMostOllamaModels; ++i)
    if (FoundOllamaModel model = model_of(list.at(i)); !model.name.empty())
      models.push_back(std::move(model));
  std::ranges::sort(models, {}, &FoundOllamaModel::name);
  return models;
}

void read_ollama_ps(std::string_view json, std::vector<FoundOllamaModel>& models) {
  const auto tree = JsonTree::parse(json);
  const JsonNode list = tree ? tree->root()["models"] : JsonNode();
  for (std::size_t i = 0; list.is_array() && i < list.size(); ++i)
    for (FoundOllamaModel& model : models)
      if (model.name == text_of(list.at(i)["name"])) model.vram = bytes_of(list.at(i)["size_vram"]);
}

void read_ollama_show(std::string_view json, ModelFile& file) {
  const auto tree = JsonTree::parse(json);
  const JsonNode info = tree ? tree->root()["model_info"] : JsonNode();
  if (!info.is_object()) return;
  GgufValues values;
  for (std::size_t i = 0; i < std::min<std::size_t>(info.size(), kMostGgufKept); ++i)
    values.try_emplace(std::string(info.name_at(i)), value_of(info.at(i)));
  fill_from_keys(values, file);
}

std::string parse_ollama_manifest(std::string_view json) {
  const auto tree = JsonTree::parse(json);
  const JsonNode layers = tree ? tree->root()["layers"] : JsonNode();
  for (std::size_t i = 0; layers.is_array() && i < layers.size(); ++i) {
    if (layers.at(i)["mediaType"].text() != "application/vnd.ollama.image.model") continue;
    std::string digest = text_of(layers.at(i)["digest"]);
    constexpr std::string_view kBefore = "sha256:";
    const bool is_hex = digest.size() == kBefore.size() + 64 && digest.starts_with(kBefore) &&
                        digest.find_first_not_of("0123456789abcdef", kBefore.size()) == digest.npos;
    if (!is_hex) return {};
    digest[kBefore.size() - 1] = '-';
    return digest;
  }
  return {};
}

std::string ollama_name_of(std::string_view path) {
  std::array<std::string_view, 4> parts;  // host, namespace, model, tag
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    parts[i] = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (parts[i].empty()) return {};
  }
  if (!path.empty()) return {};
  std::string name;
  if (parts[0] != "registry.ollama.ai") name += std::string(parts[0]) + "/";
  if (parts[1] != "library") name += std::string(parts[1]) + "/";
  return name + std::string(parts[2]) + ":" + std::string(parts[3]);
}

}  // namespace estiva::format
