// Which settings dockerd knows in daemon.json, and of which type: with any other it does not start.
// Pure. One judgement for doctor (K7) and for the set-up. Source: the fields of Config in moby's
// daemon/config (config.go, config_linux.go), and the flags of dockerd 20.10.24 and 28.5.2.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "format/json_edit.h"

namespace estiva::decide {

// The first setting that dockerd refuses, with its place and, where the name is not known, the
// nearest that is. `path` is the file's name; `version` is the engine's: where it is not known, a
// setting that any version knows is taken. Values are judged by their type alone.
std::optional<Error> refused_by_dockerd(const format::JsonEdit& file, std::string_view path,
                                        std::string_view version);

// What dockerd refuses of the text of a file: it is no JSON, no object, or the above. A name that
// stands twice is none of it, dockerd takes the last. Where the slip of the pen is one that doctor
// mends, the remedy says so.
std::optional<Error> fault_of_daemon_json(const std::string& text, const std::string& path,
                                          std::string_view version);

}  // namespace estiva::decide
