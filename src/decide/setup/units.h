// The files with which a machine's GPUs stay in its containers after a reboot: systemd units, a
// drop-in for NVIDIA's own unit, a udev rule and module options. Which of them a machine needs, and
// their texts. Nothing is handed out that would make a cycle in the order of the boot. Pure.
#pragma once
#include <span>
#include <string>
#include <vector>

#include "decide/setup/unit_graph.h"
#include "model/readiness.h"

namespace estiva::decide {

constexpr std::string_view kOwnKind = "estiva.dev/gpu";
constexpr std::string_view kVendorRefresh = "nvidia-cdi-refresh.service";

// What the set-up knows of the machine and was asked for.
struct UnitNeeds {
  std::string program = "/usr/bin/estiva";             // resolved
  std::string daemon = "/usr/libexec/estiva/estivad";  // the daemon's program
  std::string engine = "docker.service";               // the unit of the engine; empty: none
  std::string kind = std::string(kOwnKind);            // or the one that was taken over
  std::string spec = "/var/run/cdi/estiva.yaml";       // where its specification goes
  std::vector<std::string> watched;  // the driver's libraries: "/usr/lib/.../libcuda.so.1"
  // NVIDIA's nvidia-suspend.service and the like that are there and may be switched on.
  std::vector<std::string> suspend_units;
  bool wants_daemon = true;
};

struct SetupFile {
  std::string path, content;
  std::string reason;  // a sentence
  friend bool operator==(const SetupFile&, const SetupFile&) = default;
};

struct SetupUnits {
  std::vector<SetupFile> files;       // all with mode 0644
  std::vector<std::string> enable;    // units, in the order in which to enable them
  std::vector<std::string> left_out;  // sentences: what was not done, and why
  std::vector<UnitCycle> cycles;      // that the boot will have with all of it in place
};

// `present` are the machine's units with their drop-ins. Units of ours among them count as
// replaced.
SetupUnits plan_setup_units(const UnitNeeds& needs, std::span<const UnitFact> present);

// `present` as it will be with those files in place and those units enabled: for the graph.
std::vector<UnitFact> with_setup_units(std::span<const UnitFact> present, const SetupUnits& units);

}  // namespace estiva::decide
