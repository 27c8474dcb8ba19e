#include "decide/readiness/display.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/messages/decide_display.h"

namespace estiva::decide {
namespace {

constexpr unsigned kNvidia = 0x10de;
constexpr std::size_t kUsersNamed = 5;  // a browser alone has a dozen processes

// PCI class 03: VGA, 3D and other display controllers.
bool is_display(const PciFact& pci) {
  return pci.pci_class >> 16 == 0x03;
}

// "0000:01:00.0" of NVML's "00000000:01:00.0".
bool is_same_bus(std::string_view sysfs, std::string_view nvml) {
  return nvml.size() > sysfs.size() && nvml.ends_with(sysfs);
}

const Gpu* gpu_at(const ReadinessFacts& facts, std::string_view bus_id) {
  for (const Gpu& gpu : facts.driver.gpus)
    if (is_same_bus(bus_id, gpu.identity.pci_bus_id) || gpu.identity.pci_bus_id == bus_id)
      return &gpu;
  return nullptr;
}

std::string name_of(const ReadinessFacts& facts, const PciFact& pci) {
  const Gpu* gpu = gpu_at(facts, pci.bus_id);
  if (gpu != nullptr && !gpu->identity.name.empty()) return gpu->identity.name;
  const std::string_view maker = pci.vendor == kNvidia  ? "NVIDIA"
                                 : pci.vendor == 0x8086 ? "Intel"
                                 : pci.vendor == 0x1002 ? "AMD"
                                                        : "other";
  return fmt::format(msg::kOtherGpu, maker, pci.vendor, pci.device);
}

GpuPower power_of(const PciFact& pci) {
  if (pci.power_state == "suspended") return GpuPower::asleep;
  if (pci.power_control == "on") return GpuPower::always_on;
  return pci.power_state == "active" ? GpuPower::awake : GpuPower::unknown;
}

// The nodes that hold this GPU open: its own, and those of its DRM card.
std::vector<std::string> nodes_of(const ReadinessFacts& facts, const std::string& bus_id) {
  for (const DriverGpu& gpu : facts.driver.files.gpus) {
    if (gpu.bus_id != bus_id) continue;
    std::vector<std::string> nodes = gpu.drm;
    nodes.push_back(fmt::format("/dev/nvidia{}", gpu.minor));
    return nodes;
  }
  return {};
}

bool has_open(const DeviceUser& user, const std::vector<std::string>& nodes) {
  return std::any_of(nodes.begin(), nodes.end(), [&](const std::string& node) {
    return std::find(user.devices.begin(), user.devices.end(), node) != user.devices.end();
  });
}

std::vector<std::string> why_awake(const ReadinessFacts& facts, const PciFact& pci) {
  std::vector<std::string> why;
  if (!pci.connectors.empty())
    why.push_back(fmt::format(msg::kAwakeScreen, fmt::join(pci.connectors, ", ")));
  if (pci.power_control == "on") why.emplace_back(msg::kAwakePowerOn);
  const auto nodes = nodes_of(facts, pci.bus_id);
  std::size_t users = 0;
  for (const DeviceUser& user : facts.driver.users.users) {
    if (!has_open(user, nodes)) continue;
    if (++users <= kUsersNamed) why.push_back(fmt::format(msg::kAwakeUser, user.name, user.pid));
  }
  if (users > kUsersNamed) why.push_back(fmt::format(msg::kAwakeUsers, users - kUsersNamed));
  if (facts.driver.users.hidden > 0)
    why.push_back(fmt::format(msg::kAwakeHidden, facts.driver.users.hidden));
  return why;
}

// Where no screen of any GPU is known, the one that the firmware drew on.
bool draws(const ReadinessFacts& facts, const PciFact& pci) {
  const bool any_screen = std::any_of(facts.kernel.pci.begin(), facts.kernel.pci.end(),
                                      [](const PciFact& one) { return !one.connectors.empty(); });
  return any_screen ? !pci.connectors.empty() : pci.boot_vga.value_or(false);
}

std::vector<VramHolder> desktop_holders(const ReadinessFacts& facts) {
  std::vector<VramHolder> holders;
  for (const Gpu& gpu : facts.driver.gpus) {
    if (!gpu.sample.processes) continue;
    for (const GpuProcess& process : *gpu.sample.processes) {
      if (process.graphics && !process.compute)
        holders.push_back({process.pid, process.name, gpu.identity.id.key(), process.used});
    }
  }
  std::stable_sort(holders.begin(), holders.end(), [](const VramHolder& a, const VramHolder& b) {
    return b.bytes.value_or({}) < a.bytes.value_or({});
  });
  return holders;
}

Bytes held_by(const std::vector<VramHolder>& holders) {
  Bytes sum;
  for (const VramHolder& holder : holders) sum += holder.bytes.value_or({});
  return sum;
}

void advise_on_desktop(DisplayReport& report) {
  if (!report.is_hybrid) return;
  const Bytes held = held_by(report.holders);
  const bool nvidia_draws =
      std::any_of(report.gpus.begin(), report.gpus.end(),
                  [](const DisplayGpu& gpu) { return gpu.is_nvidia && gpu.draws; });
  if (nvidia_draws) {
    report.advice.push_back(fmt::format(msg::kDesktopOnNvidia, to_text(held)));
  } else if (held > Bytes{}) {
    std::vector<std::string> names;
    for (const VramHolder& holder : report.holders)
      if (std::find(names.begin(), names.end(), holder.name) == names.end())
        names.push_back(holder.name);
    report.advice.push_back(fmt::format(msg::kDesktopHolds, to_text(held), fmt::join(names, ", ")));
  }
}

bool is_prime_variable(std::string_view name) {
  return name.starts_with("__NV_PRIME_RENDER_OFFLOAD") || name == "__GLX_VENDOR_LIBRARY_NAME" ||
         name == "DRI_PRIME";
}

void advise_on_containers(const ReadinessFacts& facts, DisplayReport& report) {
  for (const ContainerFact& container : facts.containers) {
    for (const std::string& variable : container.environment) {
      const std::string name = variable.substr(0, variable.find('='));
      if (is_prime_variable(name))
        report.advice.push_back(fmt::format(msg::kPrimeInContainer, container.name, name));
    }
  }
}

}  // namespace

DisplayReport look_at_displays(const ReadinessFacts& facts) {
  DisplayReport report;
  bool has_nvidia = false, has_other = false;
  for (const PciFact& pci : facts.kernel.pci) {
    if (!is_display(pci)) continue;
    DisplayGpu gpu;
    gpu.bus_id = pci.bus_id;
    gpu.name = name_of(facts, pci);
    gpu.is_nvidia = pci.vendor == kNvidia;
    gpu.draws = draws(facts, pci);
    gpu.computes = gpu.is_nvidia && pci.driver == "nvidia";
    gpu.screens = pci.connectors;
    gpu.power = power_of(pci);
    if (gpu.is_nvidia && gpu.power != GpuPower::asleep) gpu.awake_because = why_awake(facts, pci);
    (gpu.is_nvidia ? has_nvidia : has_other) = true;
    report.gpus.push_back(std::move(gpu));
  }
  std::sort(report.gpus.begin(), report.gpus.end(),
            [](const DisplayGpu& a, const DisplayGpu& b) { return a.bus_id < b.bus_id; });
  report.is_hybrid = has_nvidia && has_other;
  report.holders = desktop_holders(facts);
  advise_on_desktop(report);
  const bool stays_awake =
      std::any_of(report.gpus.begin(), report.gpus.end(), [](const DisplayGpu& gpu) {
        return gpu.is_nvidia && !gpu.draws && gpu.power == GpuPower::always_on;
      });
  if (report.is_hybrid && stays_awake) report.advice.emplace_back(msg::kPowerRule);
  advise_on_containers(facts, report);
  return report;
}

std::string_view to_name(GpuPower power) {
  switch (power) {
    case GpuPower::unknown:
      return "unknown";
    case GpuPower::asleep:
      return "asleep";
    case GpuPower::awake:
      return "awake";
    case GpuPower::always_on:
      return "always_on";
  }
  return "unknown";
}

}  // namespace estiva::decide
