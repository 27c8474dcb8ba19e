#include "host/driver_files.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <sys/sysmacros.h>

#include "format/nvidia_proc.h"
#include "format/text.h"
#include "host/folder.h"

namespace estiva::host {
namespace {

constexpr std::size_t kSmallFile = 64 << 10;
constexpr std::size_t kMaxNodes = 4096;  // 64 GPUs with all their MIG instances have some 2,000

constexpr std::array<const char*, 7> kBinaryFolders = {
    "/usr/bin",        "/bin", "/usr/local/bin", "/usr/sbin", "/sbin", "/run/current-system/sw/bin",
    "/usr/lib/wsl/lib"};
constexpr std::array<const char*, 8> kBinaries = {"nvidia-smi",
                                                  "nvidia-debugdump",
                                                  "nvidia-persistenced",
                                                  "nvidia-cuda-mps-control",
                                                  "nvidia-cuda-mps-server",
                                                  "nvidia-imex",
                                                  "nvidia-imex-ctl",
                                                  "nvidia-xconfig"};

// Where shared data lies, first the place that wins.
constexpr std::array<const char*, 4> kShares = {"/etc", "/usr/local/share", "/usr/share",
                                                "/run/opengl-driver/share"};
// Folders of a share whose files with "nvidia" in the name are the driver's.
constexpr std::array<const char*, 9> kConfigFolders = {
    "OpenCL/vendors",  "egl/egl_external_platform.d", "glvnd/egl_vendor.d",
    "vulkan/icd.d",    "vulkan/implicit_layer.d",     "vulkansc/icd.d",
    "X11/xorg.conf.d", "vulkan/explicit_layer.d",     "nvidia"};

constexpr std::array<const char*, 3> kSockets = {
    "/run/nvidia-fabricmanager/socket", "/run/nvidia-persistenced/socket", "/tmp/nvidia-mps"};

std::string read_word(const Root& root, const std::string& path) {
  const auto text = read_file(root, path, kSmallFile);
  return text ? std::string(format::trim(*text)) : std::string();
}

void add_node(const Root& root, const std::string& path, std::vector<DeviceNode>& nodes) {
  const auto info = stat_at(root, path);
  if (!info || nodes.size() >= kMaxNodes) return;
  const bool is_stand_in = S_ISREG(info->st_mode) && !root.is_real();
  if (!S_ISCHR(info->st_mode) && !is_stand_in) return;
  DeviceNode node{path, 0, 0, info->st_mode & 07777, info->st_uid, info->st_gid};
  if (!is_stand_in) {
    node.major = major(info->st_rdev);
    node.minor = minor(info->st_rdev);
  }
  nodes.push_back(std::move(node));
}

// The folder "nvidia" of a share also holds what programs of the host alone need.
bool is_config(std::string_view folder, std::string_view name) {
  if (folder == "nvidia") {
    return name == "nvoptix.bin" || name.starts_with("nvidia-application-profiles-");
  }
  return name.find("nvidia") != name.npos;
}

}  // namespace

std::string read_module_version(const Root& root) {
  std::string version = read_word(root, "/sys/module/nvidia/version");
  if (format::is_driver_version(version)) return version;
  const auto text = read_file(root, "/proc/driver/nvidia/version", kSmallFile);
  return text ? format::parse_module_version(*text).version : std::string();
}

std::vector<DeviceNode> find_driver_nodes(const Root& root, const std::vector<DriverGpu>& gpus) {
  std::vector<DeviceNode> nodes;
  const auto is_ours = [](std::string_view name) { return name.starts_with("nvidia"); };
  for (const char* folder : {"/dev", "/dev/nvidia-caps"}) {
    for (const auto& entry : list_folder(root, folder, is_ours)) {
      if (!entry.is_folder) add_node(root, std::string(folder) + "/" + entry.name, nodes);
    }
  }
  add_node(root, "/dev/dxg", nodes);
  for (const DriverGpu& gpu : gpus) {
    for (const std::string& path : gpu.drm) add_node(root, path, nodes);
  }
  std::sort(nodes.begin(), nodes.end(),
            [](const DeviceNode& a, const DeviceNode& b) { return a.path < b.path; });
  return nodes;
}

std::vector<std::string> find_driver_binaries(const Root& root) {
  std::vector<std::string> found;
  for (const char* name : kBinaries) {
    for (const char* folder : kBinaryFolders) {
      const std::string path = std::string(folder) + "/" + name;
      const auto info = stat_at(root, path);
      if (!info || !S_ISREG(info->st_mode)) continue;
      found.push_back(path);
      break;
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> find_driver_firmware(const Root& root, const std::string& version) {
  if (version.empty()) return {};
  const std::string release = read_word(root, "/proc/sys/kernel/osrelease");
  const std::string chosen = read_word(root, "/sys/module/firmware_class/parameters/path");
  std::vector<std::string> folders;  // in the kernel's order: drivers/base/firmware_loader/main.c
  if (chosen.starts_with('/')) folders.push_back(chosen);
  if (!release.empty()) folders.push_back("/lib/firmware/updates/" + release);
  folders.emplace_back("/lib/firmware/updates");
  if (!release.empty()) folders.push_back("/lib/firmware/" + release);
  folders.emplace_back("/lib/firmware");
  const auto is_gsp = [](std::string_view name) {
    return name.starts_with("gsp") && name.ends_with(".bin");
  };
  for (const std::string& folder : folders) {
    const std::string path = fmt::format("{}/nvidia/{}", folder, version);
    std::vector<std::string> found;
    for (const auto& entry : list_folder(root, path, is_gsp))
      found.push_back(path + "/" + entry.name);
    if (!found.empty()) return found;
  }
  return {};
}

std::vector<std::string> find_driver_configs(const Root& root) {
  std::vector<std::string> found;
  for (const char* folder : kConfigFolders) {
    std::vector<std::string> names;  // a name counts where it is found first
    for (const char* share : kShares) {
      const std::string path = std::string(share) + "/" + folder;
      const auto wanted = [&](std::string_view name) { return is_config(folder, name); };
      for (const auto& entry : list_folder(root, path, wanted)) {
        const bool is_known = std::find(names.begin(), names.end(), entry.name) != names.end();
        if (entry.is_folder || is_known || !exists(root, path + "/" + entry.name)) continue;
        names.push_back(entry.name);
        found.push_back(path + "/" + entry.name);
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<std::string> find_driver_sockets(const Root& root) {
  std::vector<std::string> found;
  for (const char* path : kSockets) {
    if (exists(root, path)) found.emplace_back(path);
  }
  return found;
}

DriverFiles find_driver_files(const Root& root, const std::vector<Gpu>& known) {
  DriverFiles files;
  files.module_version = read_module_version(root);
  files.gpus = find_driver_gpus(root, known);
  files.nodes = find_driver_nodes(root, files.gpus);
  auto found = find_driver_libraries(root, files.module_version);
  files.library_version = std::move(found.library_version);
  files.versions = std::move(found.versions);
  files.libraries = std::move(found.libraries);
  files.binaries = find_driver_binaries(root);
  files.firmware = find_driver_firmware(root, files.module_version);
  files.configs = find_driver_configs(root);
  files.sockets = find_driver_sockets(root);
  return files;
}

}  // namespace estiva::host
