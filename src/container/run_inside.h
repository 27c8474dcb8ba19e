// A command in a container that runs, as `docker exec` does it.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "base/error.h"
#include "net/address.h"

namespace estiva::container {

struct InsideEnd {
  int exit_code = 0;   // 126, 127: there is no such program in it
  std::string output;  // what it printed, both streams
};

// Blocking. Changes nothing in the container but for what the command does. Errors: those of
// net::fetch, timed_out, and failed with the engine's words.
Result<InsideEnd> run_inside(const net::Endpoint& engine, const std::string& id,
                             const std::vector<std::string>& command,
                             std::chrono::milliseconds limit);

}  // namespace estiva::container
