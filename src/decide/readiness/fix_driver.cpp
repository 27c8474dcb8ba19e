// Fixes of the driver and of what keeps containers from it: D4, D20, K17, K31.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_fixes.h"
#include "decide/readiness/finders.h"
#include "decide/readiness/fix_parts.h"
#include "decide/readiness/look.h"

namespace estiva::decide {
namespace {

// After 50unattended-upgrades, which it adds to.
constexpr std::string_view kHoldFile = "/etc/apt/apt.conf.d/52estiva-nvidia";

// All of the driver belongs together: one package that stays behind holds up the others.
bool is_of_driver(std::string_view name) {
  if (name.find("container") != name.npos) return false;
  return name.find("nvidia") != name.npos || name.starts_with("libcuda1");
}

// Ubuntu's modules are built for one kernel each: kept back, the next kernel would come without.
bool has_module_package(const ReadinessFacts& facts) {
  return std::ranges::any_of(facts.driver.packages, [](const auto& one) {
    return one.first.starts_with("linux-modules-nvidia");
  });
}

// NVIDIA's own way (nvidia-ctk system create-dev-char-symlinks): when the driver comes up.
constexpr std::string_view kLinkRule = "/etc/udev/rules.d/71-estiva-dev-char.rules";

}  // namespace

// Only that packages are not held is mended. A mismatch that is there already wants a package or a
// reboot. dnf and pacman take kernel and module from one stream: to hold one is to lose the other.
Steps hold_driver(const Fixing& fix) {
  const Distribution kind = distribution_of(fix.facts.release);
  const bool has_apt = kind == Distribution::debian || kind == Distribution::ubuntu;
  if (fix.finding.severity != Severity::info || !has_apt || has_module_package(fix.facts))
    return {};
  std::string text = "// Written by estiva doctor --fix: the driver is upgraded by hand alone.\n";
  for (const auto& [name, version] : fix.facts.driver.packages)
    if (is_of_driver(name))
      text += fmt::format("Unattended-Upgrade::Package-Blacklist:: \"{}$\";\n", name);
  return {write_step(kHoldFile, std::move(text), std::string(msg::kFixHold))};
}

Steps share_gpus(const Fixing& fix) {
  if (!is_host(fix.facts)) return {};
  Steps steps;
  for (const Gpu& gpu : fix.facts.driver.gpus) {
    const GpuIdentity& who = gpu.identity;
    Step step = make_step(StepKind::set_compute_mode, who.id.uuid,
                          fmt::format(msg::kFixComputeMode, who.index, who.name),
                          std::string(msg::kFixComputeModeEffect), msg::kFixComputeModeUndo);
    step.content = "Default";
    steps.push_back(std::move(step));
  }
  return steps;
}

// systemd knows a device by its link in /dev/char; with the links, containers that run now keep the
// GPU at its next reload too. Without nvidia-ctk the next boot would come without them.
Steps link_nodes(const Fixing& fix) {
  const auto& programs = fix.facts.toolkit.programs;
  const auto tool = programs.find("nvidia-ctk");
  if (tool == programs.end()) return {};
  Steps steps;
  for (const DeviceNode& node : fix.facts.driver.files.nodes) {
    const auto right = right_numbers(fix.facts, node.path);
    if (!right) continue;
    const std::string path = fmt::format("/dev/char/{}:{}", right->major, right->minor);
    Step step = write_step(path, {}, std::string(msg::kFixCharLink));
    step.link_to = fmt::format("..{}", node.path.substr(node.path.find('/', 1)));
    step.effect = fmt::format(msg::kFixCharLinkEffect, path, node.path);
    step.mode.reset();
    steps.push_back(std::move(step));
  }
  if (steps.empty()) return {};
  steps.push_back(write_step(kLinkRule,
                             fmt::format("# Written by estiva doctor --fix.\nACTION==\"add\", "
                                         "DEVPATH==\"/bus/pci/drivers/nvidia\", RUN+=\"{} system "
                                         "create-dev-char-symlinks --create-all\"\n",
                                         tool->second.path),
                             std::string(msg::kFixAtBoot)));
  return steps;
}

Steps allow_devices(const Fixing& fix) {
  const std::string& name = fix.facts.kernel.device_boolean;
  if (name.empty()) return {};
  Step step =
      make_step(StepKind::set_boolean, name, std::string(msg::kFixBoolean),
                fmt::format(msg::kFixBooleanEffect, name), fmt::format(msg::kFixBooleanUndo, name));
  step.content = "on";
  return {step};
}

}  // namespace estiva::decide
