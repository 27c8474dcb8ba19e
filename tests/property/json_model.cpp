#include "property/json_model.h"

#include <algorithm>
#include <fmt/format.h>

#include "format/json_tree.h"

namespace estiva::property {
namespace {

std::string scalar_of(const format::JsonNode& node) {
  if (const auto text = node.text()) return fmt::format("text {}", *text);
  if (const auto yes = node.boolean()) return *yes ? "true" : "false";
  if (const auto whole = node.unsigned_number()) return fmt::format("number {}", *whole);
  if (const auto below = node.signed_number()) return fmt::format("number {}", *below);
  return fmt::format("number {:a}", node.number().value());
}

JsonModel model_of(const format::JsonNode& node) {
  JsonModel model;
  if (!node || node.is_null()) return model;
  const bool named = node.is_object();
  if (!named && !node.is_array()) {
    model.kind = JsonModel::Kind::scalar;
    model.scalar = scalar_of(node);
    return model;
  }
  model.kind = named ? JsonModel::Kind::object : JsonModel::Kind::array;
  for (std::size_t i = 0; i < node.size(); ++i)
    model.members.emplace_back(named ? std::string(node.name_at(i)) : "", model_of(node.at(i)));
  return model;
}

}  // namespace

JsonModel* JsonModel::member(std::string_view name) {
  if (kind != Kind::object) return nullptr;
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const auto& one) { return one.first == name; });
  return found == members.end() ? nullptr : &found->second;
}

std::optional<JsonModel> read_model(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.find_first_not_of(" \t\r\n") == text.npos) return JsonModel{};
  const auto tree = format::JsonTree::parse(text);
  if (!tree) return std::nullopt;
  return model_of(tree->root());
}

bool set_in(JsonModel& root, const Path& path, const JsonModel& value) {
  JsonModel changed = root;
  JsonModel* at = &changed;
  for (const std::string& name : path) {
    if (at->kind == JsonModel::Kind::null) at->kind = JsonModel::Kind::object;
    if (at->kind != JsonModel::Kind::object) return false;
    JsonModel* next = at->member(name);
    if (next == nullptr) next = &at->members.emplace_back(name, JsonModel{}).second;
    at = next;
  }
  *at = value;
  root = std::move(changed);
  return true;
}

bool remove_in(JsonModel& root, const Path& path) {
  JsonModel* at = &root;
  for (std::size_t i = 0; i + 1 < path.size() && at != nullptr; ++i) at = at->member(path[i]);
  if (at == nullptr || at->member(path.back()) == nullptr) return false;
  std::erase_if(at->members, [&](const auto& one) { return one.first == path.back(); });
  return true;
}

const JsonModel* find_in(const JsonModel& root, const Path& path) {
  auto* at = const_cast<JsonModel*>(&root);
  for (const std::string& name : path) {
    if (at != nullptr) at = at->member(name);
  }
  return at;
}

}  // namespace estiva::property
