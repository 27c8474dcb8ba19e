// A model of somebody else's server: requests go there, nothing of it is on our GPUs, and nothing
// of it is started or ended by us.
#pragma once
#include <memory>

#include "engines/engine.h"

namespace estiva::engines {

std::unique_ptr<Engine> make_remote_engine(const ModelSpec& spec, const EngineParts& parts);

}  // namespace estiva::engines
