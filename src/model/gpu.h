// What is known of GPUs and of the driver: plain values, no vendor's types. The identity of a GPU
// is its UUID; its index may change after a GPU is lost or the machine restarts.
#pragma once
#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/clock.h"
#include "base/units.h"
#include "model/reading.h"

namespace estiva {

// `instance` is empty for a whole GPU and holds the MIG device's UUID for a part of one.
struct DeviceId {
  std::string vendor = "nvidia";
  std::string uuid;
  std::string instance;

  // What CUDA_VISIBLE_DEVICES and our JSON use: "GPU-..." or "MIG-...".
  const std::string& key() const { return instance.empty() ? uuid : instance; }
  friend auto operator<=>(const DeviceId&, const DeviceId&) = default;
};

// What does not change while the driver stays loaded.
struct GpuIdentity {
  DeviceId id;
  unsigned index = 0;  // NVML's enumeration order now
  std::string name;
  std::string pci_bus_id;  // "00000000:01:00.0"
  Reading<unsigned> minor_number;
  std::string serial;  // empty where the board has none
  std::string vbios;
  std::string architecture;              // "Ampere"; empty where unknown
  Reading<unsigned> compute_capability;  // major * 10 + minor: 86
  Reading<Celsius> slowdown_at, shutdown_at, max_operating, memory_max;
  Reading<Watts> power_limit, power_limit_min, power_limit_max, power_limit_default;
  Reading<unsigned> pcie_max_generation, pcie_max_width;
  bool unified_memory = false;  // shares the machine's RAM (GB10, Jetson)
  bool mig_enabled = false;
  // Of a MIG device: what it is made of, by the driver's own numbers.
  Reading<unsigned> gpu_instance, compute_instance;

  friend bool operator==(const GpuIdentity&, const GpuIdentity&) = default;
};

// used + free + reserved == total where `reserved_known`; NVML's first memory call counts what the
// driver reserves as used, and then reserved is zero and reserved_known is false.
struct GpuMemory {
  Bytes total, used, free, reserved;
  bool reserved_known = false;
  friend bool operator==(const GpuMemory&, const GpuMemory&) = default;
};

struct GpuProcess {
  pid_t pid = 0;
  Reading<Bytes> used;
  bool compute = false;
  bool graphics = false;
  bool mps = false;
  Reading<Ratio> sm_utilization;
  std::string name;  // from procfs; empty where it could not be read
  friend bool operator==(const GpuProcess&, const GpuProcess&) = default;
};

enum class GpuState : std::uint8_t { ok, lost, reset_required, asleep, failed };

// What changes. Every member is from a read at or before `read_at`; slower tiers keep their last
// value until they are read again.
struct GpuSample {
  GpuState state = GpuState::ok;
  SteadyTime read_at;
  Reading<GpuMemory> memory;
  Reading<Ratio> utilization, memory_utilization, encoder_utilization, decoder_utilization;
  Reading<Celsius> temperature, memory_temperature;
  Reading<Watts> power;
  Reading<Hertz> sm_clock, memory_clock;
  Reading<unsigned> performance_state;
  Reading<std::uint64_t> clock_event_reasons;  // NVML bits
  Reading<Ratio> fan;
  Reading<unsigned> pcie_generation, pcie_width;
  Reading<double> energy_joules;
  Reading<std::uint64_t> ecc_corrected, ecc_uncorrected, pcie_replays;
  Reading<std::vector<GpuProcess>> processes;

  friend bool operator==(const GpuSample&, const GpuSample&) = default;
};

// What wears out and what was repaired, and how the GPU stands with its neighbours. Changes rarely
// and is read rarely.
struct GpuWear {
  SteadyTime read_at;  // {0}: never
  Reading<std::uint64_t> ecc_uncorrected_lifetime;
  Reading<unsigned> remapped_corrected, remapped_uncorrected;  // rows, Ampere and newer
  Reading<unsigned> remap_pending, remap_failed;               // 0 or 1
  Reading<unsigned> retired_pages, retired_pending;            // before Ampere; pending: 0 or 1
  Reading<unsigned> recovery_action;                           // NVML's nvmlDeviceGpuRecoveryAction
  Reading<unsigned> persistence_mode;                          // 0 or 1
  Reading<unsigned> nvlinks, nvlinks_active;
  Reading<std::uint64_t> nvlink_errors;      // replays and recoveries, all links
  Reading<std::uint64_t> nvlink_crc_errors;  // flits
  Reading<unsigned> fabric_state;            // NVML's nvmlGpuFabricState: 3 is completed
  Reading<unsigned> fabric_error;            // the code with which it completed
  friend bool operator==(const GpuWear&, const GpuWear&) = default;
};

struct Gpu {
  GpuIdentity identity;
  GpuSample sample;
  GpuWear wear;
  friend bool operator==(const Gpu&, const Gpu&) = default;
};

// A whole GPU that was listed once: that it is missing can only be said of one that is known.
struct KnownGpu {
  std::string device;  // DeviceId::key()
  unsigned index = 0;
  std::string pci_bus_id;
  friend bool operator==(const KnownGpu&, const KnownGpu&) = default;
};

enum class DriverState : std::uint8_t {
  absent,        // PCI shows no NVIDIA device
  no_driver,     // a device, and no kernel module
  no_library,    // a module, and no libnvidia-ml.so.1
  mismatch,      // kernel module and library are of different versions (NVML error 18)
  initialising,  // the sensor is starting
  ready,
  partial,       // some GPUs are lost
  unresponsive,  // a driver call missed its deadline; the sensor is being replaced
  stuck,         // the sensor can't be reaped: it hangs inside the kernel
  crashed,       // the sensor died and is being restarted
  released,      // handles were given up on request (a module is to be unloaded)
  failed,        // NVML refused for another reason; `reason` says which
};

struct DriverStatus {
  DriverState state = DriverState::initialising;
  std::string source = "nvml";  // nvml | simulated | recorded
  std::string version;          // driver
  std::string nvml_version;
  // Of the driver's files where they were replaced under the module that is loaded: what starts now
  // can't use the GPU. Empty: the same version, or not known.
  std::string installed_version;
  Reading<unsigned> cuda_version;  // 12040 for 12.4
  std::string reason;              // a sentence; empty while ready
  std::string remedy;
  std::uint64_t sensor_restarts = 0;
  std::uint64_t missed_deadlines = 0;
  friend bool operator==(const DriverStatus&, const DriverStatus&) = default;
};

// "no_driver", the form JSON carries.
std::string_view to_name(DriverState state);
std::string_view to_name(GpuState state);
// "drain_and_reset"; "unknown" for a number that NVML had not when this was written.
std::string_view recovery_name(unsigned action);
// True where new placements may be granted on what the driver says now.
bool can_place(DriverState state);

}  // namespace estiva
