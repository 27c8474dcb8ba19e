#include "api/places.h"

#include <cstdlib>
#include <cstring>
#include <pwd.h>
#include <unistd.h>

namespace estiva::api {
namespace {

std::string first_of(std::initializer_list<std::string> candidates) {
  for (const std::string& candidate : candidates) {
    if (!candidate.empty()) return candidate;
  }
  return {};
}

std::string under(const std::string& folder, const char* rest) {
  return folder.empty() ? std::string() : folder + rest;
}

std::string home_of(const Environment& environment) {
  return first_of({environment("HOME"), "/nonexistent"});
}

Places defaults(const Environment& environment, bool system_user) {
  Places places;
  if (system_user) {
    places.state_dir = "/var/lib/estiva";
    places.runtime_dir = "/run/estiva";
    places.config_file = "/etc/estiva/estiva.toml";
    return places;
  }
  const std::string home = home_of(environment);
  places.state_dir =
      first_of({under(environment("XDG_STATE_HOME"), "/estiva"), home + "/.local/state/estiva"});
  places.runtime_dir = under(environment("XDG_RUNTIME_DIR"), "/estiva");
  places.config_file = first_of({under(environment("XDG_CONFIG_HOME"), "/estiva/estiva.toml"),
                                 home + "/.config/estiva/estiva.toml"});
  return places;
}

bool is_system_user() {
  if (::geteuid() == 0) return true;
  const passwd* entry = ::getpwuid(::geteuid());
  return entry != nullptr && std::strcmp(entry->pw_name, "estiva") == 0;
}

}  // namespace

std::string process_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Places resolve_places(const Environment& environment, bool system_user, const PlaceFlags& flags) {
  Places places = defaults(environment, system_user);
  places.state_dir = first_of({flags.state_dir, environment("ESTIVA_STATE_DIR"), places.state_dir});
  places.runtime_dir = first_of({flags.runtime_dir, environment("ESTIVA_RUNTIME_DIR"),
                                 places.runtime_dir, places.state_dir + "/run"});
  places.config_file =
      first_of({flags.config_file, environment("ESTIVA_CONFIG"), places.config_file});
  places.control_dir = places.runtime_dir + "/control";
  places.control_socket = places.control_dir + "/api.sock";
  places.lease_dir = places.runtime_dir + "/lease";
  places.lease_socket = places.lease_dir + "/estiva.sock";
  places.token_file = places.state_dir + "/token";
  return places;
}

Places resolve_places(const PlaceFlags& flags) {
  return resolve_places(process_environment, is_system_user(), flags);
}

}  // namespace estiva::api
