#include "model/model_spec.h"

#include <array>
#include <utility>

namespace estiva {
namespace {

constexpr std::array<std::pair<ModelEngine, std::string_view>, 7> kEngines = {{
    {ModelEngine::process, "process"},
    {ModelEngine::container, "container"},
    {ModelEngine::ollama, "ollama"},
    {ModelEngine::llama_server, "llama-server"},
    {ModelEngine::vllm, "vllm"},
    {ModelEngine::lease, "lease"},
    {ModelEngine::remote, "remote"},
}};

constexpr std::array<std::pair<ResidencyPolicy, std::string_view>, 3> kPolicies = {{
    {ResidencyPolicy::keep, "keep"},
    {ResidencyPolicy::swap, "swap"},
    {ResidencyPolicy::always_unload, "always-unload"},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return {};
}

template <class Value, std::size_t N>
std::optional<Value> value_in(const std::array<std::pair<Value, std::string_view>, N>& table,
                              std::string_view name) {
  for (const auto& [value, known] : table) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace

std::string_view to_name(ModelEngine kind) {
  return name_in(kEngines, kind);
}

std::optional<ModelEngine> parse_model_engine(std::string_view name) {
  return value_in(kEngines, name);
}

std::string_view to_name(ResidencyPolicy policy) {
  return name_in(kPolicies, policy);
}

std::optional<ResidencyPolicy> parse_residency_policy(std::string_view name) {
  return value_in(kPolicies, name);
}

}  // namespace estiva
