// What a card is and where it sits: nothing here changes while the driver stays loaded.
#include <cstdio>

#include "sim/core/engine.h"
#include "sim/lib/runtime.h"

using namespace estiva::sim;

namespace {

void fill(PciInfo& pci, const Gpu& gpu) {
  std::memset(&pci, 0, sizeof pci);
  std::memcpy(pci.bus_id_legacy, gpu.legacy_bus_id, sizeof gpu.legacy_bus_id);
  std::memcpy(pci.bus_id, gpu.bus_id, sizeof gpu.bus_id);
  pci.domain = gpu.domain;
  pci.bus = gpu.bus;
  pci.device = gpu.device;
  pci.pci_device_id = gpu.card.device_id;
  pci.pci_subsystem_id = gpu.card.subsystem_id;
}

Return pci_info(Fn function, Device device, PciInfo* pci) {
  return on_device(function, device, [&](const Gpu& gpu, const Handle&) -> Return {
    if (pci == nullptr) return kInvalidArgument;
    fill(*pci, gpu);
    return kSuccess;
  });
}

}  // namespace

ESTIVA_NVML nvmlDeviceGetName(Device device, char* name, unsigned length) {
  return on_device(Fn::nvmlDeviceGetName, device,
                   [&](const Gpu& gpu, const Handle& handle) -> Return {
                     if (handle.instance < 0) return put(name, length, gpu.card.name);
                     char text[160];
                     std::snprintf(text, sizeof text, "%s MIG %s", gpu.card.name,
                                   gpu.instances[handle.instance].profile);
                     return put(name, length, text);
                   });
}
ESTIVA_NVML nvmlDeviceGetUUID(Device device, char* uuid, unsigned length) {
  return on_device(Fn::nvmlDeviceGetUUID, device, [&](const Gpu& gpu, const Handle& handle) {
    return put(uuid, length, handle.instance < 0 ? gpu.uuid : gpu.instances[handle.instance].uuid);
  });
}
ESTIVA_NVML nvmlDeviceGetSerial(Device device, char* serial, unsigned length) {
  return on_gpu(Fn::nvmlDeviceGetSerial, device, [&](const Gpu& gpu) -> Return {
    return gpu.serial[0] == '\0' ? kNotSupported : put(serial, length, gpu.serial);
  });
}
ESTIVA_NVML nvmlDeviceGetIndex(Device device, unsigned* index) {
  return on_device(Fn::nvmlDeviceGetIndex, device,
                   [&](const Gpu&, const Handle& handle, const State& state) -> Return {
                     if (handle.instance >= 0) return put(index, handle.instance);
                     for (unsigned i = 0; i < state.order_count; ++i) {
                       if (state.order[i] == handle.gpu) return put(index, i);
                     }
                     return kNotFound;
                   });
}
ESTIVA_NVML nvmlDeviceGetMinorNumber(Device device, unsigned* minor) {
  return on_gpu(Fn::nvmlDeviceGetMinorNumber, device,
                [&](const Gpu& gpu) { return put(minor, gpu.minor); });
}
ESTIVA_NVML nvmlDeviceGetPciInfo(Device device, PciInfo* pci) {
  return pci_info(Fn::nvmlDeviceGetPciInfo, device, pci);
}
ESTIVA_NVML nvmlDeviceGetPciInfo_v2(Device device, PciInfo* pci) {
  return pci_info(Fn::nvmlDeviceGetPciInfo_v2, device, pci);
}
ESTIVA_NVML nvmlDeviceGetPciInfo_v3(Device device, PciInfo* pci) {
  return pci_info(Fn::nvmlDeviceGetPciInfo_v3, device, pci);
}
ESTIVA_NVML nvmlDeviceGetPciInfoExt(Device device, PciInfoExt* pci) {
  return on_gpu(Fn::nvmlDeviceGetPciInfoExt, device, [&](const Gpu& gpu) -> Return {
    if (pci == nullptr) return kInvalidArgument;
    if (pci->version != version_word(sizeof *pci, 1)) return kArgumentVersionMismatch;
    pci->domain = gpu.domain;
    pci->bus = gpu.bus;
    pci->device = gpu.device;
    pci->pci_device_id = gpu.card.device_id;
    pci->pci_subsystem_id = gpu.card.subsystem_id;
    pci->base_class = 0x03;
    pci->sub_class = gpu.card.datacentre ? 0x02 : 0x00;
    std::memset(pci->bus_id, 0, sizeof pci->bus_id);
    std::memcpy(pci->bus_id, gpu.bus_id, sizeof gpu.bus_id);
    return kSuccess;
  });
}
ESTIVA_NVML nvmlDeviceGetBrand(Device device, unsigned* brand) {
  return on_gpu(Fn::nvmlDeviceGetBrand, device,
                [&](const Gpu& gpu) { return put(brand, gpu.card.brand); });
}
ESTIVA_NVML nvmlDeviceGetArchitecture(Device device, unsigned* architecture) {
  return on_device(Fn::nvmlDeviceGetArchitecture, device, [&](const Gpu& gpu, const Handle&) {
    return put(architecture, gpu.card.architecture);
  });
}
ESTIVA_NVML nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
  return on_device(Fn::nvmlDeviceGetCudaComputeCapability, device,
                   [&](const Gpu& gpu, const Handle&) -> Return {
                     if (minor == nullptr) return kInvalidArgument;
                     *minor = static_cast<int>(gpu.card.cc_minor);
                     return put(major, gpu.card.cc_major);
                   });
}
ESTIVA_NVML nvmlDeviceGetVbiosVersion(Device device, char* version, unsigned length) {
  return on_gpu(Fn::nvmlDeviceGetVbiosVersion, device,
                [&](const Gpu& gpu) { return put(version, length, gpu.card.vbios); });
}
ESTIVA_NVML nvmlDeviceGetBoardId(Device device, unsigned* id) {
  return on_gpu(Fn::nvmlDeviceGetBoardId, device,
                [&](const Gpu& gpu) { return put(id, gpu.bus << 8 | gpu.device); });
}
ESTIVA_NVML nvmlDeviceGetMultiGpuBoard(Device device, unsigned* multi) {
  return on_gpu(Fn::nvmlDeviceGetMultiGpuBoard, device, [&](const Gpu&) { return put(multi, 0); });
}
ESTIVA_NVML nvmlDeviceGetBoardPartNumber(Device device, char* part, unsigned length) {
  return on_gpu(Fn::nvmlDeviceGetBoardPartNumber, device, [&](const Gpu& gpu) -> Return {
    return gpu.card.datacentre ? put(part, length, "900-00000-0000-000") : kNotSupported;
  });
}
ESTIVA_NVML nvmlDeviceGetInforomVersion(Device device, unsigned object, char* version,
                                        unsigned length) {
  return on_gpu(Fn::nvmlDeviceGetInforomVersion, device, [&](const Gpu& gpu) -> Return {
    if (object == 0) return put(version, length, "2.1");
    return object == 1 && gpu.card.ecc ? put(version, length, "7.16") : kNotSupported;
  });
}
ESTIVA_NVML nvmlDeviceGetInforomImageVersion(Device device, char* version, unsigned length) {
  return on_gpu(Fn::nvmlDeviceGetInforomImageVersion, device,
                [&](const Gpu&) { return put(version, length, "G001.0000.00.00"); });
}
ESTIVA_NVML nvmlDeviceGetNumGpuCores(Device device, unsigned* cores) {
  return on_gpu(Fn::nvmlDeviceGetNumGpuCores, device,
                [&](const Gpu& gpu) { return put(cores, gpu.card.cores); });
}
ESTIVA_NVML nvmlDeviceGetMemoryBusWidth(Device device, unsigned* bits) {
  return on_gpu(Fn::nvmlDeviceGetMemoryBusWidth, device,
                [&](const Gpu& gpu) { return put(bits, gpu.card.bus_width_bits); });
}
ESTIVA_NVML nvmlDeviceGetIrqNum(Device device, unsigned* irq) {
  return on_gpu(Fn::nvmlDeviceGetIrqNum, device,
                [&](const Gpu& gpu) { return put(irq, 120 + gpu.minor); });
}
ESTIVA_NVML nvmlDeviceGetBusType(Device device, unsigned* type) {
  return on_gpu(Fn::nvmlDeviceGetBusType, device,
                [&](const Gpu&) { return put(type, 2); });  // PCI Express
}
ESTIVA_NVML nvmlDeviceGetGspFirmwareMode(Device device, unsigned* enabled, unsigned* by_default) {
  return on_gpu(Fn::nvmlDeviceGetGspFirmwareMode, device, [&](const Gpu&) -> Return {
    if (enabled == nullptr) return kInvalidArgument;
    *enabled = 0;
    return put(by_default, 0);
  });
}
ESTIVA_NVML nvmlDeviceGetNumFans(Device device, unsigned* fans) {
  return on_gpu(Fn::nvmlDeviceGetNumFans, device,
                [&](const Gpu& gpu) { return put_if(gpu.card.fans > 0, fans, gpu.card.fans); });
}
// 0 none, 1 HMM, 2 ATS: a unified card shares the machine's page tables.
ESTIVA_NVML nvmlDeviceGetAddressingMode(Device device, AddressingMode* mode) {
  return on_gpu(Fn::nvmlDeviceGetAddressingMode, device, [&](const Gpu& gpu) -> Return {
    if (mode == nullptr) return kInvalidArgument;
    if (mode->version != version_word(sizeof *mode, 1)) return kArgumentVersionMismatch;
    mode->value = gpu.card.unified ? 2 : 0;
    return kSuccess;
  });
}

