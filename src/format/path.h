// The parts of a path. Pure; what the file system has is not looked at.
#pragma once
#include <string_view>

namespace estiva::format {

// "/a/b" -> "/a"; "/b" and "b" -> "/"
constexpr std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == path.npos || slash == 0 ? std::string_view("/") : path.substr(0, slash);
}

// "/a/b" -> "b"
constexpr std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace estiva::format
