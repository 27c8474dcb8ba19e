// What Docker's daemon.json has to say for a host with GPUs, and the smallest edit that makes it
// say so. Pure: the file's text, the engine's version and its command line go in; the new text,
// what changes in it and why, and what else a person should know come out. Applied twice it changes
// nothing.
//
//   - CDI is switched on where Docker can do it and does not by itself: 25.0 to 28.1. From 28.2
//     nothing is written, unless the file switches it off.
//   - The runtime nvidia is registered with its absolute path where its program is installed. It
//   never
//     becomes the default, and one that is registered keeps its arguments and a path of its own.
//   - Container logs are limited where json-file keeps them and nobody has chosen a limit.
//   - What stands on dockerd's command line is not written into the file as well: with both,
//   dockerd
//     does not start.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace estiva::decide {

struct DaemonJsonWish {
  bool cdi = true;
  std::string nvidia_runtime;  // absolute path of the installed program; empty: not installed
  bool log_rotation = true;
  bool unset_default_runtime = false;  // take "default-runtime": "nvidia" away
};

struct DaemonJsonInput {
  std::string file = "/etc/docker/daemon.json";  // its name, for sentences
  std::optional<std::string> text;               // nothing: there is no such file
  std::string engine_version;                    // "28.5.2"; empty: not known
  std::vector<std::string> arguments;            // of dockerd's process, its name first
  DaemonJsonWish wish;
};

// What has to happen before a change of the file takes effect.
enum class Takes : std::uint8_t { nothing, reload, restart };

struct DaemonJsonChange {
  std::string path;    // "features.cdi"
  std::string before;  // JSON text; empty: it was not there
  std::string after;   // JSON text; empty: it is taken away
  std::string reason;  // a sentence
  Takes takes = Takes::restart;
  friend bool operator==(const DaemonJsonChange&, const DaemonJsonChange&) = default;
};

// What is not changed, and should be known.
struct DaemonJsonNote {
  std::string rule;  // of doctor's catalogue: "P8"; empty: none
  std::string text;  // a sentence each
  std::string remedy;
  friend bool operator==(const DaemonJsonNote&, const DaemonJsonNote&) = default;
};

struct DaemonJsonPlan {
  std::string text;  // the new content; without a change the old one, byte for byte
  std::vector<DaemonJsonChange> changes;
  std::vector<DaemonJsonNote> notes;
  Takes takes() const;  // the most that any change needs
};

// Errors (refused, with line and column): the file is not JSON, a name stands twice, or a setting
// that has to be read is of a type that Docker does not take either.
Result<DaemonJsonPlan> plan_daemon_json(const DaemonJsonInput& input);

// What a change of the setting called `path` needs; `is_removed`: it is taken out of the file. Of
// moby's daemon/reload.go and reload_unix.go. A reload takes the feature map over, but the CDI
// driver is registered at start only; and it leaves the default runtime where the file names none.
Takes takes_effect(std::string_view path, bool is_removed);

std::string_view to_name(Takes takes);  // "nothing", "reload", "restart"

}  // namespace estiva::decide