// Where cards sit to each other: one socket for a small machine, two for a server.
ESTIVA_NVML nvmlDeviceGetTopologyCommonAncestor(Device device, Device other, unsigned* level) {
  return on_device(Fn::nvmlDeviceGetTopologyCommonAncestor, device,
                   [&](const Gpu& gpu, const Handle&, const State& state) -> Return {
                     const Handle* second = resolve(other);
                     if (second == nullptr) return kInvalidArgument;
                     const Gpu& peer = state.gpus[second->gpu];
                     if (&peer == &gpu) return put(level, 0);
                     return put(level, peer.numa_node == gpu.numa_node ? 40 : 50);
                   });
}
ESTIVA_NVML nvmlDeviceGetTopologyNearestGpus(Device device, unsigned level, unsigned* count,
                                             Device* devices) {
  return on_device(Fn::nvmlDeviceGetTopologyNearestGpus, device,
                   [&](const Gpu& gpu, const Handle&, const State& state) -> Return {
                     if (count == nullptr) return kInvalidArgument;
                     const unsigned room = devices == nullptr ? 0 : *count;
                     unsigned found = 0;
                     for (unsigned i = 0; i < state.order_count; ++i) {
                       const Gpu& peer = state.gpus[state.order[i]];
                       if (&peer == &gpu) continue;
                       const unsigned theirs = peer.numa_node == gpu.numa_node ? 40 : 50;
                       if (theirs != level) continue;
                       if (found < room) devices[found] = handle_of(state.order[i], -1);
                       ++found;
                     }
                     *count = found;
                     return kSuccess;
                   });
}
ESTIVA_NVML nvmlDeviceGetP2PStatus(Device device, Device, unsigned, unsigned* status) {
  return on_gpu(Fn::nvmlDeviceGetP2PStatus, device,
                [&](const Gpu& gpu) { return put(status, gpu.card.nvlinks > 0 ? 0 : 1); });
}
ESTIVA_NVML nvmlDeviceOnSameBoard(Device device, Device other, int* same) {
  return on_gpu(Fn::nvmlDeviceOnSameBoard, device,
                [&](const Gpu&) { return put(same, device == other); });
}

