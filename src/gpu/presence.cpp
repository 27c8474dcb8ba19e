#include "gpu/presence.h"

#include <algorithm>
#include <cctype>
#include <climits>
#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/messages/gpu.h"
#include "gpu/small_file.h"

namespace estiva::gpu {
namespace {

constexpr std::size_t kMaxGpus = 64;
constexpr int kMaxPciDevices = 4096;

std::string device_path(const std::string& root, const std::string& bus_id, const char* file) {
  return root + "/sys/bus/pci/devices/" + bus_id + "/" + file;
}

std::string bound_driver(const std::string& root, const std::string& bus_id) {
  char target[PATH_MAX];
  const ssize_t n = readlink(device_path(root, bus_id, "driver").c_str(), target, sizeof target);
  if (n <= 0) return {};
  const std::string_view path(target, static_cast<std::size_t>(n));
  return std::string(path.substr(path.rfind('/') + 1));
}

// Display controllers are class 0x03; the sound and USB functions of the same card are not GPUs.
bool is_nvidia_gpu(const std::string& root, const std::string& bus_id) {
  return read_line(device_path(root, bus_id, "vendor")) == "0x10de" &&
         read_line(device_path(root, bus_id, "class")).starts_with("0x03");
}

std::vector<PciGpu> list_pci_gpus(const std::string& root) {
  std::vector<PciGpu> gpus;
  DIR* folder = opendir((root + "/sys/bus/pci/devices").c_str());
  if (folder == nullptr) return gpus;
  for (int seen = 0; seen < kMaxPciDevices && gpus.size() < kMaxGpus; ++seen) {
    const dirent* entry = readdir(folder);
    if (entry == nullptr) break;
    const std::string bus_id = entry->d_name;
    if (bus_id.starts_with('.') || !is_nvidia_gpu(root, bus_id)) continue;
    gpus.push_back(
        {bus_id, bound_driver(root, bus_id), may_sleep(root, bus_id), is_suspended(root, bus_id)});
  }
  closedir(folder);
  std::sort(gpus.begin(), gpus.end(),
            [](const PciGpu& a, const PciGpu& b) { return a.bus_id < b.bus_id; });
  return gpus;
}

bool looks_like_version(std::string_view text) {
  return text.find('.') != std::string_view::npos &&
         std::all_of(text.begin(), text.end(), [](char c) { return c == '.' || std::isdigit(c); });
}

// "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue Apr ..."
std::string version_in_proc(const std::string& root) {
  const std::string line = read_line(root + "/proc/driver/nvidia/version");
  std::size_t at = 0;
  while (at < line.size()) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    const std::string_view word = std::string_view(line).substr(at, end - at);
    if (looks_like_version(word)) return std::string(word);
    at = end + 1;
  }
  return {};
}

DriverStatus status(DriverState state, std::string reason, std::string_view remedy) {
  DriverStatus out;
  out.state = state;
  out.reason = std::move(reason);
  out.remedy = std::string(remedy);
  return out;
}

}  // namespace

bool is_suspended(const std::string& root, const std::string& bus_id) {
  return read_line(device_path(root, bus_id, "power/runtime_status")) == "suspended";
}

bool is_on_pci(const std::string& root, const std::string& bus_id) {
  return !bus_id.empty() && access((root + "/sys/bus/pci/devices/" + bus_id).c_str(), F_OK) == 0;
}

bool may_sleep(const std::string& root, const std::string& bus_id) {
  return read_line(device_path(root, bus_id, "power/control")) == "auto";
}

Presence look_for_gpus(const std::string& root) {
  Presence presence;
  presence.gpus = list_pci_gpus(root);
  const std::string in_sys = read_line(root + "/sys/module/nvidia/version");
  const std::string version = in_sys.empty() ? version_in_proc(root) : in_sys;
  presence.module_loaded = !version.empty();
  if (looks_like_version(version)) presence.module_version = version;
  return presence;
}

std::optional<DriverStatus> reason_to_stay_out(const Presence& presence) {
  if (presence.module_loaded) return std::nullopt;  // also GPUs that are not on PCI (Jetson)
  if (presence.gpus.empty()) {
    return status(DriverState::absent, std::string(msg::kGpuAbsent), msg::kGpuAbsentRemedy);
  }
  const PciGpu& first = presence.gpus.front();
  std::string reason =
      first.bound_driver.empty() || first.bound_driver == "nvidia"
          ? fmt::format(fmt::runtime(msg::kGpuNoDriver), first.bus_id)
          : fmt::format(fmt::runtime(msg::kGpuOtherDriver), first.bus_id, first.bound_driver);
  return status(DriverState::no_driver, std::move(reason), msg::kGpuNoDriverRemedy);
}

std::string_view version_in_name(std::string_view library_path) {
  constexpr std::string_view kMark = "libnvidia-ml.so.";
  const std::size_t at = library_path.rfind(kMark);
  if (at == std::string_view::npos) return {};
  const std::string_view version = library_path.substr(at + kMark.size());
  return looks_like_version(version) ? version : std::string_view();
}

std::optional<DriverStatus> predict_mismatch(const Presence& presence,
                                             std::string_view library_path) {
  const std::string_view version = version_in_name(library_path);
  const bool is_known = !version.empty() && !presence.module_version.empty();
  if (!is_known || version == presence.module_version) return std::nullopt;
  DriverStatus out = status(
      DriverState::mismatch,
      fmt::format(msg::kGpuMismatchPredicted, presence.module_version, library_path, version),
      msg::kGpuMismatchRemedy);
  out.version = presence.module_version;
  return out;
}

bool all_asleep(const Presence& presence) {
  return !presence.gpus.empty() && std::all_of(presence.gpus.begin(), presence.gpus.end(),
                                               [](const PciGpu& gpu) { return gpu.is_suspended; });
}

bool library_is_chosen(const std::string& nvml_file, const char* ld_library_path) {
  if (!nvml_file.empty()) return true;
  std::string_view rest = ld_library_path == nullptr ? "" : ld_library_path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find_first_of(":;"), rest.size());
    const std::string folder(rest.substr(0, end));
    if (!folder.empty() && access((folder + "/libnvidia-ml.so.1").c_str(), R_OK) == 0) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

std::string to_sysfs_bus_id(std::string_view nvml_bus_id) {
  std::string id(nvml_bus_id);
  for (char& c : id) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  std::size_t colon = id.find(':');
  while (colon != std::string::npos && colon > 4 && id.front() == '0') {
    id.erase(0, 1);
    --colon;
  }
  return id;
}

}  // namespace estiva::gpu
