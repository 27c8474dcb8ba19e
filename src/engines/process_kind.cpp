// Any program: the spec says everything.
#include <algorithm>

#include "engines/program_kind.h"
#include "format/text.h"

namespace estiva::engines {
namespace {

constexpr std::string_view kOption = "--port", kJoined = "--port=";

}  // namespace

const ProgramKind& process_kind() {
  static const ProgramKind kind{
      .command = [](const ModelSpec& spec) { return spec.command; },
  };
  return kind;
}

const ProgramKind* program_kind(ModelEngine engine) {
  switch (engine) {
    case ModelEngine::process:
      return &process_kind();
    case ModelEngine::llama_server:
      return &llama_server_kind();
    case ModelEngine::vllm:
      return &vllm_kind();
    default:
      return nullptr;
  }
}

bool names_port(const ModelSpec& spec) {
  return std::any_of(spec.command.begin(), spec.command.end(), [](const std::string& word) {
    return word.find(kPortPlace) != word.npos || word == kOption || word.starts_with(kJoined);
  });
}

std::optional<std::uint16_t> port_in(const std::vector<std::string>& command) {
  for (auto word = command.begin(); word != command.end(); ++word) {
    std::string_view value;
    if (*word == kOption && word + 1 != command.end()) value = *(word + 1);
    if (word->starts_with(kJoined)) value = std::string_view(*word).substr(kJoined.size());
    const auto port = format::parse_u64(value);
    if (port && *port > 0 && *port <= UINT16_MAX) return static_cast<std::uint16_t>(*port);
  }
  return std::nullopt;
}

}  // namespace estiva::engines
