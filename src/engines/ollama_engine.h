// A model inside an Ollama server that somebody else runs: loaded and unloaded through its API. The
// server is never started or stopped, and no model is ever fetched or deleted.
//
// Ollama chooses the GPUs itself, and what it holds free it reckons itself; its own limits
// (OLLAMA_MAX_LOADED_MODELS, OLLAMA_KEEP_ALIVE) are to be wide where estiva decides. A part on the
// CPU is told as no_room, and the model is unloaded: nothing falls back to the CPU unseen.
#pragma once
#include <memory>

#include "engines/engine.h"

namespace estiva::engines {

std::unique_ptr<Engine> make_ollama_engine(const ModelSpec& spec, const EngineParts& parts);

}  // namespace estiva::engines
