// The CDI specs on the machine, those that the engine does not read among them, and what on the
// host each of their paths is.
#pragma once
#include <functional>
#include <vector>

#include "observe/readiness/engine_process.h"

namespace estiva::observe {

// A file as an engine sees it: format::read_cdi_file.
using ParseCdi = std::function<CdiFile(std::string path, unsigned priority, std::string text)>;

inline constexpr std::size_t kMostSpecs = 256;         // files, in all directories together
inline constexpr std::size_t kLongestSpec = 4 << 20;   // bytes; an H100 machine's has 40,000
inline constexpr std::size_t kMostSpecPaths = 16'384;  // host paths, in all files together

// `dirs` are the engine's, by rising priority. Files by directory, then by name.
CdiFacts read_cdi(const Tree& tree, std::vector<std::string> dirs, const EngineUser& user,
                  const ParseCdi& parse);

// By modes and owners of a file and of the folders above it; access lists are not looked at.
bool may_read(const Tree& tree, const std::string& path, const EngineUser& user);

}  // namespace estiva::observe
