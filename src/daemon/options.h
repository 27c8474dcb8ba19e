// The command line of estivad. Users start it by `estiva daemon` or systemd; both pass what they
// were given on.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "api/places.h"
#include "base/error.h"
#include "format/settings.h"

namespace estiva::daemon {

struct DaemonOptions {
  api::Places places;
  format::Settings settings;
  std::string settings_file;  // the one that was read; empty: defaults
  std::string nvml_file;
  std::string root = "/";
  std::string machine;
  std::string sensor_program;
  std::string kernel_log;  // a file in the form of /dev/kmsg instead of it
  bool simulated = false;  // --simulated: nvml_file is the simulator
  bool fresh_state = false;
  bool stop_models =
      false;             // at a clean end; else they run on, and the next daemon goes on with them
  std::string launcher;  // the socket of estiva-launch, which starts models' programs
  bool gateway_apart = false;  // it is a service of its own: not ours to start
  bool exec_gateway = false;   // become the gateway, with what the settings say
  std::string listen;          // "off": no TCP
  std::string crash_point;     // hidden, for tests: see store/crash_point.h
};

struct ParsedOptions {
  std::optional<DaemonOptions> options;  // absent: --help or --version was asked for
  std::string text;                      // what to print then
};

// Reads the configuration file too. Errors of kind usage name the flag, or file, line and column.
Result<ParsedOptions> parse_options(std::span<char*> arguments);

}  // namespace estiva::daemon
