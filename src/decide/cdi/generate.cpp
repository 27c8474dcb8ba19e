#include "decide/cdi/generate.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <set>

#include "base/messages/decide_cdi_generate.h"
#include "decide/cdi/driver_mounts.h"

namespace estiva::decide {
namespace {

constexpr const char* kControl = "/dev/nvidiactl";
constexpr const char* kUvm = "/dev/nvidia-uvm";
constexpr const char* kWslNode = "/dev/dxg";
constexpr std::array<const char*, 4> kCommonNodes = {kControl, "/dev/nvidia-modeset", kUvm,
                                                     "/dev/nvidia-uvm-tools"};

// The three numbers of a version, for comparing.
using Version = std::array<unsigned, 3>;

std::optional<Version> parse_version(std::string_view text) {
  Version version{};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t i = 0; i < version.size(); ++i) {
    if (i > 0 && (at == end || *at++ != '.')) return std::nullopt;
    const auto [next, error] = std::from_chars(at, end, version[i]);
    if (error != std::errc()) return std::nullopt;
    at = next;
  }
  if (at != end) return std::nullopt;
  return version;
}

// The CDI specification, "version requirements", of what is made here.
constexpr Version kLowest = {0, 3, 0}, kHostPath = {0, 5, 0}, kDotInClass = {0, 6, 0},
                  kGroups = {0, 7, 0};

std::string to_text(const Version& version) {
  return fmt::format("{}.{}.{}", version[0], version[1], version[2]);
}

const DeviceNode* find_node(const DriverFiles& files, std::string_view path) {
  const auto found = std::find_if(files.nodes.begin(), files.nodes.end(),
                                  [&](const DeviceNode& node) { return node.path == path; });
  return found == files.nodes.end() ? nullptr : &*found;
}

std::string gpu_node(const DriverGpu& gpu) {
  return fmt::format("/dev/nvidia{}", gpu.minor);
}

bool has_node(const DriverFiles& files, const DriverGpu& gpu) {
  return find_node(files, gpu_node(gpu)) != nullptr;
}

bool has_caps(const DriverFiles& files, const DriverMig& mig) {
  return !mig.caps.empty() && std::all_of(mig.caps.begin(), mig.caps.end(), [&](const auto& path) {
    return find_node(files, path) != nullptr;
  });
}

// A library by its name before ".so.VERSION", of a 64-bit program.
bool has_library(const DriverFiles& files, std::string_view name) {
  const std::string wanted = fmt::format("/{}.so.{}", name, files.module_version);
  return std::any_of(files.libraries.begin(), files.libraries.end(), [&](const auto& library) {
    return !library.is_32bit && library.path.ends_with(wanted);
  });
}

std::optional<Error> missing_library(const DriverFiles& files, std::string_view name,
                                     std::string_view debian) {
  const std::string& version = files.module_version;
  if (has_library(files, name)) return std::nullopt;
  auto others = files.versions;
  std::erase(others, version);
  if (!others.empty()) {
    return Error{ErrorKind::failed,
                 fmt::format(msg::kCdiOtherLibrary, version, name, fmt::join(others, ", ")),
                 std::string(msg::kCdiOtherLibraryHow)};
  }
  return Error{ErrorKind::failed, fmt::format(msg::kCdiNoLibrary, name, version),
               fmt::format(msg::kCdiNoLibraryHow, name, debian, version)};
}

std::optional<Error> missing_in_wsl(const DriverFiles& files) {
  for (const std::string name : {"libcuda.so.1", "libdxcore.so"}) {
    const bool is_there = std::any_of(
        files.libraries.begin(), files.libraries.end(), [&](const DriverLibrary& library) {
          const auto shows = [&](const std::string& path) { return path.ends_with("/" + name); };
          return shows(library.path) || library.soname == name ||
                 std::any_of(library.links.begin(), library.links.end(), shows);
        });
    if (!is_there) {
      return Error{ErrorKind::failed, fmt::format(msg::kCdiNoWslLibrary, name),
                   std::string(msg::kCdiNoWslLibraryHow)};
    }
  }
  return std::nullopt;
}

std::optional<Error> missing_gpu_nodes(const DriverFiles& files) {
  std::vector<std::string> absent;
  for (const auto& gpu : files.gpus) {
    if (has_node(files, gpu)) return std::nullopt;
    absent.push_back(gpu_node(gpu));
  }
  return Error{ErrorKind::failed, fmt::format(msg::kCdiNoGpuNode, fmt::join(absent, ", ")),
               fmt::format(msg::kCdiNoGpuNodeHow, files.gpus.front().minor)};
}

// What containers can't do without.
std::optional<Error> missing(const DriverFiles& files) {
  const auto failed = [](std::string what, std::string_view how) {
    return Error{ErrorKind::failed, std::move(what), std::string(how)};
  };
  if (is_wsl(files)) return missing_in_wsl(files);
  if (files.module_version.empty()) {
    return failed(std::string(msg::kCdiNoModule), msg::kCdiNoModuleHow);
  }
  if (auto error = missing_library(files, "libcuda", "libcuda1")) return error;
  if (auto error = missing_library(files, "libnvidia-ml", "libnvidia-ml1")) return error;
  if (files.gpus.empty()) {
    return failed(fmt::format(msg::kCdiNoGpu, files.module_version), msg::kCdiNoGpuHow);
  }
  if (!find_node(files, kControl)) {
    return failed(fmt::format(msg::kCdiNoControlNode, kControl), msg::kCdiNoControlNodeHow);
  }
  if (!find_node(files, kUvm)) {
    return failed(fmt::format(msg::kCdiNoControlNode, kUvm), msg::kCdiNoUvmHow);
  }
  return missing_gpu_nodes(files);
}

// The group without whose right a program that is not root can't open the node.
std::optional<std::uint32_t> group_of(const DriverFiles& files, const CdiNode& node) {
  const auto* found = find_node(files, node.host_path.empty() ? node.path : node.host_path);
  if (!found || found->gid == 0 || (found->mode & 06) == 06) return std::nullopt;
  return found->gid;
}

CdiEdits edits_of(const std::map<std::string, CdiNode>& nodes, const DriverFiles& files,
                  bool with_groups) {
  CdiEdits edits;
  std::set<std::uint32_t> groups;
  for (const auto& [path, node] : nodes) {
    edits.nodes.push_back(node);
    if (const auto group = group_of(files, node); group && with_groups) groups.insert(*group);
  }
  edits.additional_gids.assign(groups.begin(), groups.end());
  return edits;
}

using Nodes = std::map<std::string, CdiNode>;  // by path in the container

void add_node(Nodes& nodes, const std::string& path, const std::string& host = {}) {
  CdiNode node;
  node.path = path;
  node.host_path = host;
  nodes.emplace(path, std::move(node));
}

// The DRM nodes, and the names by address, which on a host are links, as nodes of their own.
void add_drm(Nodes& nodes, const DriverFiles& files, const DriverGpu& gpu) {
  for (const auto& path : gpu.drm) {
    if (!find_node(files, path)) continue;
    add_node(nodes, path);
    const std::string_view kind = path.starts_with("/dev/dri/card") ? "-card" : "-render";
    for (const auto& link : gpu.drm_by_path) {
      if (link.ends_with(kind)) add_node(nodes, link, path);
    }
  }
}

struct Named {
  std::vector<std::string> names;
  Nodes nodes;
};

std::vector<std::string> names_of(const CdiOptions& options, const std::string& index,
                                  const std::string& uuid) {
  std::vector<std::string> names;
  if (options.by_index) names.push_back(index);
  if (options.by_uuid && !uuid.empty()) names.push_back(uuid);
  return names;
}

void add_migs(const DriverFiles& files, const CdiOptions& options, const DriverGpu& gpu,
              std::vector<Named>& devices) {
  for (const auto& mig : gpu.migs) {
    if (!has_caps(files, mig)) continue;
    Named device{names_of(options, mig.index, mig.uuid), {}};
    add_node(device.nodes, gpu_node(gpu));
    for (const auto& path : mig.caps) add_node(device.nodes, path);
    devices.push_back(std::move(device));
  }
}

std::vector<Named> devices_of(const DriverFiles& files, const CdiOptions& options) {
  std::vector<Named> devices;
  if (is_wsl(files)) {
    Named device;
    add_node(device.nodes, kWslNode);
    return {device};
  }
  for (const auto& gpu : files.gpus) {
    if (!has_node(files, gpu)) continue;
    if (gpu.mig_enabled) {
      add_migs(files, options, gpu, devices);
      continue;
    }
    Named device{names_of(options, std::to_string(gpu.index), gpu.uuid), {}};
    add_node(device.nodes, gpu_node(gpu));
    if (options.capabilities.graphics || options.capabilities.display) {
      add_drm(device.nodes, files, gpu);
    }
    devices.push_back(std::move(device));
  }
  return devices;
}

// GPUs by number ("2" before "10"), then instances, then UUIDs, then "all".
bool is_before(const CdiDevice& a, const CdiDevice& b) {
  const auto rank = [](const std::string& name) {
    std::array<unsigned, 4> key{};
    key[0] = name == "all" ? 3 : name[0] < '0' || name[0] > '9' ? 2 : 0;
    if (key[0] != 0) return key;
    const auto colon = std::min(name.find(':'), name.size());
    key[0] = colon < name.size() ? 1 : 0;
    std::from_chars(name.data(), name.data() + colon, key[1]);
    std::from_chars(name.data() + std::min(colon + 1, name.size()), name.data() + name.size(),
                    key[2]);
    return key;
  };
  return std::pair(rank(a.name), a.name) < std::pair(rank(b.name), b.name);
}

std::vector<CdiDevice> to_cdi(const DriverFiles& files, const CdiOptions& options,
                              const std::vector<Named>& devices, bool with_groups) {
  std::vector<CdiDevice> out;
  Nodes all;
  for (const auto& device : devices) {
    for (const auto& name : device.names) {
      out.push_back({name, {}, edits_of(device.nodes, files, with_groups)});
    }
    all.insert(device.nodes.begin(), device.nodes.end());
  }
  if (options.with_all || is_wsl(files)) {
    out.push_back({"all", {}, edits_of(all, files, with_groups)});
  }
  std::sort(out.begin(), out.end(), is_before);
  return out;
}

CdiEdits common_edits(const DriverFiles& files, const CdiOptions& options, bool with_groups) {
  Nodes nodes;
  for (const char* path : kCommonNodes) {
    if (find_node(files, path)) add_node(nodes, path);
  }
  CdiEdits edits = edits_of(nodes, files, with_groups);
  edits.mounts = driver_mounts(files, options);
  // NVIDIA's own hook, where it is installed, then leaves the container alone.
  edits.env = {"NVIDIA_VISIBLE_DEVICES=void"};
  // Triton (torch.compile, vLLM) looks for libcuda in the image's linker cache, which only a hook
  // could rewrite, and gives up; this it asks first (its backend's driver.py, libcuda_dirs).
  if (const auto folder = linker_folder_of_libcuda(edits.mounts); !folder.empty()) {
    edits.env.push_back("TRITON_LIBCUDA_PATH=" + folder);
  }
  return edits;
}

Version needed_version(const CdiSpec& spec) {
  Version needed = kLowest;
  const auto raise = [&](bool is_used, const Version& to) {
    if (is_used) needed = std::max(needed, to);
  };
  const auto look_at = [&](const CdiEdits& edits) {
    raise(!edits.additional_gids.empty(), kGroups);
    for (const auto& node : edits.nodes) raise(!node.host_path.empty(), kHostPath);
  };
  look_at(spec.edits);
  for (const auto& device : spec.devices) {
    raise(device.name[0] >= '0' && device.name[0] <= '9', kHostPath);
    look_at(device.edits);
  }
  raise(spec.kind.find('.', spec.kind.find('/')) != std::string::npos, kDotInClass);
  return needed;
}

void note_gpu(const DriverFiles& files, const CdiOptions& options, const DriverGpu& gpu,
              std::vector<std::string>& notes) {
  if (!has_node(files, gpu)) {
    notes.push_back(fmt::format(msg::kCdiNoteNoNode, gpu.index, gpu_node(gpu), gpu.minor));
    return;
  }
  if (gpu.mig_enabled && gpu.migs.empty())
    notes.push_back(fmt::format(msg::kCdiNoteMigMode, gpu.index));
  for (const auto& mig : gpu.migs) {
    if (gpu.mig_enabled && !has_caps(files, mig)) {
      notes.push_back(fmt::format(msg::kCdiNoteNoCaps, mig.uuid.empty() ? mig.index : mig.uuid));
    }
  }
  if (options.by_uuid && !gpu.mig_enabled && gpu.uuid.empty()) {
    notes.push_back(fmt::format(msg::kCdiNoteNoUuid, gpu.index));
  }
}

void note_groups(const DriverFiles& files, const CdiOptions& options,
                 std::vector<std::string>& notes) {
  Nodes nodes;
  for (const char* path : kCommonNodes) {
    if (find_node(files, path)) add_node(nodes, path);
  }
  for (const auto& device : devices_of(files, options)) {
    nodes.insert(device.nodes.begin(), device.nodes.end());
  }
  for (const auto& [path, node] : nodes) {
    const auto group = group_of(files, node);
    if (group && node.host_path.empty())
      notes.push_back(fmt::format(msg::kCdiNoteGroup, path, *group));
  }
}

}  // namespace

