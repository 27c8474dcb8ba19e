// What /proc and /sys say about NVIDIA GPUs, before the driver's library is touched: nvmlInit of
// the real library creates device nodes as root and fails slowly without a module, and a call on a
// sleeping laptop GPU wakes it. Reads files under a root path; calls no driver.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/gpu.h"

namespace estiva::gpu {

struct PciGpu {
  std::string bus_id;        // as sysfs writes it: "0000:01:00.0"
  std::string bound_driver;  // "nvidia", "nouveau", "vfio-pci"; empty: none
  bool may_sleep = false;    // runtime power management is on
  bool is_suspended = false;
};

struct Presence {
  std::vector<PciGpu> gpus;  // at most 64, by bus id
  bool module_loaded = false;
  std::string module_version;  // "550.163.01"; empty where it can't be read
};

Presence look_for_gpus(const std::string& root);

// The reason not to touch the library: absent or no_driver. Nothing: go on.
std::optional<DriverStatus> reason_to_stay_out(const Presence& presence);
// NVML's error 18 foretold: the version in the library's file name ("libnvidia-ml.so.550.163.01")
// is not the module's. Nothing where either is unknown.
std::optional<DriverStatus> predict_mismatch(const Presence& presence,
                                             std::string_view library_path);
// "550.163.01" of ".../libnvidia-ml.so.550.163.01"; empty where the name has none.
std::string_view version_in_name(std::string_view library_path);
bool all_asleep(const Presence& presence);

// True when the user names a library: --nvml FILE, or LD_LIBRARY_PATH has a libnvidia-ml.so.1.
bool library_is_chosen(const std::string& nvml_file, const char* ld_library_path);

// The power state of one device now; false where it can't be read. `bus_id` in sysfs form.
bool is_suspended(const std::string& root, const std::string& bus_id);
// The kernel lists a PCI device of that address.
bool is_on_pci(const std::string& root, const std::string& bus_id);
bool may_sleep(const std::string& root, const std::string& bus_id);
// NVML's "00000000:01:00.0" as sysfs writes it: "0000:01:00.0".
std::string to_sysfs_bus_id(std::string_view nvml_bus_id);

}  // namespace estiva::gpu
