// D11 to D14: the device nodes that the driver is reached by.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/decide_doctor_driver.h"
#include "decide/readiness/finders.h"
#include "format/text.h"

namespace estiva::decide {
namespace {

constexpr unsigned kControlMinor = 255, kModesetMinor = 254;  // nv-linux.h, NV_MINOR_DEVICE_NUMBER
constexpr mode_t kForAll = 0006;

// All nodes of NVIDIA's, each once.
std::vector<DeviceNode> all_nodes(const ReadinessFacts& facts) {
  std::vector<DeviceNode> nodes = facts.driver.files.nodes;
  for (const DeviceNode& one : facts.driver.odd_nodes) {
    if (std::ranges::find(nodes, one.path, &DeviceNode::path) == nodes.end()) nodes.push_back(one);
  }
  return nodes;
}

// What a node's numbers have to be: the first of `names` that /proc/devices lists, and the minor.
struct Numbers {
  std::array<std::string_view, 3> names;
  unsigned minor = 0;
};

std::optional<Numbers> numbers_of(std::string_view path) {
  constexpr std::string_view kGpu = "/dev/nvidia", kCap = "/dev/nvidia-caps/nvidia-cap";
  if (path == "/dev/nvidiactl")
    return Numbers{{"nvidia-frontend", "nvidiactl", "nvidia"}, kControlMinor};
  if (path == "/dev/nvidia-modeset")
    return Numbers{{"nvidia-frontend", "nvidia-modeset", "nvidia"}, kModesetMinor};
  if (path == "/dev/nvidia-uvm") return Numbers{{"nvidia-uvm", "", ""}, 0};
  if (path == "/dev/nvidia-uvm-tools") return Numbers{{"nvidia-uvm", "", ""}, 1};
  for (const std::string_view stem : {kCap, kGpu}) {
    if (!path.starts_with(stem)) continue;
    const auto minor = format::parse_u64(path.substr(stem.size()));
    if (!minor) continue;
    if (stem == kCap) return Numbers{{"nvidia-caps", "", ""}, static_cast<unsigned>(*minor)};
    return Numbers{{"nvidia-frontend", "nvidia", ""}, static_cast<unsigned>(*minor)};
  }
  return std::nullopt;
}

std::optional<Hit> judge_numbers(const ReadinessFacts& facts, const DeviceNode& node) {
  const auto right = right_numbers(facts, node.path);
  if (!right || (right->major == node.major && right->minor == node.minor)) return std::nullopt;
  return Hit{
      .title = fmt::format(msg::kWrongNumbers, node.path, node.major, node.minor, right->major,
                           right->minor),
      .evidence = {host_evidence(node.path, fmt::format("{}:{}", node.major, node.minor)),
                   host_evidence(msg::kProcDevices,
                                 fmt::format(msg::kDevicesSay, right->major, right->driver))},
      .remedy = facts.kernel.in_container
                    ? std::string(msg::kRecreateContainer)
                    : fmt::format(msg::kMakeNode, node.path, right->major, right->minor)};
}

// Does some edit of the spec do it: the common ones, or a device's?
template <class Does>
bool any_edits(const CdiSpec& spec, Does does) {
  return does(spec.edits) ||
         std::ranges::any_of(spec.devices, [&](const CdiDevice& one) { return does(one.edits); });
}

bool has_graphics(const CdiSpec& spec) {
  return any_edits(spec, [](const CdiEdits& edits) {
    return std::ranges::any_of(edits.mounts, [](const CdiMount& one) {
      return one.host_path.find("libEGL_nvidia.so") != std::string::npos ||
             one.host_path.find("libGLX_nvidia.so") != std::string::npos;
    });
  });
}

bool names_node(const CdiSpec& spec, std::string_view path) {
  return any_edits(spec, [&](const CdiEdits& edits) {
    return std::ranges::find(edits.nodes, path, &CdiNode::path) != edits.nodes.end();
  });
}

bool gives_group(const CdiSpec& spec, gid_t gid) {
  return any_edits(spec, [&](const CdiEdits& edits) {
    return std::ranges::find(edits.additional_gids, gid) != edits.additional_gids.end();
  });
}

// Only tools or graphics use the others: a desktop's DRM nodes are their group's alone.
bool is_for_cuda(std::string_view path) {
  return path.starts_with("/dev/nvidia") && !path.ends_with("-tools") &&
         !path.ends_with("-modeset") && path.find("/nvidia-caps") == path.npos;
}

}  // namespace

std::optional<NodeNumbers> right_numbers(const ReadinessFacts& facts, std::string_view path) {
  const auto wanted = numbers_of(path);
  if (!wanted) return std::nullopt;
  for (const std::string_view name : wanted->names) {
    const auto found = facts.kernel.majors.find(std::string(name));
    if (found != facts.kernel.majors.end()) return NodeNumbers{found->second, wanted->minor, name};
  }
  return std::nullopt;
}

Hits find_missing_nodes(const ReadinessFacts& facts) {
  if (!is_host(facts) || usable_gpus(facts).empty() || !is_loaded(facts, "nvidia")) return {};
  // Where the running kernel's modules are gone (D6), nothing can be loaded.
  if (!facts.kernel.kernels.empty() && running_kernel(facts) == nullptr) return {};
  Hit hit;
  if (!facts.kernel.majors.empty() && !facts.kernel.majors.contains("nvidia-uvm")) {
    hit.title = msg::kUvmNotLoaded;
    hit.evidence.push_back(host_evidence(msg::kProcDevices, msg::kUvmNotListed));
  }
  std::vector<std::string> missing = facts.driver.missing_nodes;
  std::erase_if(missing, [](const std::string& path) { return !is_for_cuda(path); });
  if (missing.empty() && hit.title.empty()) return {};
  for (const std::string& path : missing)
    hit.evidence.push_back(host_evidence(path, msg::kNodeIsMissing));
  if (hit.title.empty()) {
    const std::string who = missing.size() == 1 ? fmt::format(msg::kOneIs, missing[0])
                                                : fmt::format(msg::kManyAre, joined(missing));
    hit.title = fmt::format(msg::kNodesMissing, who);
  }
  // nvidia-modprobe does it at the first use: only what has a spec or a container misses it now.
  if (!wants_gpu(facts)) hit.severity = Severity::info;
  return {hit};
}

Hits find_missing_modeset(const ReadinessFacts& facts) {
  const auto specs = gpu_specs(facts);
  if (!is_host(facts) || specs.empty()) return {};
  const std::vector<DeviceNode> nodes = all_nodes(facts);
  const bool is_there =
      std::ranges::find(nodes, "/dev/nvidia-modeset", &DeviceNode::path) != nodes.end();
  const CdiFile& file = *specs.front();
  if (!is_there || !has_graphics(file.spec) || names_node(file.spec, "/dev/nvidia-modeset"))
    return {};
  return {{.title = fmt::format(msg::kSpecLacksModeset, file.path),
           .evidence = {{Evidence::Source::file, file.path, 0, {}}},
           .remedy = fmt::format(msg::kSpecModesetRemedy, file.path)}};
}

Hits find_wrong_numbers(const ReadinessFacts& facts) {
  Hits hits;
  if (facts.kernel.in_wsl) return hits;
  for (const DeviceNode& one : all_nodes(facts)) {
    if (auto hit = judge_numbers(facts, one)) hits.push_back(std::move(*hit));
  }
  return hits;
}

Hits find_group_only_nodes(const ReadinessFacts& facts) {
  if (!is_host(facts) || facts.engine.kind == EngineKind::none) return {};
  const auto specs = gpu_specs(facts);
  for (const DeviceNode& one : all_nodes(facts)) {
    if ((one.mode & kForAll) == kForAll || !is_for_cuda(one.path)) continue;
    if (!specs.empty() && gives_group(specs.front()->spec, one.gid)) continue;
    Hit hit{.title = fmt::format(msg::kNodesForGroup, one.path, one.mode, one.gid),
            .evidence = {host_evidence(one.path,
                                       fmt::format(msg::kNodeModeIs, one.mode, one.uid, one.gid))}};
    if (!specs.empty())
      hit.evidence.push_back({Evidence::Source::file, specs.front()->path, 0, {}});
    return {hit};
  }
  return {};
}

}  // namespace estiva::decide
