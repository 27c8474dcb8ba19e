// What several of doctor's rules ask of the facts: which GPUs there are, how a container asks for
// one, which version is newer, which distribution's command a remedy names. Pure.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/messages/decide_doctor.h"
#include "decide/readiness/rule.h"

namespace estiva::decide {

using Hits = std::vector<Hit>;

constexpr Rule make_rule(std::string_view id, Severity severity, const msg::DoctorWords& words,
                         Fix fix, Hits (*find)(const ReadinessFacts&)) {
  return {id,           severity, words.name, words.symptom, words.reads,
          words.remedy, fix,      words.undo, words.source,  find};
}

// Neither inside a container nor on WSL: the kernel and its modules are this machine's own.
bool is_host(const ReadinessFacts& facts);
// NVIDIA's display controllers (PCI class 03), also those that another driver holds.
std::vector<const PciFact*> nvidia_displays(const ReadinessFacts& facts);
// Those of them that NVIDIA's driver has or could have: nobody gave them to another one.
std::vector<const PciFact*> usable_gpus(const ReadinessFacts& facts);
bool has_other_driver(const PciFact& device);  // nouveau and its kin, not vfio-pci
// There is something that a container could use, on PCI, through WSL or in a Tegra.
bool has_gpu(const ReadinessFacts& facts);
// NVML lists the device, and does not say that it is lost.
bool is_listed(const ReadinessFacts& facts, const PciFact& device);
bool is_loaded(const ReadinessFacts& facts, std::string_view module);
// A 64-bit library whose file name begins so: "libcuda.so".
bool has_library(const ReadinessFacts& facts, std::string_view prefix);
const KernelFact* running_kernel(const ReadinessFacts& facts);
// The one of the running kernel's flavour that the next boot would most likely take; null: it is
// running already, or it is not known which can be booted.
const KernelFact* next_kernel(const ReadinessFacts& facts);
// "generic" of "6.8.0-45-generic", "arch" of "6.12.1-arch1-1", "" of RHEL's.
std::string kernel_flavour(std::string_view release);
// Lines of the kernel log that hold `part`, oldest first; at most kMaxLogEvidence, the newest.
constexpr std::size_t kMaxLogEvidence = 3;
std::vector<Evidence> kernel_says(const ReadinessFacts& facts, std::string_view part);
// The GPU's address in a form that NVML, sysfs and the kernel log agree on: "0000:01:00.0".
std::string plain_bus_id(std::string_view bus_id);
std::string bus_ids(std::span<const PciFact* const> devices);  // "0000:01:00.0 and 0000:02:00.0"

// How a container asks for a GPU.
struct GpuRequest {
  bool by_cdi = false;      // a CDI name
  bool by_flag = false;     // --gpus, or Compose's driver "nvidia"
  bool by_runtime = false;  // runtime "nvidia", and NVIDIA_VISIBLE_DEVICES is not "void"
  bool any() const { return by_cdi || by_flag || by_runtime; }
  // By NVIDIA's older way, a hook in front of the container.
  bool legacy() const { return by_flag || by_runtime; }
};
GpuRequest gpu_request(const ContainerFact& container);
// In any way, also by the nodes alone: Podman's API shows no more of a CDI device.
bool has_gpu_asked_for(const ContainerFact& container);
std::vector<const ContainerFact*> containers_where(const ReadinessFacts& facts,
                                                   bool (*is_it)(const GpuRequest&));
std::string names_of(
    std::span<const ContainerFact* const> containers);  // "ollama, xtts and 3 more"
// A container asks for a GPU, or a valid CDI spec for NVIDIA's GPUs is there.
bool wants_gpu(const ReadinessFacts& facts);
// Valid specs that declare nvidia.com/gpu, the one that wins first.
std::vector<const CdiFile*> gpu_specs(const ReadinessFacts& facts);

bool is_docker(const ReadinessFacts& facts);        // also Desktop's and the snap's
bool engine_answered(const ReadinessFacts& facts);  // a Docker or Podman that told its version
// The Docker that answered is at least this version; nothing where none did.
std::optional<bool> docker_is_at_least(const ReadinessFacts& facts, std::string_view version);
// By its numbers: <0, 0, >0; "1.18.0-rc.1" counts as 1.18.0, a package's epoch is left out.
int compare_versions(std::string_view a, std::string_view b);
unsigned driver_branch(std::string_view version);  // 580 of "580.95.05"; 0: no number
std::string_view value_of(std::span<const std::string> environment, std::string_view name);

enum class Distribution : std::uint8_t { debian, ubuntu, fedora, arch, other };
Distribution distribution_of(const HostRelease& release);
// The command of this machine's distribution.
std::string_view pick(const ReadinessFacts& facts, const msg::PerDistribution& commands);

Evidence host_evidence(std::string_view what, std::string_view text);
Evidence engine_evidence(std::string_view what, std::string_view text);
Evidence file_evidence(const SourceLine& line);
// The line of a text that holds `part`, or the whole file where none does.
Evidence file_evidence(const TextFile& file, std::string_view part);
std::string joined(std::span<const std::string> words);  // "a, b and c"

}  // namespace estiva::decide
