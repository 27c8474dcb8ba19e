// Helpers of the command line's tests.
#pragma once
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <string>

#include "cli/arguments.h"
#include "cli/verbs.h"

namespace estiva::cli::test {

inline Result<Arguments> parse(std::vector<std::string> words) {
  return parse_arguments(all_verbs(), words);
}

// Compares with a golden file, whose first line names its source. With ESTIVA_UPDATE_GOLDEN set it
// writes the file anew instead (and fails, so that nobody leaves it set).
inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = ESTIVA_SOURCE_DIR "/tests/golden/cli/" + name;
  std::ifstream file(path);
  std::string source;
  std::getline(file, source);
  std::stringstream rest;
  rest << file.rdbuf();
  if (std::getenv("ESTIVA_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << source << "\n" << text;
    FAIL() << name << " was written anew: look at the difference, then run without the variable";
  }
  ASSERT_FALSE(source.empty()) << "no golden file " << path;
  EXPECT_EQ(text, rest.str()) << "golden file " << name;
}

}  // namespace estiva::cli::test
