// What NVML's codes and the kernel module's files become in words. Used by the NVML back end only.
#pragma once
#include <string>
#include <string_view>

#include "gpu/nvml_library.h"
#include "model/gpu.h"

namespace estiva::gpu::nvml {

void set_state(DriverStatus& driver, DriverState state, std::string reason,
               std::string_view remedy);
// The state that `code` of init, or of a call that ends the session, stands for.
void set_from_code(DriverStatus& driver, int code, const Functions& f);
// The driver works and has no GPU.
void set_none_found(DriverStatus& driver);
// The versions of the driver, of its library and of CUDA; what is not known stays as it is.
void read_versions(const Functions& f, DriverStatus& driver);
// Who a GPU is that must not be woken: name and UUID as the kernel module's files have them, else
// "PCI-" and its address as UUID.
GpuIdentity identity_of_sleeping(const std::string& root, const std::string& sysfs_bus_id);

}  // namespace estiva::gpu::nvml
