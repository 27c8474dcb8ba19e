#include "observe/readiness/nodes.h"

#include <algorithm>
#include <fmt/format.h>
#include <sys/sysmacros.h>

#include "format/text.h"
#include "observe/readiness/modules.h"

namespace estiva::observe {
namespace {

constexpr mode_t kPermissions = 07777;

void add_nodes(const Tree& tree, const std::string& folder, std::string_view prefix,
               std::vector<DeviceNode>& nodes) {
  for (const std::string& name : tree.names(folder)) {
    if (!name.starts_with(prefix)) continue;
    const std::string path = fmt::format("{}/{}", folder, name);
    const auto info = tree.status(path);
    if (!info || !S_ISCHR(info->st_mode)) continue;
    nodes.push_back({path, major(info->st_rdev), minor(info->st_rdev), info->st_mode & kPermissions,
                     info->st_uid, info->st_gid});
  }
}

}  // namespace

std::vector<DeviceNode> read_nodes(const Tree& tree) {
  std::vector<DeviceNode> nodes;
  add_nodes(tree, "/dev", "nvidia", nodes);
  add_nodes(tree, "/dev/nvidia-caps", "nvidia-cap", nodes);
  add_nodes(tree, "/dev/nvidia-caps-imex-channels", "channel", nodes);
  return nodes;
}

std::vector<std::string> read_char_links(const Tree& tree, const KernelFacts& kernel) {
  std::vector<std::string> prefixes;
  for (const auto& [name, major] : kernel.majors) {
    if (name.starts_with("nvidia")) prefixes.push_back(std::to_string(major) + ":");
  }
  std::vector<std::string> links;
  for (const std::string& name : tree.names("/dev/char")) {
    const auto matches = [&](const std::string& prefix) { return name.starts_with(prefix); };
    if (std::any_of(prefixes.begin(), prefixes.end(), matches))
      links.push_back("/dev/char/" + name);
  }
  return links;
}

std::vector<std::string> missing_nodes(const KernelFacts& kernel,
                                       const std::vector<DeviceNode>& nodes,
                                       const std::vector<unsigned>& minors) {
  std::vector<std::string> missing;
  if (kernel.module_version.empty()) return missing;
  std::vector<std::string> needed = {"/dev/nvidiactl", "/dev/nvidia-uvm"};
  for (const unsigned minor : minors) needed.push_back("/dev/nvidia" + std::to_string(minor));
  for (std::string& path : needed) {
    const auto is_it = [&](const DeviceNode& node) { return node.path == path; };
    if (std::none_of(nodes.begin(), nodes.end(), is_it)) missing.push_back(std::move(path));
  }
  return missing;
}

std::vector<unsigned> read_minors(const Tree& tree) {
  std::vector<unsigned> minors;
  constexpr const char* kGpus = "/proc/driver/nvidia/gpus";
  for (const std::string& bus_id : tree.names(kGpus)) {
    const auto text = tree.text(std::string(kGpus) + "/" + bus_id + "/information");
    if (!text) continue;
    const auto rows = parse_params(*text);
    const auto row = rows.find("Device Minor");
    const auto number = row == rows.end() ? std::nullopt : format::parse_u64(row->second);
    if (number && *number < 256) minors.push_back(static_cast<unsigned>(*number));
  }
  return minors;
}

HostPath read_host_path(const Tree& tree, const std::string& path) {
  HostPath found;
  const auto info = tree.status(path);
  if (!info) return found;
  found.exists = true;
  found.is_executable = S_ISREG(info->st_mode) && (info->st_mode & 0111) != 0;
  found.is_device = S_ISCHR(info->st_mode) || S_ISBLK(info->st_mode);
  found.is_socket = S_ISSOCK(info->st_mode);
  if (found.is_device) {
    found.major = major(info->st_rdev);
    found.minor = minor(info->st_rdev);
  }
  return found;
}

}  // namespace estiva::observe
