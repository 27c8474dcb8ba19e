// The NVIDIA driver's own files of procfs, as text to values. Pure; any bytes are safe.
// Layouts: the driver's nv-procfs.c (its open form is github.com/NVIDIA/open-gpu-kernel-modules).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace estiva::format {

// "550.163.01", "580.65": two to four groups of digits between points, 32 characters at most.
bool is_driver_version(std::string_view text);

// /proc/driver/nvidia/version, of the closed module ("... NVIDIA UNIX x86_64 Kernel Module
// 550.163.01  Tue Apr ...") and of the open one ("... NVIDIA UNIX Open Kernel Module for x86_64
// 580.159.04  Release Build ..."). `version` is empty where the text says none.
struct ModuleVersion {
  std::string version;
  bool is_open = false;
  friend bool operator==(const ModuleVersion&, const ModuleVersion&) = default;
};
ModuleVersion parse_module_version(std::string_view text);

// /proc/driver/nvidia/gpus/BUS/information. The UUID is "GPU-????????-..." until a client has
// initialised the GPU: then it is empty.
struct GpuInformation {
  std::string model, uuid, bus_id;  // as written there; "0000:01:00.0"
  std::optional<unsigned> minor;    // of /dev/nvidiaN
  friend bool operator==(const GpuInformation&, const GpuInformation&) = default;
};
GpuInformation parse_gpu_information(std::string_view text);
// "GPU-" or "MIG-" and a UUID in lower-case hexadecimal digits.
bool is_gpu_uuid(std::string_view text);

// A line of /proc/driver/nvidia-caps/mig-minors: "gpu0/gi1/ci0/access 4".
struct MigMinor {
  unsigned gpu = 0, gpu_instance = 0;        // gpu: the GPU's minor number
  std::optional<unsigned> compute_instance;  // none: the GPU instance itself
  unsigned minor = 0;                        // of /dev/nvidia-caps/nvidia-capN
  friend bool operator==(const MigMinor&, const MigMinor&) = default;
};
// Lines of another form ("config 1", "monitor 2") are left out. The driver writes some 30,000
// lines: 32 GPUs with 14 GPU instances and 8 compute instances each, and more in newer ones.
constexpr std::size_t kMaxMigMinors = 131072;
std::vector<MigMinor> parse_mig_minors(std::string_view text);

}  // namespace estiva::format
