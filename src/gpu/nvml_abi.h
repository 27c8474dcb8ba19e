// The part of NVML's binary interface that the sensor calls, written by us from its published
// description: nothing of NVIDIA's is needed to build. Sizes are asserted here and checked by a
// test against an independently written stub library. Nobody but the nvml back end includes this.
#pragma once
#include <cstdint>

namespace estiva::gpu::nvml {

using Handle = struct OpaqueDevice*;
using EventSet = struct OpaqueEventSet*;

// Return codes that steer what we do (nvml.h); every other code is "failed".
enum Code : int {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kNotFound = 6,
  kInsufficientSize = 7,
  kDriverNotLoaded = 9,
  kTimeout = 10,
  kFunctionNotFound = 13,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kOperatingSystem = 17,
  kLibRmVersionMismatch = 18,
  kInUse = 19,
  kNoData = 21,
  kArgumentVersionMismatch = 25,
  kNotReady = 27,
  kGpuNotFound = 28,
  kInvalidState = 29,
  kUnknown = 999,
};

// A versioned struct carries its own size and version in its first word.
template <class T>
constexpr std::uint32_t version_word(unsigned version) {
  return static_cast<std::uint32_t>(sizeof(T)) | (version << 24);
}

struct PciInfo {
  char bus_id_legacy[16];
  std::uint32_t domain, bus, device, pci_device_id, pci_subsystem_id;
  char bus_id[32];
};
struct MemoryV1 {
  std::uint64_t total, free, used;
};
struct MemoryV2 {
  std::uint32_t version;
  std::uint64_t total, reserved, free, used;
};
struct Utilization {
  std::uint32_t gpu, memory;  // percent
};
struct ProcessInfo {
  std::uint32_t pid;
  std::uint64_t used;  // all ones: not available
  std::uint32_t gpu_instance, compute_instance;
};
struct ProcessSample {
  std::uint32_t pid;
  std::uint64_t timestamp;  // microseconds
  std::uint32_t sm, memory, encoder, decoder;
};
struct ProcessUtilizationRow {
  std::uint64_t timestamp;
  std::uint32_t pid, sm, memory, encoder, decoder, jpeg, ofa;
};
struct ProcessesUtilization {
  std::uint32_t version;
  std::uint32_t count;
  std::uint64_t last_seen;
  ProcessUtilizationRow* rows;
};
struct FieldValue {
  std::uint32_t field, scope;
  std::int64_t timestamp, latency;
  std::uint32_t type, code;
  union {
    double real;
    std::uint32_t word;
    std::uint64_t wide;
    std::int64_t signed_wide;
    std::int32_t signed_word;
  } value;
};
struct FabricInfo {
  std::uint32_t version;
  unsigned char cluster[16];
  std::int32_t status;
  std::uint32_t clique;
  unsigned char state;
  std::uint32_t health_mask;
};
struct EventData {
  Handle device;
  std::uint64_t type, data;  // data: the number, for an XID
  std::uint32_t gpu_instance, compute_instance;
};
struct TemperatureV1 {
  std::uint32_t version, sensor;
  std::int32_t celsius;
};

static_assert(sizeof(PciInfo) == 68 && sizeof(MemoryV1) == 24 && sizeof(MemoryV2) == 40);
static_assert(sizeof(Utilization) == 8 && sizeof(ProcessInfo) == 24 && sizeof(ProcessSample) == 32);
static_assert(sizeof(ProcessesUtilization) == 24 && sizeof(ProcessUtilizationRow) == 40);
static_assert(sizeof(EventData) == 32);
static_assert(sizeof(FieldValue) == 40 && sizeof(TemperatureV1) == 12 && sizeof(FabricInfo) == 36);
static_assert(version_word<MemoryV2>(2) == 0x02000028U);
static_assert(version_word<TemperatureV1>(1) == 0x0100000cU);
static_assert(version_word<FabricInfo>(2) == 0x02000024U);
static_assert(version_word<ProcessesUtilization>(1) == 0x01000018U);

inline constexpr std::uint64_t kNotAvailable = ~std::uint64_t{0};
enum FieldId : std::uint32_t {
  kFieldMemoryTemperature = 82,
  kFieldEnergy = 83,
  kFieldRecoveryAction = 230
};
enum ValueType : std::uint32_t { kDouble, kWord, kLong, kWide, kSignedWide, kSignedWord, kShort };
enum Clock : int { kClockSm = 1, kClockMemory = 2 };
enum LinkError : int { kLinkReplay = 0, kLinkRecovery = 1, kLinkCrcFlit = 2 };
inline constexpr std::uint64_t kEventXid = 0x8;
inline constexpr std::uint32_t kMaxLinks = 18;
enum Threshold : int { kShutdown = 0, kSlowdown = 1, kMemoryMax = 2, kGpuMax = 3 };

using U32 = std::uint32_t;
using U64 = std::uint64_t;

// X(member, exported name, older name with the same layout or nullptr, parameters).
// Only the first five are required. InitWithFlags or Init_v2 does, so they stand apart.
#define ESTIVA_NVML_FUNCTIONS(X)                                                             \
  X(shutdown, "nvmlShutdown", nullptr, (void))                                               \
  X(device_count, "nvmlDeviceGetCount_v2", nullptr, (U32*))                                  \
  X(handle_by_index, "nvmlDeviceGetHandleByIndex_v2", nullptr, (U32, Handle*))               \
  X(init, "nvmlInit_v2", nullptr, (void))                                                    \
  X(init_with_flags, "nvmlInitWithFlags", nullptr, (U32))                                    \
  X(handle_by_pci, "nvmlDeviceGetHandleByPciBusId_v2", nullptr, (const char*, Handle*))      \
  X(handle_by_uuid, "nvmlDeviceGetHandleByUUID", nullptr, (const char*, Handle*))            \
  X(driver_version, "nvmlSystemGetDriverVersion", nullptr, (char*, U32))                     \
  X(nvml_version, "nvmlSystemGetNVMLVersion", nullptr, (char*, U32))                         \
  X(cuda_version, "nvmlSystemGetCudaDriverVersion_v2", nullptr, (int*))                      \
  X(uuid, "nvmlDeviceGetUUID", nullptr, (Handle, char*, U32))                                \
  X(name, "nvmlDeviceGetName", nullptr, (Handle, char*, U32))                                \
  X(pci_info, "nvmlDeviceGetPciInfo_v3", "nvmlDeviceGetPciInfo_v2", (Handle, PciInfo*))      \
  X(minor_number, "nvmlDeviceGetMinorNumber", nullptr, (Handle, U32*))                       \
  X(serial, "nvmlDeviceGetSerial", nullptr, (Handle, char*, U32))                            \
  X(vbios, "nvmlDeviceGetVbiosVersion", nullptr, (Handle, char*, U32))                       \
  X(compute_capability, "nvmlDeviceGetCudaComputeCapability", nullptr, (Handle, int*, int*)) \
  X(architecture, "nvmlDeviceGetArchitecture", nullptr, (Handle, U32*))                      \
  X(max_pcie_generation, "nvmlDeviceGetMaxPcieLinkGeneration", nullptr, (Handle, U32*))      \
  X(max_pcie_width, "nvmlDeviceGetMaxPcieLinkWidth", nullptr, (Handle, U32*))                \
  X(threshold, "nvmlDeviceGetTemperatureThreshold", nullptr, (Handle, int, U32*))            \
  X(power_constraints, "nvmlDeviceGetPowerManagementLimitConstraints", nullptr,              \
    (Handle, U32*, U32*))                                                                    \
  X(power_default, "nvmlDeviceGetPowerManagementDefaultLimit", nullptr, (Handle, U32*))      \
  X(power_limit, "nvmlDeviceGetEnforcedPowerLimit", nullptr, (Handle, U32*))                 \
  X(memory_v2, "nvmlDeviceGetMemoryInfo_v2", nullptr, (Handle, MemoryV2*))                   \
  X(memory_v1, "nvmlDeviceGetMemoryInfo", nullptr, (Handle, MemoryV1*))                      \
  X(utilization, "nvmlDeviceGetUtilizationRates", nullptr, (Handle, Utilization*))           \
  X(temperature_v, "nvmlDeviceGetTemperatureV", nullptr, (Handle, TemperatureV1*))           \
  X(temperature, "nvmlDeviceGetTemperature", nullptr, (Handle, int, U32*))                   \
  X(power, "nvmlDeviceGetPowerUsage", nullptr, (Handle, U32*))                               \
  X(clock_reasons, "nvmlDeviceGetCurrentClocksEventReasons",                                 \
    "nvmlDeviceGetCurrentClocksThrottleReasons", (Handle, U64*))                             \
  X(clock, "nvmlDeviceGetClockInfo", nullptr, (Handle, int, U32*))                           \
  X(performance_state, "nvmlDeviceGetPerformanceState", nullptr, (Handle, U32*))             \
  X(field_values, "nvmlDeviceGetFieldValues", nullptr, (Handle, int, FieldValue*))           \
  X(compute_processes, "nvmlDeviceGetComputeRunningProcesses_v3",                            \
    "nvmlDeviceGetComputeRunningProcesses_v2", (Handle, U32*, ProcessInfo*))                 \
  X(graphics_processes, "nvmlDeviceGetGraphicsRunningProcesses_v3",                          \
    "nvmlDeviceGetGraphicsRunningProcesses_v2", (Handle, U32*, ProcessInfo*))                \
  X(mps_processes, "nvmlDeviceGetMPSComputeRunningProcesses_v3",                             \
    "nvmlDeviceGetMPSComputeRunningProcesses_v2", (Handle, U32*, ProcessInfo*))              \
  X(processes_utilization, "nvmlDeviceGetProcessesUtilizationInfo", nullptr,                 \
    (Handle, ProcessesUtilization*))                                                         \
  X(process_samples, "nvmlDeviceGetProcessUtilization", nullptr,                             \
    (Handle, ProcessSample*, U32*, U64))                                                     \
  X(encoder, "nvmlDeviceGetEncoderUtilization", nullptr, (Handle, U32*, U32*))               \
  X(decoder, "nvmlDeviceGetDecoderUtilization", nullptr, (Handle, U32*, U32*))               \
  X(fan, "nvmlDeviceGetFanSpeed", nullptr, (Handle, U32*))                                   \
  X(pcie_generation, "nvmlDeviceGetCurrPcieLinkGeneration", nullptr, (Handle, U32*))         \
  X(pcie_width, "nvmlDeviceGetCurrPcieLinkWidth", nullptr, (Handle, U32*))                   \
  X(ecc_total, "nvmlDeviceGetTotalEccErrors", nullptr, (Handle, int, int, U64*))             \
  X(pcie_replays, "nvmlDeviceGetPcieReplayCounter", nullptr, (Handle, U32*))                 \
  X(mig_mode, "nvmlDeviceGetMigMode", nullptr, (Handle, U32*, U32*))                         \
  X(max_mig_devices, "nvmlDeviceGetMaxMigDeviceCount", nullptr, (Handle, U32*))              \
  X(mig_handle, "nvmlDeviceGetMigDeviceHandleByIndex", nullptr, (Handle, U32, Handle*))      \
  X(gpu_instance, "nvmlDeviceGetGpuInstanceId", nullptr, (Handle, U32*))                     \
  X(compute_instance, "nvmlDeviceGetComputeInstanceId", nullptr, (Handle, U32*))             \
  X(remapped_rows, "nvmlDeviceGetRemappedRows", nullptr, (Handle, U32*, U32*, U32*, U32*))   \
  X(retired_pages, "nvmlDeviceGetRetiredPages", nullptr, (Handle, int, U32*, U64*))          \
  X(retired_pending, "nvmlDeviceGetRetiredPagesPendingStatus", nullptr, (Handle, U32*))      \
  X(persistence_mode, "nvmlDeviceGetPersistenceMode", nullptr, (Handle, U32*))               \
  X(link_state, "nvmlDeviceGetNvLinkState", nullptr, (Handle, U32, U32*))                    \
  X(link_errors, "nvmlDeviceGetNvLinkErrorCounter", nullptr, (Handle, U32, int, U64*))       \
  X(fabric_info, "nvmlDeviceGetGpuFabricInfoV", nullptr, (Handle, FabricInfo*))              \
  X(event_set_create, "nvmlEventSetCreate", nullptr, (EventSet*))                            \
  X(event_register, "nvmlDeviceRegisterEvents", nullptr, (Handle, U64, EventSet))            \
  X(event_wait, "nvmlEventSetWait_v2", "nvmlEventSetWait", (EventSet, EventData*, U32))      \
  X(event_set_free, "nvmlEventSetFree", nullptr, (EventSet))

}  // namespace estiva::gpu::nvml
