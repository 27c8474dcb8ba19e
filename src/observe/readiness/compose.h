// The Compose files that containers came from, and whether their env files changed since.
#pragma once
#include <vector>

#include "observe/readiness/tree.h"

namespace estiva::observe {

inline constexpr std::size_t kMostComposeFiles = 64;
// Those that are named, then those that containers came from, by path; each once.
std::vector<ComposeFact> read_compose(const Tree& tree,
                                      const std::vector<ContainerFact>& containers,
                                      const std::vector<std::string>& named = {});

// The files that services of a Compose file take their environment from: ".env" beside it, and what
// stands under env_file. Paths as absolute ones.
std::vector<std::string> env_files_of(const ComposeFact& file);

// Marks the containers one of whose env files was changed after they were made.
void compare_env_files(const Tree& tree, const std::vector<ComposeFact>& compose,
                       std::vector<ContainerFact>& containers);

}  // namespace estiva::observe
