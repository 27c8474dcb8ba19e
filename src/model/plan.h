// What is to be changed on the machine, as plain data: shown before it is done, bound by a hash,
// journalled and undone step by step. Nothing changes the machine in any other way.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace estiva {

enum class StepKind : std::uint8_t {
  write_file,   // target: a path; `content` whole, or `link_to` for a symbolic link
  remove_file,  // target: a path; what was there is kept for the undo
  enable_unit,  // target: a systemd unit
  disable_unit,
  start_unit,
  stop_unit,
  restart_unit,  // stops what runs in it: Risk::interrupts
  reload_units,  // systemctl daemon-reload; target is empty
  load_module,   // target: a kernel module
  unload_module,
  set_sysctl,        // target: "vm.overcommit_memory"; `content`: the value
  make_node,         // target: a device node; `content`: "c MAJOR MINOR"
  set_mode,          // target: a path; `mode`
  run_generator,     // target: a CDI spec's path; made from the machine as it is when the step runs
  set_compute_mode,  // target: a GPU's UUID; `content`: "Default" and so on, as nvidia-smi says it
  set_boolean,       // target: a boolean of SELinux's policy; `content`: "on" or "off"
  reload_unit,       // target: a systemd unit that reads its settings again; nothing stops
};

enum class Risk : std::uint8_t {
  none,        // nobody notices
  interrupts,  // `stops` says what
  reboot,      // takes effect only after one
};

struct Step {
  StepKind kind = StepKind::write_file;
  std::string target;
  std::string reason;  // a sentence each
  std::string effect;
  std::string undo;
  Risk risk = Risk::none;
  std::vector<std::string> stops;  // containers or services that stop for a while
  std::string diff;                // unified, for files
  // What must still be so when the step runs, else nothing is done (exit 5). As it was when the
  // plan was made: the SHA-256 of a file's bytes (links followed, but where the step writes or
  // removes a link itself: "link:TARGET" then), "absent", a device "c 195 0"; what
  // `systemctl is-enabled` says, "active" or "inactive"; "loaded" or "absent" of a module; the
  // value of a setting, a compute mode or a boolean; the mode "0644" for set_mode. Empty where it
  // does not matter.
  std::string expects;
  std::string content;  // any bytes
  std::string link_to;
  // Of a new file (else 0644) or a device node (else 0600); an existing file keeps its own.
  std::optional<mode_t> mode;
  friend bool operator==(const Step&, const Step&) = default;
};

struct Plan {
  std::string id;    // "setup", "doctor-fix": what made it
  std::string hash;  // 64 hexadecimal digits over the steps: what was shown is what is done
  std::vector<Step> steps;
  friend bool operator==(const Plan&, const Plan&) = default;
};

std::string_view to_name(StepKind kind);
std::string_view to_name(Risk risk);

}  // namespace estiva
