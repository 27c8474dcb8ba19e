#include "decide/readiness/cdi_spec_rules.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "base/messages/decide_doctor_apps.h"
#include "decide/readiness/cdi_view.h"
#include "decide/readiness/cuda_table.h"
#include "decide/readiness/finders.h"
#include "format/cdi_rules.h"

namespace estiva::decide {
namespace {

using format::host_path_of;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// The line of a file's text where something stands; 0: not found.
unsigned line_of(const CdiFile& file, std::string_view part) {
  const std::size_t at = file.text.find(part);
  if (part.empty() || at == std::string::npos) return 0;
  const auto place = file.text.begin() + static_cast<std::ptrdiff_t>(at);
  return static_cast<unsigned>(std::count(file.text.begin(), place, '\n')) + 1;
}

Evidence at(const CdiFile& file, const std::string& what) {
  return {Evidence::Source::file, file.path, line_of(file, what), what};
}

// What is known of a host path; nullptr: nobody looked.
const HostPath* look_up(const ReadinessFacts& facts, const std::string& path) {
  const auto place = facts.cdi.hosts.find(path);
  return place == facts.cdi.hosts.end() ? nullptr : &place->second;
}
bool is_missing(const ReadinessFacts& facts, const std::string& path) {
  const HostPath* host = look_up(facts, path);
  return host != nullptr && !host->exists;
}

// The files of NVIDIA's that the engine takes devices from, and their parts.
std::vector<const CdiFile*> used_files(const CdiView& view) {
  std::vector<const CdiFile*> files;
  for (const CdiFile* file : view.effective) {
    if (is_of_nvidia(*file)) files.push_back(file);
  }
  return files;
}
std::vector<const CdiEdits*> parts_of(const CdiFile& file) {
  std::vector<const CdiEdits*> parts{&file.spec.edits};
  for (const CdiDevice& device : file.spec.devices) parts.push_back(&device.edits);
  return parts;
}

std::vector<const CdiMount*> mounts_of(const CdiFile& file) {
  std::vector<const CdiMount*> mounts;
  std::set<std::string_view> known;
  for (const CdiEdits* part : parts_of(file)) {
    for (const CdiMount& mount : part->mounts) {
      if (known.insert(mount.host_path).second) mounts.push_back(&mount);
    }
  }
  return mounts;
}
std::vector<const CdiNode*> nodes_of(const CdiFile& file) {
  std::vector<const CdiNode*> nodes;
  std::set<std::string_view> known;
  for (const CdiEdits* part : parts_of(file)) {
    for (const CdiNode& node : part->nodes) {
      if (known.insert(host_path_of(node)).second) nodes.push_back(&node);
    }
  }
  return nodes;
}
std::vector<const CdiHook*> hooks_of(const CdiFile& file) {
  std::vector<const CdiHook*> hooks;
  for (const CdiEdits* part : parts_of(file)) {
    for (const CdiHook& hook : part->hooks) hooks.push_back(&hook);
  }
  return hooks;
}

bool is_daemons(const std::string& path) {
  return path.ends_with("/socket") || path.ends_with(".sock") || path.ends_with("/nvidia-mps");
}

// The driver's version at the end of a library's name; empty: it has none. Libraries of other
// makers, such as libnvidia-egl-gbm.so.1.1.1, have versions of their own.
std::string driver_version_of(std::string_view path) {
  const std::size_t so = path.rfind(".so.");
  if (so == std::string_view::npos || contains(path.substr(so), "/")) return {};
  const std::string_view version = path.substr(so + 4);
  constexpr unsigned kOldestBranch = 300;  // of drivers that know containers
  const auto parsed = parse_driver_version(version);
  return parsed && parsed->branch >= kOldestBranch && contains(version, ".") ? std::string(version)
                                                                             : std::string();
}

std::vector<const CdiMount*> missing_mounts(const ReadinessFacts& facts, const CdiFile& file,
                                            bool of_daemons) {
  std::vector<const CdiMount*> missing;
  for (const CdiMount* mount : mounts_of(file)) {
    if (is_daemons(mount->host_path) == of_daemons && is_missing(facts, mount->host_path)) {
      missing.push_back(mount);
    }
  }
  return missing;
}

// A mount whose file is of another driver than the loaded one. Where the files on the disk are
// newer than the module too, the spec is right and the module is old: that is D3.
const CdiMount* other_version(const ReadinessFacts& facts, const CdiFile& file) {
  const std::string& loaded = facts.kernel.module_version;
  const std::string& on_disk = facts.driver.files.library_version;
  if (loaded.empty()) return nullptr;
  for (const CdiMount* mount : mounts_of(file)) {
    const std::string version = driver_version_of(mount->host_path);
    if (!version.empty() && version != loaded && version != on_disk) return mount;
  }
  return nullptr;
}

bool is_compute_class(const CdiFile& file) {
  return file.spec.kind == "nvidia.com/gpu" || file.spec.kind.starts_with("estiva.dev/");
}

struct Inventory {
  bool has_cuda = false, has_uvm = false, has_control = false, has_dxg = false;
};
Inventory inventory_of(const CdiSeen& seen) {
  Inventory found;
  for (const CdiEdits* part : edits_of(seen)) {
    for (const CdiMount& mount : part->mounts) {
      found.has_cuda = found.has_cuda || contains(mount.container_path, "/libcuda.so");
    }
    for (const CdiNode& node : part->nodes) {
      found.has_uvm = found.has_uvm || node.path == "/dev/nvidia-uvm";
      found.has_control = found.has_control || node.path == "/dev/nvidiactl";
      found.has_dxg = found.has_dxg || node.path == "/dev/dxg";
    }
  }
  return found;
}

// Nodes whose absence the driver's own rules name (D2, D11).
bool is_of_driver_rules(const ReadinessFacts& facts, const std::string& path) {
  const auto& missing = facts.driver.missing_nodes;
  const bool is_named = std::find(missing.begin(), missing.end(), path) != missing.end();
  return is_named || (facts.kernel.module_version.empty() && path.starts_with("/dev/nvidia"));
}

}  // namespace

std::vector<Hit> find_stale_mounts(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : used_files(view)) {
    const auto missing = missing_mounts(facts, *file, false);
    if (!missing.empty()) {
      const CdiMount& first = *missing.front();
      const bool is_one = missing.size() == 1;
      hits.push_back(
          {is_one ? fmt::format(msg::kC8MissingOne, file->path, first.host_path)
                  : fmt::format(msg::kC8Missing, file->path, missing.size(), first.host_path),
           {at(*file, first.host_path)},
           {},
           fmt::format(msg::kC8Foretells, first.host_path, first.container_path)});
    } else if (const CdiMount* other = other_version(facts, *file)) {
      hits.push_back({fmt::format(msg::kC8Version, file->path, driver_version_of(other->host_path),
                                  facts.kernel.module_version),
                      {at(*file, other->host_path)},
                      {},
                      {}});
    }
  }
  return hits;
}

