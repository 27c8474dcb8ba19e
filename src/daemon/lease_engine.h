// A model that asks for its bytes itself: a library in somebody else's program, with a lease under
// the model's name (api/library.h). Nothing is started or ended here: to load it is to wait until
// its program has taken the bytes that were made free for it, and to stop it is to ask for them.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "engines/engine.h"

namespace estiva::daemon {

// The leases of programs, as far as one model's goes.
struct LeaseDoor {
  // Its program, while that has its bytes.
  std::function<std::optional<Holder>(const std::string& model)> program_of;
  // Asks for them once; true: they were given back, or there are none.
  std::function<net::Awaitable<bool>(std::string model)> ask;
};

std::unique_ptr<engines::Engine> make_lease_engine(const ModelSpec& spec,
                                                   const engines::EngineParts& parts,
                                                   const LeaseDoor& door);

}  // namespace estiva::daemon
