// The engine of a model whose program estiva starts: any program, llama-server, vLLM.
#pragma once
#include <memory>

#include "engines/engine.h"
#include "engines/program_kind.h"

namespace estiva::engines {

// `kind` must outlive the engine.
std::unique_ptr<Engine> make_program_engine(const ModelSpec& spec, const EngineParts& parts,
                                            const ProgramKind& kind);

}  // namespace estiva::engines
