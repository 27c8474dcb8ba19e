#include "gpu/nvml_status.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/gpu.h"
#include "gpu/nvml_device.h"
#include "gpu/small_file.h"

namespace estiva::gpu::nvml {
namespace {

// What the kernel module says of a GPU without waking it: "GPU UUID: \t GPU-...".
std::string information(const std::string& text, std::string_view key) {
  std::size_t at = text.find(key);
  if (at == std::string::npos) return {};
  at = text.find_first_not_of(" \t", at + key.size());
  if (at == std::string::npos) return {};
  return printable(text.substr(at, std::min(text.find('\n', at) - at, std::size_t{95})));
}

}  // namespace

void set_state(DriverStatus& driver, DriverState state, std::string reason,
               std::string_view remedy) {
  driver.state = state;
  driver.reason = std::move(reason);
  driver.remedy = std::string(remedy);
}

void set_from_code(DriverStatus& driver, int code, const Functions& f) {
  switch (code) {
    case kDriverNotLoaded:
      return set_state(driver, DriverState::no_driver, std::string(msg::kGpuModuleGone),
                       msg::kGpuNoDriverRemedy);
    case kLibRmVersionMismatch:
      return set_state(driver, DriverState::mismatch, std::string(msg::kGpuMismatch),
                       msg::kGpuMismatchRemedy);
    case kNoPermission:
      return set_state(driver, DriverState::failed, std::string(msg::kGpuInitDenied),
                       msg::kGpuInitDeniedRemedy);
    default:
      break;
  }
  const char* words = f.error_string == nullptr ? nullptr : f.error_string(code);
  const std::string text = printable(words == nullptr ? "unknown error" : words);
  set_state(driver, DriverState::failed,
            fmt::format(msg::kGpuInitFailed, text.substr(0, 200), code), msg::kGpuInitFailedRemedy);
}

void set_none_found(DriverStatus& driver) {
  set_state(driver, DriverState::failed, std::string(msg::kGpuNoneFound),
            msg::kGpuInitFailedRemedy);
}

void read_versions(const Functions& f, DriverStatus& driver) {
  char text[81] = {};
  if (f.driver_version != nullptr && f.driver_version(text, 80) == kSuccess) {
    driver.version = printable(text);
  }
  if (f.nvml_version != nullptr && f.nvml_version(text, 80) == kSuccess) {
    driver.nvml_version = printable(text);
  }
  int cuda = 0;
  const int cuda_code = f.cuda_version == nullptr ? kFunctionNotFound : f.cuda_version(&cuda);
  driver.cuda_version = cuda_code == kSuccess
                            ? Reading<unsigned>(static_cast<unsigned>(std::max(cuda, 0)))
                            : Reading<unsigned>(missing_of(cuda_code));
}

GpuIdentity identity_of_sleeping(const std::string& root, const std::string& sysfs_bus_id) {
  const std::string text =
      read_small_file(root + "/proc/driver/nvidia/gpus/" + sysfs_bus_id + "/information");
  GpuIdentity identity;
  identity.name = information(text, "Model:");
  identity.id.uuid = information(text, "GPU UUID:");
  // A GPU that was never initialised has question marks here.
  if (!identity.id.uuid.starts_with("GPU-") || identity.id.uuid.find('?') != std::string::npos) {
    identity.id.uuid = "PCI-" + sysfs_bus_id;
  }
  identity.pci_bus_id = sysfs_bus_id;
  return identity;
}

}  // namespace estiva::gpu::nvml