namespace {
Return affinity(Fn function, Device device, unsigned words, unsigned long* set) {
  return on_device(function, device, [&](const Gpu&, const Handle&) -> Return {
    if (set == nullptr || words == 0) return kInvalidArgument;
    std::memset(set, 0, words * sizeof *set);
    set[0] = 0x3;
    return kSuccess;
  });
}
}  // namespace

ESTIVA_NVML nvmlDeviceGetCpuAffinity(Device device, unsigned words, unsigned long* set) {
  return affinity(Fn::nvmlDeviceGetCpuAffinity, device, words, set);
}
ESTIVA_NVML nvmlDeviceGetCpuAffinityWithinScope(Device device, unsigned words, unsigned long* set,
                                                unsigned) {
  return affinity(Fn::nvmlDeviceGetCpuAffinityWithinScope, device, words, set);
}
ESTIVA_NVML nvmlDeviceGetMemoryAffinity(Device device, unsigned words, unsigned long* set,
                                        unsigned) {
  return on_device(Fn::nvmlDeviceGetMemoryAffinity, device,
                   [&](const Gpu& gpu, const Handle&) -> Return {
                     if (set == nullptr || words == 0) return kInvalidArgument;
                     std::memset(set, 0, words * sizeof *set);
                     set[0] = 1ul << gpu.numa_node;
                     return kSuccess;
                   });
}
ESTIVA_NVML nvmlDeviceGetNumaNodeId(Device device, unsigned* node) {
  return on_gpu(Fn::nvmlDeviceGetNumaNodeId, device,
                [&](const Gpu& gpu) { return put_if(gpu.card.unified, node, gpu.numa_node); });
}
