// Where estiva keeps things: the same answer for the daemon and for the command line that looks
// for it. Pure: environment and user arrive as values.
#pragma once
#include <functional>
#include <string>
#include <sys/types.h>

namespace estiva::api {

struct Places {
  std::string state_dir;       // database, token
  std::string runtime_dir;     // sockets
  std::string config_file;     // may not exist
  std::string control_dir;     // runtime_dir/control
  std::string control_socket;  // runtime_dir/control/api.sock
  std::string lease_dir;       // runtime_dir/lease, which containers mount
  std::string lease_socket;    // runtime_dir/lease/estiva.sock
  std::string token_file;      // state_dir/token
};

// The value of an environment variable, empty where unset.
using Environment = std::function<std::string(const char*)>;
std::string process_environment(const char* name);

// What flags say wins, then ESTIVA_STATE_DIR, ESTIVA_RUNTIME_DIR and ESTIVA_CONFIG; then, for root
// and the user `estiva`, /var/lib/estiva, /run/estiva, /etc/estiva/estiva.toml; then the XDG
// folders of an ordinary user, with <state>/run where XDG_RUNTIME_DIR is unset. Relative paths are
// taken as given.
struct PlaceFlags {
  std::string state_dir, runtime_dir, config_file;
};
Places resolve_places(const Environment& environment, bool system_user,
                      const PlaceFlags& flags = {});
// For this process: root, or a user named estiva, is a system user.
Places resolve_places(const PlaceFlags& flags = {});

}  // namespace estiva::api
