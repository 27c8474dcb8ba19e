// Engines that run already: who listens on this machine's loopback and answers as one. Only ports
// where engines usually are, or whose program is called like one, are asked. Blocking.
#pragma once
#include "host/files.h"
#include "model/discovery.h"
#include "observe/discovery/ask.h"

namespace estiva::observe {

// What an answer to GET /v1/models says: who serves, and what. nullopt: it is no list of models.
std::optional<FoundServer> read_model_list(std::string_view json);

// Adds servers to `found.servers`, and Ollama's that are on another port than the usual to
// `found.ollama`.
void find_servers(const host::Root& root, const LocalAsk& ask, Discovery& found);

}  // namespace estiva::observe
