// A model in a container that exists already: made by Compose or by a person, started and stopped
// through its engine's API. It is found by its name, its full id or "PROJECT/SERVICE", never by a
// guess; nothing is ever made or removed.
//
// One that runs already is taken over as it is. Which GPUs it sees is its own settings' matter. It
// may touch a GPU as soon as it is started: `started` of load() follows at once, not before.
#pragma once
#include <memory>

#include "engines/engine.h"

namespace estiva::engines {

std::unique_ptr<Engine> make_container_engine(const ModelSpec& spec, const EngineParts& parts);

}  // namespace estiva::engines
