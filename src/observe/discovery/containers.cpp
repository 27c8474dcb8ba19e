#include "observe/discovery/containers.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <map>

#include "base/messages/observe_discovery.h"
#include "container/engine_json.h"
#include "format/json_tree.h"

namespace estiva::observe {
namespace {

struct KnownImage {
  std::string_view part;  // of the repository, in lower case
  std::string_view serves;
};
// The makers' own images, and those that most Compose files of the field name.
constexpr std::array<KnownImage, 22> kImages = {{{"ollama/ollama", "Ollama"},
                                                 {"vllm/vllm-openai", "vLLM"},
                                                 {"ggml-org/llama.cpp", "llama-server"},
                                                 {"ggerganov/llama.cpp", "llama-server"},
                                                 {"text-generation-inference", "TGI"},
                                                 {"text-embeddings-inference", "TEI"},
                                                 {"lmsysorg/sglang", "SGLang"},
                                                 {"openmmlab/lmdeploy", "LMDeploy"},
                                                 {"localai/localai", "LocalAI"},
                                                 {"tritonserver", "Triton"},
                                                 {"nvcr.io/nim/", "NIM"},
                                                 {"xtts", "XTTS"},
                                                 {"coqui", "Coqui TTS"},
                                                 {"f5-tts", "F5-TTS"},
                                                 {"kokoro", "Kokoro"},
                                                 {"whisper", "Whisper"},
                                                 {"speaches", "Whisper"},
                                                 {"comfyui", "ComfyUI"},
                                                 {"stable-diffusion-webui", "Stable Diffusion"},
                                                 {"koboldcpp", "KoboldCpp"},
                                                 {"text-generation-webui", "text-generation-webui"},
                                                 {"tabbyapi", "TabbyAPI"}}};

// Published where this machine's loopback reaches them, by container.
std::map<std::string, std::vector<std::uint16_t>> parse_ports(std::string_view json) {
  std::map<std::string, std::vector<std::uint16_t>> all;
  const auto tree = format::JsonTree::parse(json);
  const format::JsonNode list = tree ? tree->root() : format::JsonNode();
  for (std::size_t i = 0; list.is_array() && i < list.size(); ++i) {
    const format::JsonNode ports = list.at(i)["Ports"];
    auto& numbers = all[std::string(list.at(i)["Id"].text().value_or(""))];
    for (std::size_t k = 0; ports.is_array() && k < std::min<std::size_t>(ports.size(), 64); ++k) {
      const std::uint64_t port = ports.at(k)["PublicPort"].unsigned_number().value_or(0);
      const std::string_view address = ports.at(k)["IP"].text().value_or("");
      const bool is_here = address.empty() || address == "0.0.0.0" || address == "::" ||
                           address.starts_with("127.") || address == "::1";
      if (port > 0 && port <= UINT16_MAX && is_here)
        numbers.push_back(static_cast<std::uint16_t>(port));
    }
    std::ranges::sort(numbers);
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  }
  return all;
}

}  // namespace

std::string served_by_image(std::string_view image) {
  std::string plain(image.substr(0, image.find('@')));
  const std::size_t tag = plain.rfind(':');
  if (tag != plain.npos && plain.find('/', tag) == plain.npos) plain.erase(tag);
  std::ranges::transform(plain, plain.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const KnownImage& known : kImages)
    if (plain.find(known.part) != plain.npos) return std::string(known.serves);
  return {};
}

Result<std::vector<FoundContainer>> parse_model_containers(std::string_view json) {
  const auto all = container::parse_containers(json);
  if (!all) return Failure(all.error());
  auto ports = parse_ports(json);
  std::vector<FoundContainer> found;
  for (const Container& one : *all) {
    FoundContainer container{one.id,       one.name,
                             one.image,    one.project,
                             one.service,  served_by_image(one.image),
                             one.model,    one.state == ContainerState::running,
                             ports[one.id]};
    if (!container.serves.empty() || !container.model.empty())
      found.push_back(std::move(container));
  }
  std::ranges::sort(found, {}, &FoundContainer::name);
  return found;
}

void find_containers(const container::EngineAsk& ask, const container::EngineAddress& engine,
                     Discovery& found) {
  const auto answer = ask("/containers/json?all=1");
  if (!answer) {
    const EngineState state = container::state_of(answer.error(), engine.endpoint);
    if (state == EngineState::absent && engine.chosen_by == "usual place") return;
    found.not_seen.push_back(fmt::format(
        msg::kDiscoverEngine,
        container::explain_state(state, answer.error(), net::to_text(engine.endpoint))));
    return;
  }
  auto containers = parse_model_containers(*answer);
  if (!containers) {
    found.not_seen.push_back(fmt::format(msg::kDiscoverEngine, containers.error().what));
    return;
  }
  found.containers = std::move(*containers);
}

}  // namespace estiva::observe
