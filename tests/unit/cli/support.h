// Helpers of the command line's tests.
#pragma once
#include <fstream>
#include <sstream>
#include <string>

#include "cli/arguments.h"
#include "cli/verbs.h"

namespace estiva::cli::test {

inline Result<Arguments> parse(std::vector<std::string> words) {
  return parse_arguments(all_verbs(), words);
}

// A golden file without its first line, which names the source.
inline std::string golden(const std::string& name) {
  std::ifstream file(ESTIVA_SOURCE_DIR "/tests/golden/cli/" + name);
  std::stringstream text;
  text << file.rdbuf();
  const std::string whole = text.str();
  const auto line = whole.find('\n');
  return line == std::string::npos ? "missing golden file " + name : whole.substr(line + 1);
}

}  // namespace estiva::cli::test
