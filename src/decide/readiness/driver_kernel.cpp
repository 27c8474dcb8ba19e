// D1 to D10: what stands on PCI, which driver has it, and whether module, libraries and kernel fit
// together.
#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "base/messages/decide_doctor_driver.h"
#include "decide/readiness/finders.h"
#include "format/kernel_log.h"

namespace estiva::decide {
namespace {

constexpr unsigned kXidOffTheBus = 79;

Evidence pci_evidence(const PciFact& device) {
  return host_evidence(fmt::format(msg::kPciDevice, device.bus_id),
                       fmt::format(msg::kPciIs, device.vendor, device.device,
                                   device.driver.empty() ? msg::kNoDriverBound : device.driver));
}

std::vector<Evidence> pci_evidence(std::span<const PciFact* const> devices) {
  std::vector<Evidence> evidence;
  for (const PciFact* one : devices) evidence.push_back(pci_evidence(*one));
  return evidence;
}

Evidence module_evidence(const ReadinessFacts& facts) {
  const std::string& version = facts.kernel.module_version;
  return host_evidence(msg::kLoadedModule, version.empty() ? std::string(msg::kNoModule)
                                                           : fmt::format(msg::kModuleIs, version));
}

Evidence library_evidence(const ReadinessFacts& facts) {
  return host_evidence(msg::kDriverLibraries,
                       fmt::format(msg::kLibrariesAre, facts.driver.files.library_version));
}

Evidence kernel_evidence(const KernelFact& kernel, std::string_view text) {
  return host_evidence(fmt::format(msg::kModulesFolder, kernel.release), text);
}

// NVIDIA's GPUs that nobody handed to a virtual machine.
std::vector<const PciFact*> own_gpus(const ReadinessFacts& facts) {
  std::vector<const PciFact*> found = nvidia_displays(facts);
  std::erase_if(found, [](const PciFact* one) { return one->driver == "vfio-pci"; });
  return found;
}

// What the kernel writes where it refuses a module (kernel/module/signing.c).
std::vector<Evidence> refusals(const ReadinessFacts& facts) {
  for (const char* words :
       {"Key was rejected by service", "module with unavailable key is rejected",
        "unsigned module is rejected"}) {
    std::vector<Evidence> found = kernel_says(facts, words);
    if (!found.empty()) return found;
  }
  return {};
}

bool is_refused_now(const ReadinessFacts& facts) {
  const KernelFact* running = running_kernel(facts);
  return running != nullptr && running->has_nvidia && facts.kernel.secure_boot.value_or(false) &&
         !is_loaded(facts, "nvidia") &&
         (!running->is_signed.value_or(true) || !refusals(facts).empty());
}

// The modprobe line that forbids `module`; null: none does.
const SourceLine* blacklist_of(const ReadinessFacts& facts, std::string_view module) {
  for (const SourceLine& one : facts.kernel.modprobe_lines) {
    const std::string off = fmt::format("blacklist {}", module);
    const std::string never = fmt::format("install {} /bin/", module);
    const std::string alias = fmt::format("alias {} off", module);
    if (one.text == off || one.text == alias || one.text.starts_with(never)) return &one;
  }
  return nullptr;
}

bool is_forbidden_at_boot(const ReadinessFacts& facts) {
  const std::string line = " " + facts.kernel.command_line + " ";
  for (const char* words : {"module_blacklist=", "modprobe.blacklist="}) {
    const std::size_t at = line.find(words);
    if (at == line.npos) continue;
    const std::string list = line.substr(at, line.find(' ', at) - at);
    for (const char* name : {"=nvidia", ",nvidia"}) {
      const std::size_t found = list.find(name);
      if (found == list.npos) continue;
      const std::size_t end = found + std::string_view(name).size();
      if (end == list.size() || list[end] == ',') return true;
    }
  }
  return false;
}

Hit forbidden_hit(const ReadinessFacts& facts, const SourceLine* line) {
  Hit hit;
  hit.fix = Fix::guide;  // somebody wanted it so, and what loads modules at boot heeds the list
  if (line != nullptr) {
    hit.title = fmt::format(msg::kNotLoadedBlacklist, line->path, line->line);
    hit.remedy = fmt::format(msg::kUnblacklist, line->line, line->path);
    hit.evidence = {file_evidence(*line), module_evidence(facts)};
  } else {
    hit.title = msg::kNotLoadedCommandLine;
    hit.remedy = msg::kUnblacklistCommandLine;
    hit.evidence = {host_evidence(msg::kProcCommandLine, facts.kernel.command_line),
                    module_evidence(facts)};
  }
  return hit;
}

bool is_driver_package(std::string_view name) {
  if (name.find("container") != name.npos) return false;
  constexpr std::array<std::string_view, 8> kParts = {
      "nvidia-driver", "libnvidia-compute",    "libcuda1",    "nvidia-dkms",
      "nvidia-kernel", "linux-modules-nvidia", "kmod-nvidia", "akmod-nvidia"};
  return std::ranges::any_of(kParts, [&](std::string_view part) { return name.starts_with(part); });
}

// That upgrades may swap the driver unasked: worth knowing, and the stock state of Ubuntu.
Hits find_unheld(const ReadinessFacts& facts) {
  if (!facts.driver.upgrades_itself || !is_loaded(facts, "nvidia")) return {};
  for (const auto& [name, version] : facts.driver.packages) {
    const bool held =
        std::ranges::find(facts.driver.held_packages, name) != facts.driver.held_packages.end();
    if (held || !is_driver_package(name)) continue;
    return {{.title = fmt::format(msg::kDriverNotHeld, facts.kernel.module_version, name),
             .evidence = {host_evidence(name, version)},
             .remedy = fmt::format(fmt::runtime(pick(facts, msg::kHoldDriver)), name),
             .severity = Severity::info}};
  }
  return {};
}

// The last branch that supports the device; 0: today's do. PCI ids rise with the generations:
// Kepler from 0x0fc0, Maxwell from 0x1340, Turing from 0x1e00 (pci.ids, and the driver's README).
unsigned last_branch(const PciFact& device) {
  if (device.device < 0x0fc0) return 390;
  if (device.device < 0x1340) return 470;
  return device.device < 0x1e00 ? 580 : 0;
}
bool is_blackwell(const PciFact& device) {
  return device.device >= 0x2900 && device.device < 0x3000;
}

// Lines of the log in which the driver refuses this GPU; those that name another one don't count.
std::vector<Evidence> start_failures(const ReadinessFacts& facts, const PciFact& device) {
  std::vector<Evidence> found;
  for (const char* words : {"requires use of the NVIDIA open kernel modules",
                            "is not supported by open", "RmInitAdapter failed"}) {
    for (Evidence& one : kernel_says(facts, words)) {
      const bool names_another = one.text.find("GPU 0") != std::string::npos &&
                                 one.text.find(plain_bus_id(device.bus_id)) == std::string::npos;
      if (!names_another) found.push_back(std::move(one));
    }
  }
  return found;
}

bool says(std::span<const Evidence> evidence, std::string_view words) {
  return std::ranges::any_of(
      evidence, [&](const Evidence& one) { return one.text.find(words) != one.text.npos; });
}

std::optional<Hit> judge_start(const ReadinessFacts& facts, const PciFact& device) {
  const std::string& version = facts.kernel.module_version;
  std::vector<Evidence> evidence = start_failures(facts, device);
  const bool is_open = facts.kernel.is_open_module;
  const unsigned last = last_branch(device);
  Hit hit;
  if (!is_open && (is_blackwell(device) || says(evidence, "requires use of the NVIDIA open"))) {
    hit.title = fmt::format(msg::kNeedsOpenModule, device.bus_id, version);
    hit.remedy = fmt::format(fmt::runtime(pick(facts, msg::kInstallOpen)), driver_branch(version));
  } else if (is_open && (last != 0 || says(evidence, "is not supported by open"))) {
    hit.title = fmt::format(msg::kNeedsClosedModule, device.bus_id, version);
    hit.remedy = fmt::format(fmt::runtime(pick(facts, msg::kInstallOld)), last == 0 ? 580U : last);
  } else if (last != 0 && driver_branch(version) > last) {
    hit.title = fmt::format(msg::kNeedsOldBranch, device.bus_id, version, last);
    hit.remedy = fmt::format(fmt::runtime(pick(facts, msg::kInstallOld)), last);
  } else if (!evidence.empty()) {
    hit.title = fmt::format(msg::kInitFailed, device.bus_id);
  } else {
    return std::nullopt;
  }
  hit.evidence = {pci_evidence(device), module_evidence(facts)};
  hit.evidence.insert(hit.evidence.end(), evidence.begin(), evidence.end());
  return hit;
}

// Why the device counts as gone; empty: it does not.
std::vector<Evidence> signs_of_loss(const ReadinessFacts& facts, const PciFact& device) {
  std::vector<Evidence> found;
  if (!device.answers && device.power_state != "suspended") {
    found.push_back(host_evidence(fmt::format(msg::kPciDevice, device.bus_id), msg::kSilentDevice));
  }
  for (const Gpu& gpu : facts.driver.gpus) {
    const bool same = plain_bus_id(gpu.identity.pci_bus_id) == plain_bus_id(device.bus_id);
    if (same && gpu.sample.state == GpuState::lost)
      found.push_back(host_evidence("NVML", msg::kNvmlLost));
  }
  if (is_listed(facts, device) || !facts.kernel.log) return found;
  for (const std::string& line : *facts.kernel.log) {
    const std::size_t at = line.find("NVRM:");
    const auto report = format::parse_xid_line(at == line.npos ? std::string_view(line)
                                                               : std::string_view(line).substr(at));
    if (report && report->code == kXidOffTheBus &&
        plain_bus_id(device.bus_id).starts_with(report->slot))
      found.push_back(host_evidence(msg::kKernelLog, line));
  }
  return found;
}

}  // namespace

Hits find_driver_missing(const ReadinessFacts& facts) {
  const auto gpus = own_gpus(facts);
  if (!is_host(facts) || gpus.empty() || has_library(facts, "libnvidia-ml.so")) return {};
  return {{.title = fmt::format(msg::kDriverMissing, bus_ids(gpus)),
           .evidence = pci_evidence(gpus),
           .remedy = std::string(pick(facts, msg::kInstallDriver))}};
}

Hits find_module_not_loaded(const ReadinessFacts& facts) {
  const KernelFact* running = running_kernel(facts);
  if (!is_host(facts) || usable_gpus(facts).empty() || is_loaded(facts, "nvidia")) return {};
  if (running == nullptr || !running->has_nvidia || is_refused_now(facts)) return {};
  const SourceLine* blacklist = blacklist_of(facts, "nvidia");
  if (blacklist != nullptr || is_forbidden_at_boot(facts)) return {forbidden_hit(facts, blacklist)};
  return {{.title = fmt::format(msg::kModuleNotLoaded, running->release),
           .evidence = {module_evidence(facts)}}};
}

Hits find_version_mismatch(const ReadinessFacts& facts) {
  const std::string& module = facts.kernel.module_version;
  const std::string& libraries = facts.driver.files.library_version;
  if (module.empty() || libraries.empty() || module == libraries || facts.kernel.in_wsl) return {};
  const std::vector<Evidence> evidence = {module_evidence(facts), library_evidence(facts)};
  if (facts.kernel.in_container) {
    return {{.title = fmt::format(msg::kMismatchInContainer, libraries, module),
             .evidence = evidence,
             .remedy = std::string(msg::kMismatchRecreate)}};
  }
  return {{.title = fmt::format(msg::kMismatch, module, libraries), .evidence = evidence}};
}

Hits find_coming_mismatch(const ReadinessFacts& facts) {
  const std::string& libraries = facts.driver.files.library_version;
  const std::string& loaded = facts.kernel.module_version;
  if (!is_host(facts) || usable_gpus(facts).empty()) return {};
  if (!loaded.empty() && !libraries.empty() && loaded != libraries) return {};  // D3: it has come
  const KernelFact* boot = next_kernel(facts);
  if (boot == nullptr) boot = running_kernel(facts);
  const bool differs = boot != nullptr && boot->has_nvidia && boot->nvidia_version.known() &&
                       !boot->nvidia_version->empty() && !libraries.empty() &&
                       *boot->nvidia_version != libraries;
  if (!differs) return find_unheld(facts);
  const std::string version = *boot->nvidia_version;
  return {{.title = fmt::format(msg::kMismatchAtBoot, boot->release, version, libraries),
           .evidence = {kernel_evidence(*boot, version), library_evidence(facts)},
           .remedy = std::string(pick(facts, msg::kAlignDriver))}};
}

Hits find_secure_boot_refusal(const ReadinessFacts& facts) {
  if (!is_host(facts) || own_gpus(facts).empty() || !facts.kernel.secure_boot.value_or(false))
    return {};
  const std::string remedy(pick(facts, msg::kEnrolKey));
  std::vector<Evidence> evidence = {host_evidence(msg::kSecureBootVariable, msg::kSecureBootOn)};
  const KernelFact* running = running_kernel(facts);
  if (is_refused_now(facts)) {
    if (!running->is_signed.value_or(true))
      evidence.push_back(kernel_evidence(*running, msg::kModuleUnsigned));
    for (Evidence& one : refusals(facts)) evidence.push_back(std::move(one));
    return {{.title = fmt::format(msg::kSecureBootNow, running->release),
             .evidence = std::move(evidence),
             .remedy = remedy}};
  }
  // The running kernel took a signed module, so Secure Boot is enforced here; the next has none.
  const KernelFact* next = next_kernel(facts);
  if (next == nullptr || !next->has_nvidia || next->is_signed.value_or(true)) return {};
  if (!running->is_signed.value_or(false) || !is_loaded(facts, "nvidia")) return {};
  evidence.push_back(kernel_evidence(*next, msg::kModuleUnsigned));
  return {{.title = fmt::format(msg::kSecureBootNext, next->release),
           .evidence = std::move(evidence),
           .remedy = remedy}};
}

Hits find_kernel_without_module(const ReadinessFacts& facts) {
  if (!is_host(facts) || own_gpus(facts).empty() || facts.kernel.kernels.empty() ||
      !has_library(facts, "libnvidia-ml.so"))
    return {};
  const KernelFact* running = running_kernel(facts);
  const bool is_up = is_loaded(facts, "nvidia");
  if (running == nullptr) {
    if (is_up && is_loaded(facts, "nvidia_uvm")) return {};
    return {
        {.title = fmt::format(msg::kKernelReplaced, is_up ? "nvidia_uvm" : "nvidia"),
         .evidence = {host_evidence(fmt::format(msg::kModulesFolder, ""), msg::kNoRunningFolder)},
         .remedy = std::string(msg::kRestartMachine)}};
  }
  const KernelFact* next = next_kernel(facts);
  const bool now = !running->has_nvidia && !is_up;
  // akmods builds the module while the new kernel boots.
  const bool later =
      next != nullptr && !next->has_nvidia && !facts.driver.packages.contains("akmod-nvidia");
  if (!now && !later) return {};
  const KernelFact& lacks = now ? *running : *next;
  const std::string_view title = now ? msg::kNoModuleRunning : msg::kNoModuleNext;
  return {{.title = fmt::format(fmt::runtime(title), lacks.release),
           .evidence = {kernel_evidence(lacks, msg::kModulesDepLacks)},
           .remedy = fmt::format(fmt::runtime(pick(facts, msg::kBuildModule)), lacks.release)}};
}

Hits find_other_driver(const ReadinessFacts& facts) {
  std::vector<const PciFact*> held = nvidia_displays(facts);
  std::erase_if(held, [](const PciFact* one) { return !has_other_driver(*one); });
  // Where NVIDIA's driver was never installed, D1 says so.
  if (!is_host(facts) || held.empty() || !has_library(facts, "libnvidia-ml.so")) return {};
  return {{.title = fmt::format(msg::kHeldBy, bus_ids(held), held.front()->driver),
           .evidence = pci_evidence(held),
           .remedy = std::string(pick(facts, msg::kBlacklistNouveau))}};
}

Hits find_passed_through(const ReadinessFacts& facts) {
  std::vector<const PciFact*> passed = nvidia_displays(facts);
  std::erase_if(passed, [](const PciFact* one) { return one->driver != "vfio-pci"; });
  if (!is_host(facts) || passed.empty()) return {};
  const bool missed = usable_gpus(facts).empty() && wants_gpu(facts);
  Hit hit{.title = fmt::format(msg::kPassedThrough, bus_ids(passed)),
          .evidence = pci_evidence(passed)};
  if (!missed) hit.severity = Severity::info;
  return {hit};
}

Hits find_failed_start(const ReadinessFacts& facts) {
  if (!is_host(facts) || facts.kernel.module_version.empty()) return {};
  Hits hits;
  for (const PciFact* one : usable_gpus(facts)) {
    if (is_listed(facts, *one) || !signs_of_loss(facts, *one).empty()) continue;
    if (auto hit = judge_start(facts, *one)) hits.push_back(std::move(*hit));
  }
  return hits;
}

Hits find_off_the_bus(const ReadinessFacts& facts) {
  Hits hits;
  if (facts.kernel.in_container) return hits;
  for (const PciFact* one : usable_gpus(facts)) {
    std::vector<Evidence> evidence = signs_of_loss(facts, *one);
    if (evidence.empty()) continue;
    hits.push_back(
        {.title = fmt::format(msg::kOffTheBus, one->bus_id), .evidence = std::move(evidence)});
  }
  return hits;
}

}  // namespace estiva::decide
