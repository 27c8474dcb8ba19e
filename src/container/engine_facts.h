// What an engine's answers say of GPUs in containers: its own settings, the containers that concern
// a GPU, and their images. The members are those of the Docker Engine API 1.24 to 1.52; Podman
// answers with the same. What is absent stays at its default.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "container/api_text.h"
#include "container/ask_once.h"
#include "model/readiness.h"

namespace estiva::container {

// GET /version: kind and version. Errors: it is none of the API.
Result<void> read_version(std::string_view json, EngineFacts& engine);
// GET /info: all that it says, with the document itself.
Result<void> read_info(std::string_view json, EngineFacts& engine);
// GET /containers/json: the ids, running ones first; at most `most`.
Result<std::vector<std::string>> parse_ids(std::string_view json, std::size_t most);
// GET /containers/ID/json.
Result<ContainerFact> parse_inspect(std::string_view json);
// GET /images/ID/json.
Result<ImageFact> parse_image(std::string_view json);

// It asks for a GPU, or its image is one that would use it.
bool concerns_gpu(const ContainerFact& container);

struct EngineQuestions {
  std::size_t most_containers = 256;  // that are looked into; running ones first
  std::size_t most_images = 64;
  std::size_t most_logs = 16;
  std::size_t log_lines = 200;  // the last ones, of which those are kept that `keeps_line` wants
  std::function<bool(std::string_view line)> keeps_line;  // null: no logs are asked for
};
struct EngineReport {
  EngineFacts engine;
  std::vector<ContainerFact> containers;  // by name
  std::vector<ImageFact> images;          // of these containers, by id
  std::vector<std::string> trouble;       // sentences: what was not answered
};
// Asks all of it. The first question's error is in `error`; then the engine's own part is empty.
EngineReport read_engine(const EngineAsk& ask, const EngineQuestions& questions, Error& error);

}  // namespace estiva::container