std::vector<Hit> find_frozen_numbers(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : used_files(view)) {
    for (const CdiNode* node : nodes_of(*file)) {
      const HostPath* host = look_up(facts, host_path_of(*node));
      const bool is_frozen = node->major && *node->major != 0;
      if (!is_frozen || host == nullptr || !host->exists || !host->is_device) continue;
      const std::int64_t minor = node->minor.value_or(host->minor);
      if (*node->major == host->major && minor == host->minor) continue;
      hits.push_back({fmt::format(msg::kC9Title, file->path, host_path_of(*node), *node->major,
                                  minor, host->major, host->minor),
                      {at(*file, host_path_of(*node))},
                      {},
                      {}});
    }
  }
  return hits;
}

std::vector<Hit> find_missing_hooks(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : used_files(view)) {
    std::set<std::string_view> told;
    for (const CdiHook* hook : hooks_of(*file)) {
      const HostPath* host = look_up(facts, hook->path);
      if (host == nullptr || (host->exists && host->is_executable)) continue;
      if (!told.insert(hook->path).second) continue;
      const auto& title = host->exists ? msg::kC10NoProgram : msg::kC10Missing;
      const auto& text = host->exists ? msg::kC10ForetellsDenied : msg::kC10Foretells;
      hits.push_back({fmt::format(fmt::runtime(title), file->path, hook->path),
                      {at(*file, hook->path)},
                      {},
                      fmt::format(fmt::runtime(text), hook->path)});
    }
  }
  return hits;
}

std::vector<Hit> find_incomplete_specs(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  std::set<const CdiFile*> told;
  const CdiView view = view_cdi(facts);
  for (const auto& [name, seen] : view.devices) {
    if (!is_compute_class(*seen.file) || seen.device->name == "none") continue;
    const Inventory found = inventory_of(seen);
    const bool lacks_uvm = found.has_control && !found.has_uvm;
    if (!found.has_control && !found.has_dxg) continue;  // Jetson: other nodes altogether
    if ((found.has_cuda && !lacks_uvm) || !told.insert(seen.file).second) continue;
    const auto& title = found.has_cuda ? msg::kC11NoUvm : msg::kC11NoCuda;
    hits.push_back({fmt::format(fmt::runtime(title), seen.file->path, name),
                    {{Evidence::Source::file, seen.file->path, 0, {}}},
                    {},
                    {}});
  }
  return hits;
}

// One hit a file: what one change took away is one cause.
std::vector<Hit> find_missing_spec_nodes(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  // K30 names it: the host gives this LXC container no nodes.
  if (!find_lxc_without_gpu(facts).empty()) return hits;
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : used_files(view)) {
    Hit hit;
    std::vector<std::string> paths;
    for (const CdiNode* node : nodes_of(*file)) {
      const std::string& path = host_path_of(*node);
      if (!is_missing(facts, path) || is_of_driver_rules(facts, path)) continue;
      paths.push_back(path);
      hit.evidence.push_back(at(*file, path));
      // A node with a number is made without a look at the host.
      const bool is_frozen = node->major && *node->major != 0;
      if (!is_frozen && hit.foretells.empty())
        hit.foretells = fmt::format(msg::kC12Foretells, path);
    }
    if (paths.empty()) continue;
    hit.title = fmt::format(msg::kC12Title, file->path, joined(paths));
    hits.push_back(std::move(hit));
  }
  return hits;
}

std::vector<Hit> find_missing_sockets(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : used_files(view)) {
    for (const CdiMount* mount : missing_mounts(facts, *file, true)) {
      hits.push_back({fmt::format(msg::kC13Title, file->path, mount->host_path),
                      {at(*file, mount->host_path)},
                      {},
                      fmt::format(msg::kC8Foretells, mount->host_path, mount->container_path)});
    }
  }
  return hits;
}

std::vector<Hit> find_chmod_hooks(const ReadinessFacts& facts) {
  std::vector<Hit> hits;
  const CdiView view = view_cdi(facts);
  for (const CdiFile* file : used_files(view)) {
    const auto hooks = hooks_of(*file);
    const bool has_one = std::any_of(hooks.begin(), hooks.end(), [](const CdiHook* hook) {
      return std::find(hook->args.begin(), hook->args.end(), "chmod") != hook->args.end();
    });
    if (has_one) {
      hits.push_back({fmt::format(msg::kC15Title, file->path), {at(*file, "chmod")}, {}, {}});
    }
  }
  return hits;
}

}  // namespace estiva::decide