Result<CdiSpec> generate_cdi(const DriverFiles& files, const CdiOptions& options) {
  const auto newest = parse_version(options.newest_version);
  if (!newest) {
    return fail(ErrorKind::usage, fmt::format(msg::kCdiNoVersion, options.newest_version),
                std::string(msg::kCdiNoVersionHow));
  }
  if (auto error = missing(files)) return Failure(std::move(*error));
  const auto devices = devices_of(files, options);
  if (devices.empty()) {
    return fail(std::string(msg::kCdiOnlyMigMode), std::string(msg::kCdiOnlyMigModeHow));
  }
  const bool with_groups = *newest >= kGroups;
  CdiSpec spec;
  spec.kind = options.vendor + "/" + options.device_class;
  spec.edits = common_edits(files, options, with_groups);
  spec.devices = to_cdi(files, options, devices, with_groups);
  if (spec.devices.empty())
    return fail(std::string(msg::kCdiNoNames), std::string(msg::kCdiNoNamesHow));
  const Version needed = needed_version(spec);
  if (needed > *newest) {
    return fail(ErrorKind::refused,
                fmt::format(msg::kCdiOldEngine, options.newest_version, to_text(needed)),
                std::string(msg::kCdiOldEngineHow));
  }
  spec.version = to_text(needed);
  return spec;
}

std::vector<std::string> cdi_notes(const DriverFiles& files, const CdiOptions& options) {
  std::vector<std::string> notes;
  if (is_wsl(files)) return notes;
  const std::string& version = files.module_version;
  if (!files.library_version.empty() && files.library_version != version) {
    notes.push_back(fmt::format(msg::kCdiNoteOtherDefault, files.library_version, version));
  }
  if (!has_library(files, "libnvidia-ptxjitcompiler")) {
    notes.push_back(fmt::format(msg::kCdiNoteNoJit, version));
  }
  for (const auto& gpu : files.gpus) note_gpu(files, options, gpu, notes);
  const auto newest = parse_version(options.newest_version);
  if (newest && *newest < kGroups) note_groups(files, options, notes);
  return notes;
}

}  // namespace estiva::decide
