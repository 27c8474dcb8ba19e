// Every NVML function that the library exports, so that faults can name them and calls be counted.
#pragma once
#include <cstdint>
#include <string_view>

namespace estiva::sim {

// One name a line is easier to read and to compare than what the formatter makes of it.
// clang-format off
// Functions with a body in sim/lib.
#define ESTIVA_SIM_FUNCTIONS(X) \
  X(nvmlInit) \
  X(nvmlInit_v2) \
  X(nvmlInitWithFlags) \
  X(nvmlShutdown) \
  X(nvmlErrorString) \
  X(nvmlSystemGetDriverVersion) \
  X(nvmlSystemGetNVMLVersion) \
  X(nvmlSystemGetCudaDriverVersion) \
  X(nvmlSystemGetCudaDriverVersion_v2) \
  X(nvmlSystemGetProcessName) \
  X(nvmlSystemGetTopologyGpuSet) \
  X(nvmlUnitGetCount) \
  X(nvmlSystemGetHicVersion) \
  X(nvmlInternalGetExportTable) \
  X(nvmlDeviceGetCount) \
  X(nvmlDeviceGetCount_v2) \
  X(nvmlDeviceGetHandleByIndex) \
  X(nvmlDeviceGetHandleByIndex_v2) \
  X(nvmlDeviceGetHandleByUUID) \
  X(nvmlDeviceGetHandleByPciBusId) \
  X(nvmlDeviceGetHandleByPciBusId_v2) \
  X(nvmlDeviceGetHandleBySerial) \
  X(nvmlDeviceGetName) \
  X(nvmlDeviceGetUUID) \
  X(nvmlDeviceGetSerial) \
  X(nvmlDeviceGetIndex) \
  X(nvmlDeviceGetMinorNumber) \
  X(nvmlDeviceGetPciInfo) \
  X(nvmlDeviceGetPciInfo_v2) \
  X(nvmlDeviceGetPciInfo_v3) \
  X(nvmlDeviceGetPciInfoExt) \
  X(nvmlDeviceGetBrand) \
  X(nvmlDeviceGetArchitecture) \
  X(nvmlDeviceGetCudaComputeCapability) \
  X(nvmlDeviceGetVbiosVersion) \
  X(nvmlDeviceGetBoardId) \
  X(nvmlDeviceGetMultiGpuBoard) \
  X(nvmlDeviceGetBoardPartNumber) \
  X(nvmlDeviceGetInforomVersion) \
  X(nvmlDeviceGetInforomImageVersion) \
  X(nvmlDeviceGetNumGpuCores) \
  X(nvmlDeviceGetMemoryBusWidth) \
  X(nvmlDeviceGetIrqNum) \
  X(nvmlDeviceGetBusType) \
  X(nvmlDeviceGetGspFirmwareMode) \
  X(nvmlDeviceGetNumFans) \
  X(nvmlDeviceGetAttributes_v2) \
  X(nvmlDeviceGetAddressingMode) \
  X(nvmlDeviceGetTopologyCommonAncestor) \
  X(nvmlDeviceGetTopologyNearestGpus) \
  X(nvmlDeviceGetP2PStatus) \
  X(nvmlDeviceOnSameBoard) \
  X(nvmlDeviceGetCpuAffinity) \
  X(nvmlDeviceGetCpuAffinityWithinScope) \
  X(nvmlDeviceGetMemoryAffinity) \
  X(nvmlDeviceGetNumaNodeId) \
  X(nvmlDeviceGetMemoryInfo) \
  X(nvmlDeviceGetMemoryInfo_v2) \
  X(nvmlDeviceGetBAR1MemoryInfo) \
  X(nvmlDeviceGetUtilizationRates) \
  X(nvmlDeviceGetEncoderUtilization) \
  X(nvmlDeviceGetDecoderUtilization) \
  X(nvmlDeviceGetJpgUtilization) \
  X(nvmlDeviceGetOfaUtilization) \
  X(nvmlDeviceGetTemperature) \
  X(nvmlDeviceGetTemperatureV) \
  X(nvmlDeviceGetTemperatureThreshold) \
  X(nvmlDeviceGetMarginTemperature) \
  X(nvmlDeviceGetPowerUsage) \
  X(nvmlDeviceGetPowerManagementLimit) \
  X(nvmlDeviceGetPowerManagementLimitConstraints) \
  X(nvmlDeviceGetPowerManagementDefaultLimit) \
  X(nvmlDeviceGetEnforcedPowerLimit) \
  X(nvmlDeviceGetPowerManagementMode) \
  X(nvmlDeviceGetPowerState) \
  X(nvmlDeviceGetPerformanceState) \
  X(nvmlDeviceGetTotalEnergyConsumption) \
  X(nvmlDeviceGetClockInfo) \
  X(nvmlDeviceGetClock) \
  X(nvmlDeviceGetMaxClockInfo) \
  X(nvmlDeviceGetApplicationsClock) \
  X(nvmlDeviceGetDefaultApplicationsClock) \
  X(nvmlDeviceGetMaxCustomerBoostClock) \
  X(nvmlDeviceGetCurrentClocksEventReasons) \
  X(nvmlDeviceGetCurrentClocksThrottleReasons) \
  X(nvmlDeviceGetSupportedClocksEventReasons) \
  X(nvmlDeviceGetSupportedClocksThrottleReasons) \
  X(nvmlDeviceGetFanSpeed) \
  X(nvmlDeviceGetFanSpeed_v2) \
  X(nvmlDeviceGetTargetFanSpeed) \
  X(nvmlDeviceGetMinMaxFanSpeed) \
  X(nvmlDeviceGetCurrPcieLinkGeneration) \
  X(nvmlDeviceGetCurrPcieLinkWidth) \
  X(nvmlDeviceGetMaxPcieLinkGeneration) \
  X(nvmlDeviceGetMaxPcieLinkWidth) \
  X(nvmlDeviceGetGpuMaxPcieLinkGeneration) \
  X(nvmlDeviceGetPcieLinkMaxSpeed) \
  X(nvmlDeviceGetPcieSpeed) \
  X(nvmlDeviceGetPcieThroughput) \
  X(nvmlDeviceGetPcieReplayCounter) \
  X(nvmlDeviceGetFieldValues) \
  X(nvmlDeviceGetEccMode) \
  X(nvmlDeviceGetDefaultEccMode) \
  X(nvmlDeviceGetTotalEccErrors) \
  X(nvmlDeviceGetMemoryErrorCounter) \
  X(nvmlDeviceGetRemappedRows) \
  X(nvmlDeviceGetRowRemapperHistogram) \
  X(nvmlDeviceGetRetiredPages) \
  X(nvmlDeviceGetRetiredPages_v2) \
  X(nvmlDeviceGetRetiredPagesPendingStatus) \
  X(nvmlDeviceGetSramEccErrorStatus) \
  X(nvmlDeviceGetGpuFabricInfo) \
  X(nvmlDeviceGetGpuFabricInfoV) \
  X(nvmlDeviceValidateInforom) \
  X(nvmlDeviceGetPersistenceMode) \
  X(nvmlDeviceSetPersistenceMode) \
  X(nvmlDeviceGetComputeMode) \
  X(nvmlDeviceGetDisplayMode) \
  X(nvmlDeviceGetDisplayActive) \
  X(nvmlDeviceGetAccountingMode) \
  X(nvmlDeviceGetAccountingBufferSize) \
  X(nvmlDeviceGetMigMode) \
  X(nvmlDeviceGetMaxMigDeviceCount) \
  X(nvmlDeviceGetMigDeviceHandleByIndex) \
  X(nvmlDeviceIsMigDeviceHandle) \
  X(nvmlDeviceGetGpuInstanceId) \
  X(nvmlDeviceGetComputeInstanceId) \
  X(nvmlDeviceGetDeviceHandleFromMigDeviceHandle) \
  X(nvmlDeviceGetVirtualizationMode) \
  X(nvmlDeviceGetEncoderStats) \
  X(nvmlDeviceGetEncoderSessions) \
  X(nvmlDeviceGetFBCStats) \
  X(nvmlDeviceGetAPIRestriction) \
  X(nvmlDeviceGetComputeRunningProcesses) \
  X(nvmlDeviceGetComputeRunningProcesses_v2) \
  X(nvmlDeviceGetComputeRunningProcesses_v3) \
  X(nvmlDeviceGetGraphicsRunningProcesses) \
  X(nvmlDeviceGetGraphicsRunningProcesses_v2) \
  X(nvmlDeviceGetGraphicsRunningProcesses_v3) \
  X(nvmlDeviceGetMPSComputeRunningProcesses) \
  X(nvmlDeviceGetMPSComputeRunningProcesses_v2) \
  X(nvmlDeviceGetMPSComputeRunningProcesses_v3) \
  X(nvmlDeviceGetRunningProcessDetailList) \
  X(nvmlDeviceGetProcessUtilization) \
  X(nvmlDeviceGetProcessesUtilizationInfo) \
  X(nvmlEventSetCreate) \
  X(nvmlDeviceRegisterEvents) \
  X(nvmlDeviceGetSupportedEventTypes) \
  X(nvmlEventSetWait) \
  X(nvmlEventSetWait_v2) \
  X(nvmlEventSetFree) \
  X(nvmlDeviceGetNvLinkState) \
  X(nvmlDeviceGetNvLinkVersion) \
  X(nvmlDeviceGetNvLinkCapability) \
  X(nvmlDeviceGetNvLinkErrorCounter) \
  X(nvmlDeviceGetNvLinkRemotePciInfo_v2)

// Functions that exist and answer NOT_SUPPORTED for every card.
#define ESTIVA_SIM_UNSUPPORTED(X) \
  X(nvmlDeviceGetAutoBoostedClocksEnabled) \
  X(nvmlDeviceGetGpuOperationMode) \
  X(nvmlDeviceGetDriverModel) \
  X(nvmlDeviceGetDriverModel_v2) \
  X(nvmlDeviceGetHostVgpuMode) \
  X(nvmlDeviceGetGridLicensableFeatures_v4) \
  X(nvmlDeviceGetGridLicensableFeatures) \
  X(nvmlDeviceGetDetailedEccErrors) \
  X(nvmlDeviceGetSupportedMemoryClocks) \
  X(nvmlDeviceGetSupportedGraphicsClocks) \
  X(nvmlDeviceGetInforomConfigurationChecksum) \
  X(nvmlDeviceGetGspFirmwareVersion) \
  X(nvmlDeviceGetViolationStatus) \
  X(nvmlDeviceGetSamples) \
  X(nvmlDeviceGetBridgeChipInfo) \
  X(nvmlDeviceGetFBCSessions) \
  X(nvmlDeviceGetEncoderCapacity) \
  X(nvmlDeviceGetVgpuCapabilities) \
  X(nvmlDeviceGetVgpuHeterogeneousMode) \
  X(nvmlDeviceGetConfComputeMemSizeInfo) \
  X(nvmlDeviceGetConfComputeProtectedMemoryUsage) \
  X(nvmlDeviceGetModuleId) \
  X(nvmlDeviceGetGpcClkVfOffset) \
  X(nvmlDeviceGetMemClkVfOffset) \
  X(nvmlDeviceGetDynamicPstatesInfo) \
  X(nvmlDeviceGetFanControlPolicy_v2) \
  X(nvmlDeviceGetThermalSettings) \
  X(nvmlDeviceGetAccountingPids) \
  X(nvmlDeviceGetAccountingStats) \
  X(nvmlDeviceGetNvLinkRemoteDeviceType) \
  X(nvmlDeviceGetNvLinkUtilizationCounter) \
  X(nvmlDeviceGetGpuInstanceProfileInfo) \
  X(nvmlDeviceGetGpuInstanceProfileInfoV) \
  X(nvmlDeviceGetGpuInstances) \
  X(nvmlDeviceGetAdaptiveClockInfoStatus) \
  X(nvmlSystemGetConfComputeState) \
  X(nvmlSystemGetConfComputeCapabilities) \
  X(nvmlSystemGetConfComputeGpusReadyState) \
  X(nvmlSystemGetConfComputeSettings) \
  X(nvmlDeviceGetActiveVgpus) \
  X(nvmlDeviceGetSupportedVgpus) \
  X(nvmlDeviceGetCreatableVgpus) \
  X(nvmlDeviceGetPowerSource) \
  X(nvmlDeviceGetDisplayMode_v2) \
  X(nvmlDeviceGetCapabilities)
// clang-format on

enum class Fn : std::uint32_t {
#define X(name) name,
  ESTIVA_SIM_FUNCTIONS(X) ESTIVA_SIM_UNSUPPORTED(X)
#undef X
      count
};
inline constexpr unsigned kFunctionCount = static_cast<unsigned>(Fn::count);

std::string_view function_name(unsigned function);
// -1 where no function has that name.
int find_function(std::string_view name);

// In a Fault: every call but Init, Shutdown and ErrorString; and the three Init functions.
inline constexpr int kAllFunctions = -1;
inline constexpr int kInitFunctions = -2;

}  // namespace estiva::sim
