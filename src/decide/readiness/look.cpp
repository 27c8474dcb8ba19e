#include "decide/readiness/look.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>

#include "format/text.h"

namespace estiva::decide {
namespace {

constexpr unsigned kNvidia = 0x10de;
constexpr unsigned kDisplayClass = 0x03;  // PCI's base class of display controllers
constexpr std::size_t kMaxNames = 3;      // a title stays a sentence
constexpr std::size_t kBusIdLength = 12;  // "0000:01:00.0"

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

bool is_gpu_capability(const std::string& name) {
  return name == "gpu" || name == "nvidia" || name == "compute" || name == "utility";
}

// The numbers of a version, in order: {28, 5, 2} of "28.5.2", "v28.5.2-rc1" and "5:28.5.2-1".
std::vector<std::uint64_t> numbers_of(std::string_view version) {
  if (const std::size_t colon = version.find(':'); colon != version.npos)
    version.remove_prefix(colon + 1);
  if (version.starts_with('v')) version.remove_prefix(1);
  std::vector<std::uint64_t> numbers;
  while (!version.empty() && std::isdigit(static_cast<unsigned char>(version[0])) != 0) {
    const std::size_t end = std::min(version.find_first_not_of("0123456789"), version.size());
    numbers.push_back(format::parse_u64(version.substr(0, end)).value_or(0));
    version.remove_prefix(end);
    if (!version.starts_with('.')) break;
    version.remove_prefix(1);
  }
  return numbers;
}

}  // namespace

bool is_host(const ReadinessFacts& facts) {
  return !facts.kernel.in_container && !facts.kernel.in_wsl;
}

std::vector<const PciFact*> nvidia_displays(const ReadinessFacts& facts) {
  std::vector<const PciFact*> found;
  for (const PciFact& one : facts.kernel.pci) {
    if (one.vendor == kNvidia && one.pci_class >> 16 == kDisplayClass) found.push_back(&one);
  }
  return found;
}

bool has_other_driver(const PciFact& device) {
  constexpr std::array<std::string_view, 6> kOthers = {"nouveau", "nova_core", "NovaCore",
                                                       "nova",    "nvidiafb",  "rivafb"};
  return std::ranges::find(kOthers, device.driver) != kOthers.end();
}

std::vector<const PciFact*> usable_gpus(const ReadinessFacts& facts) {
  std::vector<const PciFact*> found = nvidia_displays(facts);
  std::erase_if(found, [](const PciFact* one) {
    return one->driver == "vfio-pci" || has_other_driver(*one);
  });
  return found;
}

bool has_gpu(const ReadinessFacts& facts) {
  const KernelFacts& kernel = facts.kernel;
  if (kernel.in_wsl) return kernel.has_dxg && has_library(facts, "libcuda.so");
  return kernel.is_tegra || !usable_gpus(facts).empty();
}

bool is_listed(const ReadinessFacts& facts, const PciFact& device) {
  const std::string wanted = plain_bus_id(device.bus_id);
  return std::ranges::any_of(facts.driver.gpus, [&](const Gpu& gpu) {
    return plain_bus_id(gpu.identity.pci_bus_id) == wanted && gpu.sample.state != GpuState::lost &&
           gpu.sample.state != GpuState::failed;
  });
}

bool is_loaded(const ReadinessFacts& facts, std::string_view module) {
  if (module == "nvidia" && !facts.kernel.module_version.empty()) return true;
  return std::ranges::any_of(facts.kernel.modules,
                             [&](const ModuleFact& one) { return one.name == module; });
}

bool has_library(const ReadinessFacts& facts, std::string_view prefix) {
  const auto is_it = [&](std::string_view path) {
    return path.substr(path.rfind('/') + 1).starts_with(prefix);
  };
  return std::ranges::any_of(facts.driver.files.libraries, [&](const DriverLibrary& one) {
    return !one.is_32bit && (is_it(one.path) || one.soname.starts_with(prefix));
  });
}

const KernelFact* running_kernel(const ReadinessFacts& facts) {
  const auto found = std::ranges::find_if(facts.kernel.kernels, &KernelFact::is_running);
  return found == facts.kernel.kernels.end() ? nullptr : &*found;
}

const KernelFact* next_kernel(const ReadinessFacts& facts) {
  const KernelFact* running = running_kernel(facts);
  if (running == nullptr) return nullptr;
  const std::string flavour = kernel_flavour(running->release);
  const KernelFact* next = nullptr;
  for (const KernelFact* one = running + 1;
       one != facts.kernel.kernels.data() + facts.kernel.kernels.size(); ++one) {
    if (one->is_bootable.value_or(false) && kernel_flavour(one->release) == flavour) next = one;
  }
  return next;
}

std::string kernel_flavour(std::string_view release) {
  std::string flavour;
  std::size_t at = std::min(release.find_first_of("-+"), release.size());
  while (at < release.size()) {
    const std::size_t end = std::min(release.find_first_of("-+", at + 1), release.size());
    std::string_view word = release.substr(at + 1, end - at - 1);
    at = end;
    if (word.empty() || std::isalpha(static_cast<unsigned char>(word[0])) == 0) continue;
    const std::size_t letters = word.find_last_not_of("0123456789.");
    if (!word.ends_with("64")) word = word.substr(0, letters + 1);  // "amd64", but not "arch1"
    flavour += (flavour.empty() ? "" : "-") + std::string(word);
  }
  return flavour;
}

std::vector<Evidence> kernel_says(const ReadinessFacts& facts, std::string_view part) {
  std::vector<Evidence> found;
  if (!facts.kernel.log) return found;
  for (const std::string& line : *facts.kernel.log) {
    if (line.find(part) == line.npos) continue;
    found.push_back(host_evidence(msg::kKernelLog, line));
    if (found.size() > kMaxLogEvidence) found.erase(found.begin());
  }
  return found;
}

std::string plain_bus_id(std::string_view bus_id) {
  if (bus_id.size() > kBusIdLength) bus_id.remove_prefix(bus_id.size() - kBusIdLength);
  return lower(bus_id);
}

std::string bus_ids(std::span<const PciFact* const> devices) {
  std::vector<std::string> ids;
  for (const PciFact* one : devices) ids.push_back(one->bus_id);
  return joined(ids);
}

GpuRequest gpu_request(const ContainerFact& container) {
  GpuRequest found;
  for (const DeviceRequest& one : container.requests) {
    const bool names_cdi = std::ranges::any_of(one.ids, [](const std::string& id) {
      return id.starts_with("nvidia.com/") || id.starts_with("estiva.dev/");
    });
    if (names_cdi) {
      found.by_cdi = true;
    } else if (one.driver == "nvidia" ||
               (one.driver.empty() && std::ranges::any_of(one.capabilities, is_gpu_capability))) {
      found.by_flag = true;
    }
  }
  const std::string_view visible = value_of(container.environment, "NVIDIA_VISIBLE_DEVICES");
  found.by_runtime = container.runtime.starts_with("nvidia") && !visible.empty() &&
                     visible != "void" && visible != "none";
  return found;
}

bool has_gpu_asked_for(const ContainerFact& container) {
  return gpu_request(container).any() ||
         std::ranges::any_of(container.device_paths, [](const std::string& path) {
           return path.starts_with("/dev/nvidia") || path == "/dev/dxg";
         });
}

std::vector<const ContainerFact*> containers_where(const ReadinessFacts& facts,
                                                   bool (*is_it)(const GpuRequest&)) {
  std::vector<const ContainerFact*> found;
  for (const ContainerFact& one : facts.containers) {
    if (is_it(gpu_request(one))) found.push_back(&one);
  }
  return found;
}

std::string names_of(std::span<const ContainerFact* const> containers) {
  std::vector<std::string> names;
  for (const ContainerFact* one : containers) {
    if (names.size() == kMaxNames && containers.size() > kMaxNames + 1) {
      names.push_back(fmt::format(msg::kDoctorMore, containers.size() - kMaxNames));
      break;
    }
    names.push_back(one->name.empty() ? one->id.substr(0, 12) : one->name);
  }
  return joined(names);
}

std::vector<const CdiFile*> gpu_specs(const ReadinessFacts& facts) {
  std::vector<const CdiFile*> found;
  for (const CdiFile& one : facts.cdi.files) {
    if (one.error.empty() && !one.is_ignored && one.spec.kind == "nvidia.com/gpu")
      found.push_back(&one);
  }
  std::ranges::stable_sort(found, std::ranges::greater{}, &CdiFile::priority);
  return found;
}

bool wants_gpu(const ReadinessFacts& facts) {
  return !gpu_specs(facts).empty() ||
         std::ranges::any_of(facts.containers,
                             [](const ContainerFact& one) { return gpu_request(one).any(); });
}

bool is_docker(const ReadinessFacts& facts) {
  const EngineKind kind = facts.engine.kind;
  return kind == EngineKind::docker || kind == EngineKind::docker_desktop ||
         kind == EngineKind::docker_snap;
}

bool engine_answered(const ReadinessFacts& facts) {
  const EngineFacts& engine = facts.engine;
  return engine.kind != EngineKind::none && engine.api_error.empty() && !engine.version.empty();
}

std::optional<bool> docker_is_at_least(const ReadinessFacts& facts, std::string_view version) {
  if (!is_docker(facts) || !engine_answered(facts)) return std::nullopt;
  return compare_versions(facts.engine.version, version) >= 0;
}

int compare_versions(std::string_view a, std::string_view b) {
  std::vector<std::uint64_t> left = numbers_of(a), right = numbers_of(b);
  const std::size_t length = std::max(left.size(), right.size());
  left.resize(length);
  right.resize(length);
  return left == right ? 0 : left < right ? -1 : 1;
}

unsigned driver_branch(std::string_view version) {
  const std::vector<std::uint64_t> numbers = numbers_of(version);
  return numbers.empty() ? 0 : static_cast<unsigned>(numbers[0]);
}

std::string_view value_of(std::span<const std::string> environment, std::string_view name) {
  for (const std::string_view one : environment) {
    if (one.starts_with(name) && one.size() > name.size() && one[name.size()] == '=')
      return one.substr(name.size() + 1);
  }
  return {};
}

Distribution distribution_of(const HostRelease& release) {
  const std::string words = release.id + " " + release.like;
  const auto names = [&](std::string_view name) { return words.find(name) != words.npos; };
  if (names("ubuntu")) return Distribution::ubuntu;
  if (names("debian")) return Distribution::debian;
  if (names("fedora") || names("rhel") || names("centos")) return Distribution::fedora;
  return names("arch") ? Distribution::arch : Distribution::other;
}

std::string_view pick(const ReadinessFacts& facts, const msg::PerDistribution& commands) {
  switch (distribution_of(facts.release)) {
    case Distribution::debian:
      return commands.debian;
    case Distribution::ubuntu:
      return commands.ubuntu;
    case Distribution::fedora:
      return commands.fedora;
    case Distribution::arch:
      return commands.arch;
    case Distribution::other:
      break;
  }
  return commands.other;
}

Evidence host_evidence(std::string_view what, std::string_view text) {
  return {Evidence::Source::host, std::string(what), 0, std::string(text)};
}

Evidence engine_evidence(std::string_view what, std::string_view text) {
  return {Evidence::Source::engine, std::string(what), 0, std::string(text)};
}

Evidence file_evidence(const SourceLine& line) {
  return {Evidence::Source::file, line.path, line.line, line.text};
}

Evidence file_evidence(const TextFile& file, std::string_view part) {
  std::string_view rest = file.text.known() ? std::string_view(*file.text) : std::string_view();
  std::string_view line;
  for (unsigned number = 1; format::next_line(rest, line); ++number) {
    if (line.find(part) == line.npos || format::trim(line).starts_with('#')) continue;
    return {Evidence::Source::file, file.path, number, std::string(format::trim(line))};
  }
  return {Evidence::Source::file, file.path, 0, {}};
}

std::string joined(std::span<const std::string> words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? msg::kDoctorAnd : std::string_view(", ");
    text += words[i];
  }
  return text;
}

}  // namespace estiva::decide
