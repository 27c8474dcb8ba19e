// C8-C13 and C15: what a spec that the engine uses promises, and whether the host has it. A path
// that nobody looked at says nothing.
#pragma once
#include <vector>

#include "decide/readiness/rule.h"

namespace estiva::decide {

std::vector<Hit> find_stale_mounts(const ReadinessFacts& facts);        // C8
std::vector<Hit> find_frozen_numbers(const ReadinessFacts& facts);      // C9
std::vector<Hit> find_missing_hooks(const ReadinessFacts& facts);       // C10
std::vector<Hit> find_incomplete_specs(const ReadinessFacts& facts);    // C11
std::vector<Hit> find_missing_spec_nodes(const ReadinessFacts& facts);  // C12
std::vector<Hit> find_missing_sockets(const ReadinessFacts& facts);     // C13
std::vector<Hit> find_chmod_hooks(const ReadinessFacts& facts);         // C15

}  // namespace estiva::decide
