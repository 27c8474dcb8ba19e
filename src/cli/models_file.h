// The settings file that tables of models are added to. What stands in it stays byte for byte.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "format/model_toml.h"

namespace estiva::cli {

struct ModelsFile {
  std::string path;
  bool is_there = false;
  std::string text;  // of the file; empty where there is none
  std::vector<format::ModelIdentity> models;
  unsigned mode = 0644;

  // A file that is not there is no error. Errors: it can't be read (too long: over 1 MiB), is no
  // TOML, or belongs to another user than this one.
  static Result<ModelsFile> read(const std::string& path);

  // The whole file with `tables` at its end. Errors: failed, where that would be no TOML.
  Result<std::string> with(std::string_view tables) const;
  // Temp file, fsync, rename; the mode stays. Errors: refused where the file is not as it was read.
  Result<void> write(std::string_view whole) const;
};

}  // namespace estiva::cli
