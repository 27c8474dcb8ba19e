// dockerd's command line, seen as what daemon.json would say: dockerd does not start when a setting
// stands in both ("the following directives are specified both as a flag and in the configuration
// file"), and a setting that stands there needs no second place.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/json_edit.h"

namespace estiva::decide {

struct DockerdFlag {
  std::string key;    // as daemon.json calls it: "log-opts" for --log-opt
  std::string value;  // "true" for a switch that was given no value
  std::string words;  // as they stand there: "--log-opt max-file=3"
  friend bool operator==(const DockerdFlag&, const DockerdFlag&) = default;
};

// `arguments` are the words behind the program's name. One flag for each time that it is given, in
// their order.
std::vector<DockerdFlag> parse_dockerd_flags(std::span<const std::string> arguments);

// Those that stand in the file too. "runtimes" may stand in both. Errors: the file is no object.
Result<std::vector<DockerdFlag>> flag_conflicts(std::span<const DockerdFlag> flags,
                                                const format::JsonEdit& file);

}  // namespace estiva::decide
