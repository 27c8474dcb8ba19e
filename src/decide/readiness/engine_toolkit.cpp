// K15 to K21 and K28 to K31: NVIDIA's toolkit, and the surroundings in which it does not work.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/decide_doctor_engine.h"
#include "decide/readiness/engine_look.h"
#include "decide/readiness/finders.h"

namespace estiva::decide {
namespace {

constexpr std::string_view kBpfToolkit = "1.8.1", kBpfKernel = "5.6";
constexpr std::string_view kPivotToolkit = "1.18.0";

bool sets_no_cgroups(const ReadinessFacts& facts) {
  return toolkit_setting(facts, "no-cgroups").value_or("false") == "true";
}

bool has_nvidia_device(const ContainerFact& container) {
  return std::ranges::any_of(container.device_paths, [](const std::string& path) {
    return path.starts_with("/dev/nvidia");
  });
}

// A container that asks for the GPU in the next minute would still go through NVIDIA's hook.
bool flag_means_hook(const ReadinessFacts& facts) {
  ContainerFact asks;
  asks.requests = {{.driver = "nvidia", .count = -1, .ids = {}, .capabilities = {"gpu"}}};
  return facts.toolkit.programs.contains("nvidia-container-runtime-hook") && uses_hook(facts, asks);
}

// Docker labels containers only where it is told to; Podman always does.
bool labels_containers(const ReadinessFacts& facts) {
  if (facts.engine.kind == EngineKind::podman) return true;
  return is_docker(facts) && facts.engine.info.find("name=selinux") != std::string::npos;
}

}  // namespace

Hits find_rootless_cgroups(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  if (!engine.is_rootless || !has_gpu(facts) || !facts.toolkit.config.text ||
      sets_no_cgroups(facts))
    return {};
  const auto users = hook_users(facts);
  const std::vector<Evidence> evidence = {file_evidence(facts.toolkit.config, "no-cgroups")};
  if (!users.empty()) {
    const std::string who = fmt::format(msg::kTheyFail, names_of(users));
    return {{.title = fmt::format(msg::kRootlessWithCgroups, who), .evidence = evidence}};
  }
  if (!is_docker(facts) || !flag_means_hook(facts)) return {};
  return {{.title = fmt::format(msg::kRootlessWithCgroups, msg::kAnyWithGpus),
           .evidence = evidence,
           .severity = Severity::warning}};
}

Hits find_no_cgroups(const ReadinessFacts& facts) {
  if (!is_docker(facts) || facts.engine.is_rootless || !engine_answered(facts) || !has_gpu(facts) ||
      !sets_no_cgroups(facts))
    return {};
  const auto users = hook_users(facts);
  const std::vector<Evidence> evidence = {file_evidence(facts.toolkit.config, "no-cgroups")};
  if (!users.empty()) {
    const std::string who = fmt::format(msg::kTheySeeNothing, names_of(users));
    return {{.title = fmt::format(msg::kNoCgroupsRootful, who), .evidence = evidence}};
  }
  return {{.title = fmt::format(msg::kNoCgroupsRootful, msg::kAnySeesNothing),
           .evidence = evidence,
           .severity = Severity::warning}};
}

Hits find_lost_at_reload(const ReadinessFacts& facts) {
  if (!is_docker(facts) || !engine_answered(facts) || facts.kernel.in_wsl ||
      !sees_engine_host(facts) || !has_gpu(facts) || facts.engine.is_rootless ||
      facts.engine.cgroup_driver != "systemd" || !facts.driver.char_links.empty())
    return {};
  auto users = hook_users(facts);
  std::erase_if(users, [](const ContainerFact* one) { return has_nvidia_device(*one); });
  if (users.empty()) return {};
  return {
      {.title = fmt::format(msg::kLosesAtReload, names_of(users)),
       .evidence = {engine_evidence(msg::kDockerInfo, fmt::format(msg::kCgroupDriver, "systemd")),
                    host_evidence("/dev/char/195:*", msg::kNoCharLinks)}}};
}

Hits find_old_bpf(const ReadinessFacts& facts) {
  const std::string version = toolkit_version(facts);
  const KernelFact* kernel = running_kernel(facts);
  if (!has_gpu(facts) || facts.kernel.cgroup_layout != "v2" || kernel == nullptr ||
      version.empty() || facts.engine.kind == EngineKind::none)
    return {};
  if (compare_versions(version, kBpfToolkit) >= 0 ||
      compare_versions(kernel->release, kBpfKernel) >= 0)
    return {};
  return {{.title = fmt::format(msg::kOldBpf, version, kernel->release),
           .evidence = {host_evidence("nvidia-container-toolkit", version),
                        host_evidence("/sys/fs/cgroup", facts.kernel.cgroup_layout)}}};
}

Hits find_ldconfig_missing(const ReadinessFacts& facts) {
  const auto setting = toolkit_setting(facts, "ldconfig");
  // Without an '@' the path is one inside the container.
  if (!setting || !setting->starts_with('@') || facts.toolkit.ldconfig_exists.value_or(true))
    return {};
  const TextFile& config = facts.toolkit.config;
  return {{.title = fmt::format(msg::kNoLdconfig, config.path, setting->substr(1)),
           .evidence = {file_evidence(config, "ldconfig")}}};
}

Hits find_ldconfig_failed(const ReadinessFacts& facts) {
  Hits hits;
  for (const ContainerFact* one : containers_that_say(facts, {"ldcache error: process"})) {
    hits.push_back({.title = fmt::format(msg::kLdconfigFailed, one->name),
                    .evidence = {said(*one, "ldcache error: process")}});
  }
  return hits;
}

Hits find_pivot_root(const ReadinessFacts& facts) {
  const std::string& type = facts.kernel.root_fs;
  const std::string version = toolkit_version(facts);
  if (!has_gpu(facts) || (type != "rootfs" && type != "ramfs") || version.empty() ||
      compare_versions(version, kPivotToolkit) != 0)
    return {};
  Hit hit{.title = fmt::format(msg::kPivotRoot, version, type),
          .evidence = {host_evidence(msg::kRootFs, type),
                       host_evidence("nvidia-container-toolkit", version)}};
  if (const auto specs = gpu_specs(facts); !specs.empty()) {
    // NVIDIA's runtime makes a spec of its own, with the hook, whatever the one on the disk says.
    const bool by_runtime = std::ranges::any_of(
        facts.containers, [](const ContainerFact& one) { return gpu_request(one).by_runtime; });
    const bool runs_hook = has_hook(*specs.front(), "update-ldcache");
    if (!runs_hook && !by_runtime) return {};
    if (runs_hook)
      hit.evidence.push_back({Evidence::Source::file, specs.front()->path, 0, "update-ldcache"});
  }
  return {hit};
}

Hits find_tegra_flag(const ReadinessFacts& facts) {
  const std::string mode = toolkit_setting(facts, "mode").value_or("auto");
  const bool is_other_mode = mode == "csv" || mode == "cdi";
  if (!facts.kernel.is_tegra && !is_other_mode) return {};
  if (facts.kernel.is_tegra && mode == "legacy") return {};
  auto users = hook_users(facts);
  std::erase_if(users, [](const ContainerFact* one) {
    const GpuRequest request = gpu_request(*one);
    return !request.by_flag || request.by_runtime;
  });
  if (users.empty()) return {};
  Hit hit{.title = is_other_mode ? fmt::format(msg::kModeFlag, names_of(users), mode)
                                 : fmt::format(msg::kTegraFlag, names_of(users)),
          .evidence = {}};
  if (facts.toolkit.config.text)
    hit.evidence.push_back(file_evidence(facts.toolkit.config, "mode"));
  return {hit};
}

Hits find_wsl_without_gpu(const ReadinessFacts& facts) {
  if (!facts.kernel.in_wsl || facts.kernel.in_container) return {};
  // Whoever has no GPU wants none: only where NVIDIA's tools or a container ask for one.
  const bool is_wanted = !facts.toolkit.programs.empty() || wants_gpu(facts);
  const bool has_cuda = has_library(facts, "libcuda.so");
  if (!is_wanted || (facts.kernel.has_dxg && has_cuda)) return {};
  const bool lacks_node = !facts.kernel.has_dxg;
  return {
      {.title = std::string(lacks_node ? msg::kWslNoDxg : msg::kWslNoCuda),
       .evidence = {host_evidence(lacks_node ? msg::kDxg : msg::kWslStore, msg::kNodeIsNotThere)}}};
}

Hits find_lxc_without_gpu(const ReadinessFacts& facts) {
  if (!facts.kernel.in_container || facts.kernel.container_manager != "lxc" ||
      nvidia_displays(facts).empty())
    return {};
  const bool has_driver = has_library(facts, "libnvidia-ml.so");
  if (!has_driver && facts.toolkit.programs.empty() && !wants_gpu(facts)) return {};
  std::vector<std::string> lacks = facts.driver.missing_nodes;
  std::erase_if(lacks, [](const std::string& path) { return path.ends_with("-tools"); });
  if (!has_driver) lacks.emplace_back(msg::kTheLibraries);
  if (lacks.empty()) return {};
  std::vector<Evidence> evidence;
  for (const std::string& one : lacks) evidence.push_back(host_evidence(one, msg::kNodeIsNotThere));
  return {{.title = fmt::format(msg::kLxcLacks, joined(lacks)), .evidence = std::move(evidence)}};
}

Hits find_selinux(const ReadinessFacts& facts) {
  if (facts.kernel.selinux.value_or("") != "enforcing" || !has_gpu(facts) || !is_host(facts) ||
      facts.kernel.container_use_devices.value_or(true) || !labels_containers(facts))
    return {};
  const bool is_podman = facts.engine.kind == EngineKind::podman;
  Hit hit{
      .title = fmt::format(msg::kSelinuxRefuses, is_podman ? msg::kPodmanName : msg::kDockerName),
      .evidence = {
          host_evidence(msg::kSelinuxBoolean, fmt::format(msg::kSelinuxOff, "enforcing"))}};
  // NVIDIA's own guide has Podman run with label=disable.
  if (is_podman) hit.severity = Severity::warning;
  return {hit};
}

}  // namespace estiva::decide
