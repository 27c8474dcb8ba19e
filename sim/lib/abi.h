// NVML's binary interface as far as the simulator speaks it: return codes and the structs that
// cross it. Written from the published layout; tests/sim/abi compares it with a second table that
// was written apart from this file.
#pragma once
#include <cstdint>

namespace estiva::sim {

using Return = int;
inline constexpr Return kSuccess = 0, kUninitialized = 1, kInvalidArgument = 2, kNotSupported = 3,
                        kNoPermission = 4, kNotFound = 6, kInsufficientSize = 7,
                        kDriverNotLoaded = 9, kTimeout = 10, kFunctionNotFound = 13,
                        kGpuIsLost = 15, kResetRequired = 16, kLibRmVersionMismatch = 18,
                        kMemory = 20, kArgumentVersionMismatch = 25, kUnknown = 999;

using Device = struct DeviceHandle*;  // opaque to clients
using EventSet = struct EventSetHandle*;

// The first word of a versioned struct: its size, and the version in the top byte.
constexpr unsigned version_word(unsigned size, unsigned version) {
  return size | version << 24;
}

struct PciInfo {
  char bus_id_legacy[16];
  unsigned domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};
struct PciInfoExt {
  unsigned version, domain, bus, device, pci_device_id, pci_subsystem_id, base_class, sub_class;
  char bus_id[32];
};
struct Memory {
  unsigned long long total, free, used;
};
struct MemoryV2 {
  unsigned version;
  unsigned long long total, reserved, free, used;
};
struct Bar1Memory {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned gpu, memory;
};
struct ProcessInfoV1 {
  unsigned pid;
  unsigned long long used;
};
struct ProcessInfo {
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
};
struct ProcessDetail {
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
  unsigned long long protected_used;
};
struct ProcessDetailList {
  unsigned version, mode, count;
  ProcessDetail* rows;
};
struct ProcessUtilizationSample {
  unsigned pid;
  unsigned long long timestamp;
  unsigned sm, memory, encoder, decoder;
};
struct ProcessUtilizationInfo {
  unsigned long long timestamp;
  unsigned pid, sm, memory, encoder, decoder, jpeg, ofa;
};
struct ProcessesUtilizationInfo {
  unsigned version, count;
  unsigned long long last_seen;
  ProcessUtilizationInfo* rows;
};
union Value {
  double d;
  unsigned ui;
  unsigned long ul;
  unsigned long long ull;
  long long sll;
};
struct FieldValue {
  unsigned id, scope;
  long long timestamp, latency_usec;
  unsigned type;  // 0 double, 1 unsigned, 2 unsigned long, 3 unsigned long long, 4 signed long long
  Return result;
  Value value;
};
struct EventData {
  Device device;
  unsigned long long type, data;
  unsigned gpu_instance, compute_instance;
};
struct RowRemapperHistogram {
  unsigned max, high, partial, low, none;
};
struct EccSramErrorStatus {
  unsigned version;
  unsigned long long counts[11];
  unsigned threshold_exceeded;
};
struct GpuFabricInfo {
  unsigned char cluster[16];
  Return status;
  unsigned clique;
  unsigned char state;
};
struct GpuFabricInfoV2 {
  unsigned version;
  unsigned char cluster[16];
  Return status;
  unsigned clique;
  unsigned char state;
  unsigned health_mask;
};
struct GpuFabricInfoV3 {
  unsigned version;
  unsigned char cluster[16];
  Return status;
  unsigned clique;
  unsigned char state;
  unsigned health_mask;
  unsigned char health_summary;
};
struct Temperature {
  unsigned version, sensor;
  int temperature;
};
struct MarginTemperature {
  unsigned version;
  int margin;
};
struct AddressingMode {
  unsigned version, value;
};
struct DeviceAttributes {
  unsigned multiprocessors, copy_engines, decoders, encoders, jpegs, ofas, gpu_slices,
      compute_slices;
  unsigned long long memory_mib;
};
struct HwbcEntry {
  unsigned id;
  char firmware[32];
};
struct FbcStats {
  unsigned sessions, average_fps, average_latency;
};

static_assert(sizeof(PciInfo) == 68 && sizeof(Memory) == 24 && sizeof(MemoryV2) == 40);
static_assert(sizeof(ProcessInfo) == 24 && sizeof(FieldValue) == 40 && sizeof(EventData) == 32);
static_assert(sizeof(EccSramErrorStatus) == 104 && sizeof(GpuFabricInfo) == 28);
static_assert(sizeof(GpuFabricInfoV2) == 36 && sizeof(GpuFabricInfoV3) == 40);

}  // namespace estiva::sim
