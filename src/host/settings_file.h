// Finding and reading estiva.toml.
#pragma once
#include <string>
#include <sys/types.h>

#include "base/error.h"
#include "format/settings.h"

namespace estiva::host {

struct FileOwner {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0644;
};
// May others than root and `self` write the file, or its folder (and so replace it)? Pure: the
// refusal as an error of kind refused. A sticky folder does not count as writable by others.
Result<void> check_only_owner_writes(const std::string& path, FileOwner file, FileOwner folder,
                                     uid_t self);

// `named` (--config) must exist; else $XDG_CONFIG_HOME/estiva/estiva.toml (~/.config) for an
// ordinary user and /etc/estiva/estiva.toml for both; without any: the defaults. A file with
// commands that others can write is refused.
// The file that is read; empty: none is there.
std::string find_settings(const std::string& named = {});
struct LoadedSettings {
  format::Settings settings;
  std::string file;  // empty: defaults
};
Result<LoadedSettings> read_settings(const std::string& named = {});

}  // namespace estiva::host
