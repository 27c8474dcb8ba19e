// Containers that serve models, told by their images: Compose's services and others. Blocking.
#pragma once
#include "container/ask_once.h"
#include "container/endpoint.h"
#include "model/discovery.h"

namespace estiva::observe {

// "ghcr.io/ggml-org/llama.cpp:server-cuda" -> "llama-server"; empty: no image that is known to
// serve models.
std::string served_by_image(std::string_view image);

// GET /containers/json?all=1: those whose image is known, or that have a label estiva.model; by
// name. Errors: failed, an answer of no engine.
Result<std::vector<FoundContainer>> parse_model_containers(std::string_view json);

// An engine that may not be asked is told; one that is not there only where somebody named it.
void find_containers(const container::EngineAsk& ask, const container::EngineAddress& engine,
                     Discovery& found);

}  // namespace estiva::observe
