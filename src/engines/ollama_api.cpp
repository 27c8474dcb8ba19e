#include "engines/ollama_api.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/engines_ollama.h"
#include "format/json_tree.h"
#include "format/text.h"

namespace estiva::engines {
namespace {

using format::JsonNode;
using format::JsonTree;

constexpr std::size_t kMostModels = 4096, kLongestText = 512;
constexpr std::size_t kDigestLength = 64;
// OLLAMA_CONTEXT_LENGTH, where nothing sets it (envconfig/config.go since 0.6).
constexpr std::uint64_t kDefaultContext = 4096;

std::string text_of(JsonNode node) {
  return std::string(node.text().value_or("").substr(0, kLongestText));
}

// "FROM /usr/share/ollama/.ollama/models/blobs/sha256-0123..." of a modelfile.
std::string digest_of(std::string_view modelfile) {
  constexpr std::string_view kFrom = "FROM ", kDigest = "sha256-";
  for (std::string_view line; format::next_line(modelfile, line);) {
    const std::size_t at = line.rfind(kDigest);
    if (!line.starts_with(kFrom) || at == line.npos) continue;
    const std::string_view digest = line.substr(at + kDigest.size(), kDigestLength);
    if (digest.size() == kDigestLength &&
        digest.find_first_not_of("0123456789abcdef") == digest.npos)
      return std::string(digest);
  }
  return {};
}

// "num_ctx                        8192" of the parameters.
std::uint64_t context_of(std::string_view parameters) {
  for (std::string_view line; format::next_line(parameters, line);) {
    std::string_view name, value;
    if (format::next_word(line, name) && name == "num_ctx" && format::next_word(line, value))
      return format::parse_u64(value).value_or(0);
  }
  return 0;
}

// Keys and values of each layer: heads x length of one, two bytes a number.
std::uint64_t bytes_a_token(JsonNode info) {
  const std::string kind = text_of(info["general.architecture"]);
  const auto number = [&](std::string_view name) {
    return info[fmt::format("{}.{}", kind, name)].unsigned_number().value_or(0);
  };
  const std::uint64_t layers = number("block_count"), heads = number("attention.head_count");
  const std::uint64_t kv_heads = number("attention.head_count_kv");
  std::uint64_t length = number("attention.key_length");
  if (length == 0 && heads != 0) length = number("embedding_length") / heads;
  constexpr std::uint64_t kMost = 1 << 20;  // of each factor: more is no model
  if (layers > kMost || kv_heads > kMost || length > kMost) return 0;
  return 2 * 2 * layers * kv_heads * length;
}

}  // namespace

std::string full_ollama_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const bool has_tag = name.find(':', slash == name.npos ? 0 : slash) != name.npos;
  return std::string(name) + (has_tag ? "" : ":latest");
}

Result<OllamaModel> parse_ollama_show(std::string_view json) {
  const auto tree = JsonTree::parse(json);
  if (!tree || !tree->root().is_object()) return fail(std::string(msg::kOllamaNonsense));
  const JsonNode root = tree->root();
  OllamaModel model;
  model.digest = digest_of(root["modelfile"].text().value_or(""));
  model.context = context_of(root["parameters"].text().value_or(""));
  model.bytes_a_token = bytes_a_token(root["model_info"]);
  bool embeds = false, completes = false;
  const JsonNode can = root["capabilities"];
  for (std::size_t i = 0; can.is_array() && i < can.size(); ++i) {
    embeds |= can.at(i).text() == "embedding";
    completes |= can.at(i).text() == "completion";
  }
  model.is_embedding_only = embeds && !completes;
  return model;
}

Result<std::vector<OllamaRow>> parse_ollama_models(std::string_view json) {
  const auto tree = JsonTree::parse(json);
  if (!tree || !tree->root().is_object()) return fail(std::string(msg::kOllamaNonsense));
  const JsonNode models = tree->root()["models"];
  std::vector<OllamaRow> rows;
  for (std::size_t i = 0; models.is_array() && i < std::min(models.size(), kMostModels); ++i) {
    const JsonNode from = models.at(i);
    OllamaRow row;
    row.name =
        full_ollama_name(from["name"].text() ? text_of(from["name"]) : text_of(from["model"]));
    row.digest = text_of(from["digest"]);
    row.size = Bytes{from["size"].unsigned_number().value_or(0)};
    if (const auto part = from["size_vram"].unsigned_number()) row.size_vram = Bytes{*part};
    rows.push_back(std::move(row));
  }
  return rows;
}

const OllamaRow* find_ollama_model(const std::vector<OllamaRow>& rows, std::string_view name) {
  const std::string full = full_ollama_name(name);
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const OllamaRow& row) { return row.name == full; });
  return found == rows.end() ? nullptr : &*found;
}

std::string parse_ollama_version(std::string_view json) {
  const auto tree = JsonTree::parse(json);
  return tree ? text_of(tree->root()["version"]) : std::string();
}

std::string ollama_error(std::string_view body) {
  const auto tree = JsonTree::parse(body);
  if (tree && tree->root()["error"].text()) return text_of(tree->root()["error"]);
  return format::escape_for_terminal(body.substr(0, kLongestText));
}

Bytes estimate_of_ollama(Bytes files, const OllamaModel& model) {
  constexpr std::uint64_t kLongestContext = std::uint64_t{1} << 24;
  const std::uint64_t context = model.context == 0 ? kDefaultContext : model.context;
  constexpr std::uint64_t kMost = std::uint64_t{1} << 36;  // bytes a token; more is no model
  const std::uint64_t a_token = model.bytes_a_token > kMost ? 0 : model.bytes_a_token;
  return Bytes{files.value + std::min(context, kLongestContext) * a_token};
}

}  // namespace estiva::engines
