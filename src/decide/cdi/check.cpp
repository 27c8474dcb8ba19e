#include "decide/cdi/check.h"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <optional>

#include "base/messages/decide_cdi.h"
#include "decide/cdi/gpu_names.h"
#include "format/cdi_rules.h"
#include "format/path.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kUvm = "/dev/nvidia-uvm";
constexpr std::string_view kControl = "/dev/nvidiactl";
constexpr std::string_view kModeset = "/dev/nvidia-modeset";
constexpr std::string_view kWsl = "/dev/dxg";

using format::name_of;

bool is_socket_path(std::string_view path) {
  return name_of(path) == "socket" || path.ends_with(".sock") || path.ends_with("/nvidia-mps");
}

bool is_gpu_node(const CdiNode& node) {
  return node.path == kWsl || gpu_minor_of(node.path).has_value();
}

// "550.163.01" of ".../libcuda.so.550.163.01" or ".../firmware/nvidia/550.163.01/gsp_ga10x.bin".
// Other libraries' versions ("libnvidia-egl-gbm.so.1.1.0") begin with fewer digits.
std::string_view driver_version_in(std::string_view path) {
  std::string_view version;
  if (const std::size_t so = name_of(path).rfind(".so."); so != std::string_view::npos) {
    version = name_of(path).substr(so + 4);
  } else if (const std::size_t at = path.find("/firmware/nvidia/"); at != std::string_view::npos) {
    version = path.substr(at + std::string_view("/firmware/nvidia/").size());
    version = version.substr(0, version.find('/'));
  }
  const std::size_t dot = version.find('.');
  const bool is_tame = version.find_first_not_of("0123456789.") == std::string_view::npos;
  return dot != std::string_view::npos && dot >= 3 && is_tame ? version : std::string_view();
}

class Checker {
 public:
  Checker(const CdiSpec& spec, const CdiHost& host) : spec_(spec), host_(host) {}
  std::vector<CdiProblem> run();

 private:
  void add(std::string_view id, std::string place, std::string path, std::string text,
           Severity severity = Severity::error) {
    found_.push_back(
        {std::string(id), severity, device_, std::move(place), std::move(path), std::move(text)});
  }
  const HostPath* look_up(const std::string& path) const {
    const auto found = host_.paths.find(path);
    return found == host_.paths.end() ? nullptr : &found->second;
  }
  void check_version();
  void check_edits(const std::string& place, const CdiEdits& edits);
  void check_node(const std::string& place, const CdiNode& node);
  void check_numbers(const std::string& place, const CdiNode& node, const HostPath& host);
  void check_mount(const std::string& place, const CdiMount& mount);
  void check_hook(const std::string& place, const CdiHook& hook);
  void check_name(const std::string& place, const CdiDevice& device);
  void check_complete();
  void check_graphics();
  void require(std::string text, const std::function<bool(const CdiEdits&)>& has);

  const CdiSpec& spec_;
  const CdiHost& host_;
  std::string device_;  // whose edits are looked at; empty: all devices'
  std::vector<CdiProblem> found_;
};

void Checker::check_version() {
  if (!format::is_newer_version(spec_.version, host_.newest_version)) return;
  add("C4", "cdiVersion", "", fmt::format(msg::kCdiTooNew, spec_.version, host_.newest_version));
}

void Checker::check_node(const std::string& place, const CdiNode& node) {
  const std::string& path = format::host_path_of(node);
  const HostPath* host = look_up(path);
  if (host == nullptr) return;
  if (!host->exists) {
    if (path == kUvm) return add("D11", place, path, fmt::format(msg::kCdiUvmMissing, path));
    return add("C12", place, path, fmt::format(msg::kCdiNodeMissing, path));
  }
  if (node.type == "p") return;  // a pipe has no numbers
  check_numbers(place, node, *host);
}

void Checker::check_numbers(const std::string& place, const CdiNode& node, const HostPath& host) {
  const std::string& path = format::host_path_of(node);
  if (!host.is_device) return add("D13", place, path, fmt::format(msg::kCdiNoDevice, path));
  if (host.major == 0) {
    return add("D13", place, path, fmt::format(msg::kCdiMajorZero, path, host.major, host.minor));
  }
  // A major of 0 is none: the engine looks at the host then.
  const std::int64_t major = node.major.value_or(0), minor = node.minor.value_or(0);
  if (major == 0 || (major == host.major && minor == host.minor)) return;
  add("C9", place, path, fmt::format(msg::kCdiFrozen, path, major, minor, host.major, host.minor));
}

void Checker::check_mount(const std::string& place, const CdiMount& mount) {
  const HostPath* host = format::has_source(mount) ? look_up(mount.host_path) : nullptr;
  if (host == nullptr) return;
  const std::string& path = mount.host_path;
  if (is_socket_path(path)) {
    const bool is_gone = !host->exists || (name_of(path) == "socket" && !host->is_socket);
    if (is_gone) add("C13", place, path, fmt::format(msg::kCdiSocketGone, path));
    return;
  }
  const std::string_view version = driver_version_in(path);
  const std::string& module = host_.driver.module_version;
  const bool differs = !version.empty() && !module.empty() && version != module;
  if (!host->exists) {
    add("C8", place, path,
        differs ? fmt::format(msg::kCdiMountMissingVersion, path, version, module)
                : fmt::format(msg::kCdiMountMissing, path));
  } else if (differs) {
    add("C8", place, path, fmt::format(msg::kCdiMountVersion, path, version, module));
  }
}

