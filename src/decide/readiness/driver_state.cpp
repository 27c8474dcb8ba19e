// D15 to D22: what the driver and CUDA say, and what the machine does to them.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/decide_doctor_driver.h"
#include "decide/readiness/finders.h"

namespace estiva::decide {
namespace {

// Numbers of cuInit (CUDA driver API, CUresult).
constexpr int kCudaNotReady = 802;
constexpr std::array<int, 4> kCudaAfterSleep = {3, 46, 100, 999};
// nvmlGpuFabricState_t: 0 where there is no fabric.
constexpr unsigned kFabricCompleted = 3;
// nvmlComputeMode_t.
constexpr unsigned kModeDefault = 0, kModeProhibited = 2;
constexpr unsigned kStrictOvercommit = 2;  // Documentation/mm/overcommit-accounting
// nvmlClocksEventReasons: thermal slowdown and power brake by the hardware.
constexpr std::uint64_t kHardwareSlowdown = 0x40 | 0x80;

std::string_view param(const ReadinessFacts& facts, const std::string& name) {
  const auto found = facts.kernel.nvidia_params.find(name);
  return found == facts.kernel.nvidia_params.end() ? std::string_view() : found->second;
}

// What is set so that the GPU's memory is lost in suspend; empty: nothing, or not known.
std::vector<Evidence> loses_memory(const ReadinessFacts& facts) {
  std::vector<Evidence> found;
  // Newer drivers hear of suspend from the kernel itself, and need neither option nor units.
  if (param(facts, "UseKernelSuspendNotifiers") == "1") return found;
  if (param(facts, "PreserveVideoMemoryAllocations") == "0") {
    found.push_back(host_evidence(msg::kNvidiaParams, "PreserveVideoMemoryAllocations: 0"));
  }
  for (const UnitFact& unit : facts.units) {
    if ((unit.name != "nvidia-suspend.service" && unit.name != "nvidia-resume.service") ||
        unit.is_enabled)
      continue;
    found.push_back(
        {Evidence::Source::file, unit.path, 0, fmt::format(msg::kUnitNotEnabled, unit.name)});
  }
  return found;
}

Evidence cuda_evidence(const ReadinessFacts& facts) {
  return host_evidence(msg::kCudaInit, fmt::format(msg::kCudaAnswered, *facts.driver.cuda_init));
}

// A screen, or a card that is meant to sleep, is kept or let go by others.
bool is_headless(const ReadinessFacts& facts) {
  return std::ranges::all_of(usable_gpus(facts), [](const PciFact* one) {
    return one->connectors.empty() && one->power_control != "auto";
  });
}

bool is_persistence_off(const ReadinessFacts& facts) {
  return !facts.driver.gpus.empty() && std::ranges::all_of(facts.driver.gpus, [](const Gpu& gpu) {
    return gpu.wear.persistence_mode.known() && *gpu.wear.persistence_mode == 0;
  });
}

const SourceLine* hmm_option(const ReadinessFacts& facts) {
  for (const SourceLine& one : facts.kernel.modprobe_lines) {
    if (one.text.find("uvm_disable_hmm=1") != std::string::npos) return &one;
  }
  return nullptr;
}

std::optional<Hit> judge_heat(const Gpu& gpu) {
  const GpuIdentity& who = gpu.identity;
  const Reading<Celsius>& now = gpu.sample.temperature;
  const std::string where = fmt::format(msg::kDoctorGpu, who.index, who.name);
  if (now && who.slowdown_at && now->value >= who.slowdown_at->value) {
    const std::string title =
        fmt::format(msg::kTooHot, who.index, who.name, now->value, who.slowdown_at->value);
    return Hit{.title = title,
               .evidence = {host_evidence(where, fmt::format("{:.0f} C", now->value))}};
  }
  const std::uint64_t reasons = gpu.sample.clock_event_reasons.value_or(0);
  if ((reasons & kHardwareSlowdown) == 0) return std::nullopt;
  return Hit{.title = fmt::format(msg::kBraked, who.index, who.name),
             .evidence = {host_evidence(where, fmt::format(msg::kClockReasons, reasons))}};
}

}  // namespace

Hits find_lost_by_sleep(const ReadinessFacts& facts) {
  if (!is_host(facts) || usable_gpus(facts).empty() || !is_loaded(facts, "nvidia")) return {};
  if (!facts.kernel.slept_since_module.value_or(false)) return {};
  std::vector<Evidence> evidence = loses_memory(facts);
  const Reading<int>& cuda = facts.driver.cuda_init;
  if (cuda && std::ranges::find(kCudaAfterSleep, *cuda) != kCudaAfterSleep.end()) {
    evidence.insert(evidence.begin(), cuda_evidence(facts));
    return {{.title = fmt::format(msg::kBrokenAfterSleep, *cuda),
             .evidence = std::move(evidence),
             .remedy = std::string(msg::kReloadUvm)}};
  }
  if (evidence.empty()) return {};
  return {{.title = std::string(msg::kLosesMemory),
           .evidence = std::move(evidence),
           .severity = Severity::warning}};
}

Hits find_no_persistence(const ReadinessFacts& facts) {
  const bool has_user = std::ranges::any_of(
      facts.containers, [](const ContainerFact& one) { return gpu_request(one).any(); });
  if (!is_host(facts) || !has_user || !is_loaded(facts, "nvidia") || usable_gpus(facts).empty())
    return {};
  if (facts.driver.persistence_running || !is_headless(facts) || !is_persistence_off(facts))
    return {};
  return {{.title = std::string(msg::kNotPersistent),
           .evidence = {host_evidence("NVML", msg::kPersistenceOff)}}};
}

Hits find_fabric_down(const ReadinessFacts& facts) {
  const DriverFacts& driver = facts.driver;
  const Reading<int>& cuda = driver.cuda_init;
  const bool is_refused = cuda && *cuda == kCudaNotReady;
  const std::string& loaded = facts.kernel.module_version;
  const auto& installed = driver.fabric_manager_version;
  const std::vector<Evidence> answer =
      is_refused ? std::vector<Evidence>{cuda_evidence(facts)} : std::vector<Evidence>{};
  if (is_host(facts) && driver.has_nvswitch && !loaded.empty()) {
    if (installed && !installed->empty() && compare_versions(*installed, loaded) != 0) {
      std::vector<Evidence> evidence = {host_evidence(msg::kFabricVersion, *installed),
                                        host_evidence(msg::kLoadedModule, loaded)};
      evidence.insert(evidence.end(), answer.begin(), answer.end());
      return {{.title = fmt::format(msg::kFabricManagerOther, *installed, loaded),
               .evidence = std::move(evidence)}};
    }
    const bool is_up = std::ranges::any_of(driver.gpus, [](const Gpu& gpu) {
      return gpu.wear.fabric_state.known() && *gpu.wear.fabric_state == kFabricCompleted;
    });
    if (!driver.fabric_manager_running && !is_up) {
      std::vector<Evidence> evidence = {host_evidence(msg::kFabricVersion, msg::kDoesNotRun)};
      evidence.insert(evidence.end(), answer.begin(), answer.end());
      return {{.title = std::string(msg::kFabricManagerStopped), .evidence = std::move(evidence)}};
    }
  }
  if (!is_refused) return {};
  return {{.title = std::string(msg::kFabricNotReady), .evidence = answer}};
}

Hits find_hmm_failure(const ReadinessFacts& facts) {
  if (!is_host(facts) || facts.driver.cuda_init.value_or(1) == 0) return {};
  std::vector<Evidence> evidence = kernel_says(facts, "request_free_mem_region");
  std::erase_if(evidence, [](const Evidence& one) {
    return one.text.find("uvm_pmm_gpu.c") == std::string::npos;
  });
  if (evidence.empty()) return {};
  Hit hit{.title = std::string(msg::kHmmFails), .evidence = std::move(evidence)};
  if (const SourceLine* option = hmm_option(facts)) {
    hit.evidence.push_back(file_evidence(*option));
    hit.remedy = fmt::format(msg::kHmmOffAfterBoot, option->path);
  }
  return {hit};
}

Hits find_strict_overcommit(const ReadinessFacts& facts) {
  if (!is_host(facts) || usable_gpus(facts).empty()) return {};
  if (facts.kernel.overcommit_memory.value_or(0) != kStrictOvercommit) return {};
  // Only NVIDIA's older way runs the driver in a helper that needs so much address space.
  if (!facts.toolkit.programs.contains("nvidia-container-cli")) return {};
  std::vector<Evidence> evidence = kernel_says(facts, "__vm_enough_memory");
  std::erase_if(evidence, [](const Evidence& one) {
    return one.text.find("nvc:[driver]") == std::string::npos;
  });
  const bool has_failed = !evidence.empty();
  evidence.insert(evidence.begin(), host_evidence(msg::kOvercommitFile, "2"));
  Hit hit{.title = std::string(has_failed ? msg::kOvercommitFails : msg::kOvercommitMay),
          .evidence = std::move(evidence)};
  if (!has_failed) hit.severity = Severity::warning;
  return {hit};
}

Hits find_compute_mode(const ReadinessFacts& facts) {
  const Reading<unsigned>& mode = facts.driver.compute_mode;
  if (!mode || *mode == kModeDefault) return {};
  const std::vector<Evidence> evidence = {
      host_evidence("NVML", fmt::format("{} {}", msg::kComputeMode, *mode))};
  if (*mode == kModeProhibited)
    return {{.title = std::string(msg::kComputeProhibited), .evidence = evidence}};
  if (facts.driver.mps_running) return {};  // MPS wants it so
  return {{.title = std::string(msg::kComputeExclusive),
           .evidence = evidence,
           .severity = Severity::warning}};
}

Hits find_dead_mps(const ReadinessFacts& facts) {
  const auto specs = gpu_specs(facts);
  if (!is_host(facts) || facts.driver.mps_running || !facts.driver.mps_folder || specs.empty())
    return {};
  const CdiFile& file = *specs.front();
  const auto mount = std::ranges::find_if(file.spec.edits.mounts, [](const CdiMount& one) {
    return one.host_path.starts_with("/tmp/nvidia-mps");
  });
  if (mount == file.spec.edits.mounts.end()) return {};
  return {{.title = fmt::format(msg::kMpsDead, file.path, mount->host_path),
           .evidence = {{Evidence::Source::file, file.path, 0, mount->host_path}}}};
}

Hits find_slowed_down(const ReadinessFacts& facts) {
  Hits hits;
  for (const Gpu& gpu : facts.driver.gpus) {
    if (auto hit = judge_heat(gpu)) hits.push_back(std::move(*hit));
  }
  return hits;
}

}  // namespace estiva::decide
