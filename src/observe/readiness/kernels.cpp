#include "observe/readiness/kernels.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

#include "format/text.h"
#include "observe/readiness/module_file.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kLongestDep = 16 << 20;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view take_run(std::string_view& text, bool digits) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end]) == digits) ++end;
  const std::string_view run = text.substr(0, end);
  text.remove_prefix(end);
  return run;
}

std::string_view without_zeros(std::string_view digits) {
  while (digits.size() > 1 && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

// The module that a path of modules.dep is: "nvidia-uvm" of "updates/dkms/nvidia-uvm.ko.xz".
std::string_view module_of(std::string_view path) {
  path.remove_prefix(path.rfind('/') + 1);
  return path.substr(0, path.find(".ko"));
}

// Debian builds nvidia-current.ko, nvidia-tesla-535.ko and the like. The kernel itself has modules
// of such names that are not the driver's: nvidiafb, nvidia-wmi-ec-backlight, nvidia_cspmu.
bool is_main_module(std::string_view name) {
  constexpr std::array<std::string_view, 4> kFlavours = {"nvidia-current", "nvidia-tesla",
                                                         "nvidia-legacy", "nvidia-open"};
  constexpr std::array<std::string_view, 4> kOthers = {"-uvm", "-drm", "-modeset", "-peermem"};
  if (name == "nvidia") return true;
  const auto starts = [&](std::string_view flavour) { return name.starts_with(flavour); };
  const auto ends = [&](std::string_view other) { return name.ends_with(other); };
  return std::any_of(kFlavours.begin(), kFlavours.end(), starts) &&
         std::none_of(kOthers.begin(), kOthers.end(), ends);
}

bool is_uvm_module(std::string_view name) {
  if (name == "nvidia-uvm" || name == "nvidia_uvm") return true;
  return name.ends_with("-uvm") && is_main_module(name.substr(0, name.size() - 4));
}

// Of a compressed module: DKMS keeps a folder a version with one a kernel in it.
Reading<std::string> dkms_version(const Tree& tree, const std::string& release) {
  for (const std::string& module : tree.names("/var/lib/dkms")) {
    if (!is_main_module(module)) continue;
    const std::string folder = "/var/lib/dkms/" + module;
    Reading<std::string> newest = Missing::not_supported;
    for (const std::string& version : tree.names(folder)) {
      if (!is_digit(version.front()) ||
          !tree.exists(fmt::format("{}/{}/{}", folder, version, release))) {
        continue;
      }
      if (!newest || is_older_release(*newest, version)) newest = version;
    }
    if (newest) return newest;
  }
  return Missing::not_supported;
}

KernelFact read_kernel(const Tree& tree, const std::string& folder, const std::string& release) {
  KernelFact kernel;
  kernel.release = release;
  const auto dep = tree.text(folder + "/" + release + "/modules.dep", kLongestDep);
  if (!dep) {
    kernel.nvidia_version = dep.why();
    kernel.is_signed = dep.why();
    return kernel;
  }
  kernel.nvidia_version = Missing::not_supported;
  kernel.is_signed = Missing::not_supported;
  std::string_view rest = *dep;
  for (std::string_view line; format::next_line(rest, line);) {
    const std::string_view path = line.substr(0, line.find(':'));
    const std::string_view name = module_of(path);
    if (!name.starts_with("nvidia")) continue;
    kernel.has_nvidia_uvm = kernel.has_nvidia_uvm || is_uvm_module(name);
    if (!is_main_module(name) || kernel.has_nvidia) continue;
    kernel.has_nvidia = true;
    const bool is_absolute = path.starts_with('/');
    const auto file = read_module_file(
        tree, is_absolute ? std::string(path) : fmt::format("{}/{}/{}", folder, release, path));
    kernel.nvidia_version = file.version;
    kernel.is_signed = file.is_signed;
  }
  if (kernel.has_nvidia && !kernel.nvidia_version) {
    kernel.nvidia_version = dkms_version(tree, release);
  }
  return kernel;
}

// Not to be told where no image of any kernel is seen: /boot is not mounted, or not to be read, or
// has unified images.
void find_images(const Tree& tree, const std::string& folder, std::vector<KernelFact>& kernels) {
  bool has_any = false;
  for (KernelFact& kernel : kernels) {
    const bool is_there = tree.exists("/boot/vmlinuz-" + kernel.release) ||
                          tree.exists(folder + "/" + kernel.release + "/vmlinuz");
    kernel.is_bootable = is_there;
    has_any = has_any || is_there;
  }
  for (KernelFact& kernel : kernels) {
    if (!has_any) kernel.is_bootable = Missing::not_supported;
  }
}

std::vector<std::string> releases_in(const Tree& tree, const std::string& folder,
                                     const std::string& running) {
  std::vector<std::string> releases = tree.names(folder);
  // A folder that only DKMS left behind has no modules.dep: no kernel can be started from it.
  std::erase_if(releases, [&](const std::string& release) {
    const bool is_kernel = tree.exists(folder + "/" + release + "/modules.dep") ||
                           tree.exists(folder + "/" + release + "/modules.builtin");
    return !is_kernel && release != running;
  });
  if (!running.empty() && std::find(releases.begin(), releases.end(), running) == releases.end()) {
    releases.push_back(running);
  }
  std::sort(releases.begin(), releases.end(), is_older_release);
  if (releases.size() <= kMostKernels) return releases;
  const auto first = releases.end() - kMostKernels;
  const bool keeps = running.empty() || std::find(first, releases.end(), running) != releases.end();
  releases.erase(releases.begin(), first);
  if (!keeps) releases.front() = running;
  return releases;
}

}  // namespace

bool is_older_release(std::string_view left, std::string_view right) {
  while (!left.empty() && !right.empty()) {
    if (const auto a = take_run(left, false), b = take_run(right, false); a != b) return a < b;
    const auto a = without_zeros(take_run(left, true)), b = without_zeros(take_run(right, true));
    if (a.size() != b.size()) return a.size() < b.size();
    if (a != b) return a < b;
  }
  return left.empty() && !right.empty();
}

std::vector<KernelFact> read_kernels(const Tree& tree) {
  const std::string folder = tree.exists("/lib/modules") ? "/lib/modules" : "/usr/lib/modules";
  const std::string running = tree.line("/proc/sys/kernel/osrelease");
  std::vector<KernelFact> kernels;
  for (const std::string& release : releases_in(tree, folder, running)) {
    kernels.push_back(read_kernel(tree, folder, release));
    kernels.back().is_running = release == running;
  }
  find_images(tree, folder, kernels);
  return kernels;
}

}  // namespace estiva::observe