void Checker::check_hook(const std::string& place, const CdiHook& hook) {
  if (std::find(hook.args.begin(), hook.args.end(), "chmod") != hook.args.end()) {
    add("C15", place, hook.path, msg::kCdiChmodHook, Severity::warning);
  }
  const HostPath* host = look_up(hook.path);
  if (host == nullptr) return;
  if (!host->exists) {
    add("C10", place, hook.path, fmt::format(msg::kCdiHookMissing, hook.path));
  } else if (!host->is_executable) {
    add("C10", place, hook.path, fmt::format(msg::kCdiHookNotRun, hook.path));
  }
}

void Checker::check_edits(const std::string& place, const CdiEdits& edits) {
  for (std::size_t i = 0; i < edits.nodes.size(); ++i) {
    check_node(fmt::format("{}.deviceNodes[{}]", place, i), edits.nodes[i]);
  }
  for (std::size_t i = 0; i < edits.mounts.size(); ++i) {
    check_mount(fmt::format("{}.mounts[{}]", place, i), edits.mounts[i]);
  }
  for (std::size_t i = 0; i < edits.hooks.size(); ++i) {
    check_hook(fmt::format("{}.hooks[{}]", place, i), edits.hooks[i]);
  }
}

void Checker::check_name(const std::string& place, const CdiDevice& device) {
  if (!spec_.kind.ends_with("/gpu")) return;
  const GpuNameVerdict verdict = judge_gpu_name(device.name, host_.driver.gpus);
  if (!verdict.fault.empty()) return add("C7", place + ".name", "", verdict.fault);
  if (verdict.gpu == nullptr) return;
  // The device's own GPU nodes must have the GPU's among them.
  const std::string expected = fmt::format("/dev/nvidia{}", verdict.gpu->minor);
  std::string other;
  for (const CdiNode& node : device.edits.nodes) {
    const std::string& path = format::host_path_of(node);
    if (path == expected) return;
    if (gpu_minor_of(path) && other.empty()) other = path;
  }
  if (other.empty()) return;
  add("C12", place + ".containerEdits.deviceNodes", other,
      fmt::format(msg::kCdiOtherGpu, device.name, expected, other));
}

// Every compute device must have it, alone or with the common edits. One sentence where all lack
// it.
void Checker::require(std::string text, const std::function<bool(const CdiEdits&)>& has) {
  std::vector<std::size_t> lacking;
  std::size_t compute = 0;
  const auto is_compute = [](const CdiEdits& edits) {
    return std::any_of(edits.nodes.begin(), edits.nodes.end(), is_gpu_node);
  };
  for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
    const CdiEdits& edits = spec_.devices[i].edits;
    if (!is_compute(edits) && !is_compute(spec_.edits)) continue;
    ++compute;
    if (!has(edits) && !has(spec_.edits)) lacking.push_back(i);
  }
  if (lacking.empty()) return;
  device_.clear();
  if (lacking.size() == compute) return add("C11", "containerEdits", "", std::move(text));
  for (const std::size_t i : lacking) {
    device_ = spec_.devices[i].name;
    add("C11", fmt::format("devices[{}].containerEdits", i), "",
        fmt::format(msg::kCdiDeviceLacks, device_, text));
  }
  device_.clear();
}

bool has_node(const CdiEdits& edits, std::string_view path) {
  return std::any_of(edits.nodes.begin(), edits.nodes.end(),
                     [&](const CdiNode& node) { return node.path == path; });
}

bool has_library(const CdiEdits& edits, std::string_view start) {
  return std::any_of(edits.mounts.begin(), edits.mounts.end(), [&](const CdiMount& mount) {
    return name_of(mount.container_path).starts_with(start);
  });
}

void Checker::check_complete() {
  require(msg::kCdiNoLibcuda,
          [](const CdiEdits& edits) { return has_library(edits, "libcuda.so"); });
  // Windows' driver has one node for all.
  for (const std::string_view node : {kControl, kUvm}) {
    require(fmt::format(msg::kCdiLacksNode, node),
            [&](const CdiEdits& edits) { return has_node(edits, node) || has_node(edits, kWsl); });
  }
}

bool any_edits(const CdiSpec& spec, const std::function<bool(const CdiEdits&)>& has) {
  return has(spec.edits) || std::any_of(spec.devices.begin(), spec.devices.end(),
                                        [&](const CdiDevice& device) { return has(device.edits); });
}

void Checker::check_graphics() {
  const bool is_on_host = std::any_of(host_.driver.nodes.begin(), host_.driver.nodes.end(),
                                      [](const DeviceNode& node) { return node.path == kModeset; });
  const auto has_graphics = [](const CdiEdits& edits) {
    return has_library(edits, "libEGL_nvidia.so") || has_library(edits, "libGLX_nvidia.so");
  };
  if (!is_on_host || !any_edits(spec_, has_graphics)) return;
  if (any_edits(spec_, [](const CdiEdits& edits) { return has_node(edits, kModeset); })) return;
  add("D12", "containerEdits", std::string(kModeset), fmt::format(msg::kCdiNoModeset, kModeset),
      Severity::warning);
}

std::vector<CdiProblem> Checker::run() {
  check_version();
  check_complete();
  check_graphics();
  for (std::size_t i = 0; i < spec_.devices.size(); ++i) {
    const CdiDevice& device = spec_.devices[i];
    const std::string place = fmt::format("devices[{}]", i);
    device_ = device.name;
    check_name(place, device);
    check_edits(place + ".containerEdits", device.edits);
  }
  device_.clear();
  check_edits("containerEdits", spec_.edits);
  return std::move(found_);
}

}  // namespace

std::vector<CdiProblem> check_cdi(const CdiSpec& spec, const CdiHost& host) {
  return Checker(spec, host).run();
}

}  // namespace estiva::decide
