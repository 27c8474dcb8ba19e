// What doctor's sentences have in common: how a row of its table is worded, and commands that
// differ from one distribution to the next. {} are filled by fmt in the order of the comment.
#pragma once
#include <string_view>

namespace estiva::msg {

// The words of one signature: see decide/readiness/rule.h.
struct DoctorWords {
  std::string_view name;     // a few words
  std::string_view symptom;  // as users meet it
  std::string_view reads;    // what is looked at
  std::string_view remedy;
  std::string_view undo = {};
  std::string_view source;
};

// One command a family; `other` says in words what has to be done.
struct PerDistribution {
  std::string_view debian, ubuntu, fedora, arch, other;
};

// Whatever --fix did is taken back so.
inline constexpr std::string_view kDoctorUndo = "'estiva doctor --undo'";
inline constexpr std::string_view kDoctorAnd = " and ";
inline constexpr std::string_view kDoctorMore = "{} more";  // count
inline constexpr std::string_view kKernelLog = "kernel log";
inline constexpr std::string_view kPciDevice = "PCI device {}";         // address
inline constexpr std::string_view kPciIs = "{:04x}:{:04x}, driver {}";  // vendor, device, driver
inline constexpr std::string_view kNoDriverBound = "none";
inline constexpr std::string_view kLoadedModule = "/proc/driver/nvidia/version";
inline constexpr std::string_view kModuleIs = "the loaded module is {}";  // version
inline constexpr std::string_view kNoModule = "no NVIDIA module is loaded";
inline constexpr std::string_view kDriverLibraries = "driver libraries";
inline constexpr std::string_view kLibrariesAre = "libcuda and libnvidia-ml are {}";  // version
inline constexpr std::string_view kModulesFolder = "/lib/modules/{}";                 // release
inline constexpr std::string_view kProcDevices = "/proc/devices";
inline constexpr std::string_view kCudaInit = "cuInit";
inline constexpr std::string_view kCudaAnswered = "it answered {}";  // number
inline constexpr std::string_view kDoctorGpu = "GPU {} ({})";        // index, name
inline constexpr std::string_view kDockerVersion = "docker version";
inline constexpr std::string_view kDockerInfo = "docker info";
inline constexpr std::string_view kDoctorContainer = "container {}";  // name

}  // namespace estiva::msg
