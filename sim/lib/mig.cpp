// MIG instances and NVLinks.
#include <bit>

#include "sim/core/engine.h"
#include "sim/lib/runtime.h"

using namespace estiva::sim;

ESTIVA_NVML nvmlDeviceGetMigMode(Device device, unsigned* current, unsigned* pending) {
  return on_gpu(Fn::nvmlDeviceGetMigMode, device, [&](const Gpu& gpu) -> Return {
    if (current == nullptr || pending == nullptr) return kInvalidArgument;
    if (!gpu.card.mig_capable) return kNotSupported;
    *current = *pending = gpu.mig ? 1 : 0;
    return kSuccess;
  });
}
ESTIVA_NVML nvmlDeviceGetMaxMigDeviceCount(Device device, unsigned* count) {
  return on_gpu(Fn::nvmlDeviceGetMaxMigDeviceCount, device, [&](const Gpu& gpu) {
    return put(count, gpu.card.mig_capable ? kMaxInstances : 0);
  });
}
ESTIVA_NVML nvmlDeviceGetMigDeviceHandleByIndex(Device device, unsigned index, Device* instance) {
  return on_device(Fn::nvmlDeviceGetMigDeviceHandleByIndex, device,
                   [&](const Gpu& gpu, const Handle& handle) -> Return {
                     if (handle.instance >= 0 || instance == nullptr) return kInvalidArgument;
                     if (!gpu.card.mig_capable) return kNotSupported;
                     if (index >= gpu.instance_count) return kNotFound;
                     return put(instance, handle_of(handle.gpu, static_cast<int>(index)));
                   });
}
ESTIVA_NVML nvmlDeviceIsMigDeviceHandle(Device device, unsigned* is_mig) {
  return on_device(Fn::nvmlDeviceIsMigDeviceHandle, device, [&](const Gpu&, const Handle& handle) {
    return put(is_mig, handle.instance >= 0 ? 1 : 0);
  });
}
ESTIVA_NVML nvmlDeviceGetGpuInstanceId(Device device, unsigned* id) {
  return on_device(Fn::nvmlDeviceGetGpuInstanceId, device,
                   [&](const Gpu& gpu, const Handle& handle) -> Return {
                     if (handle.instance < 0) return kNotSupported;
                     return put(id, gpu.instances[handle.instance].gi);
                   });
}
ESTIVA_NVML nvmlDeviceGetComputeInstanceId(Device device, unsigned* id) {
  return on_device(Fn::nvmlDeviceGetComputeInstanceId, device,
                   [&](const Gpu& gpu, const Handle& handle) -> Return {
                     if (handle.instance < 0) return kNotSupported;
                     return put(id, gpu.instances[handle.instance].ci);
                   });
}
ESTIVA_NVML nvmlDeviceGetDeviceHandleFromMigDeviceHandle(Device instance, Device* device) {
  return on_device(Fn::nvmlDeviceGetDeviceHandleFromMigDeviceHandle, instance,
                   [&](const Gpu&, const Handle& handle) -> Return {
                     if (handle.instance < 0) return kInvalidArgument;
                     return put(device, handle_of(handle.gpu, -1));
                   });
}
ESTIVA_NVML nvmlDeviceGetAttributes_v2(Device device, DeviceAttributes* attributes) {
  return on_device(Fn::nvmlDeviceGetAttributes_v2, device,
                   [&](const Gpu& gpu, const Handle& handle) -> Return {
                     if (attributes == nullptr) return kInvalidArgument;
                     if (handle.instance < 0) return kNotSupported;
                     const Instance& instance = gpu.instances[handle.instance];
                     const unsigned multiprocessors = gpu.card.cores / 128;
                     *attributes = {.multiprocessors = multiprocessors * instance.slices / 7,
                                    .copy_engines = instance.slices,
                                    .decoders = instance.slices / 2,
                                    .encoders = 0,
                                    .jpegs = 0,
                                    .ofas = 0,
                                    .gpu_slices = instance.slices,
                                    .compute_slices = instance.slices,
                                    .memory_mib = instance.total_bytes >> 20};
                     return kSuccess;
                   });
}

ESTIVA_NVML nvmlDeviceGetNvLinkState(Device device, unsigned link, unsigned* active) {
  return on_gpu(Fn::nvmlDeviceGetNvLinkState, device, [&](const Gpu& gpu) -> Return {
    if (gpu.card.nvlinks == 0) return kNotSupported;
    if (link >= gpu.card.nvlinks) return kInvalidArgument;
    return put(active, (gpu.links_down >> link & 1U) != 0 ? 0 : 1);
  });
}
ESTIVA_NVML nvmlDeviceGetNvLinkVersion(Device device, unsigned link, unsigned* version) {
  return on_gpu(Fn::nvmlDeviceGetNvLinkVersion, device, [&](const Gpu& gpu) -> Return {
    if (gpu.card.nvlinks == 0) return kNotSupported;
    const unsigned generation = gpu.card.architecture >= 9 ? 4 : 3;
    return link >= gpu.card.nvlinks ? kInvalidArgument : put(version, generation);
  });
}
ESTIVA_NVML nvmlDeviceGetNvLinkCapability(Device device, unsigned link, unsigned, unsigned* has) {
  return on_gpu(Fn::nvmlDeviceGetNvLinkCapability, device, [&](const Gpu& gpu) -> Return {
    if (gpu.card.nvlinks == 0) return kNotSupported;
    return link >= gpu.card.nvlinks ? kInvalidArgument : put(has, 1);
  });
}
ESTIVA_NVML nvmlDeviceGetNvLinkErrorCounter(Device device, unsigned link, unsigned counter,
                                            unsigned long long* count) {
  return on_gpu(Fn::nvmlDeviceGetNvLinkErrorCounter, device, [&](const Gpu& gpu) -> Return {
    if (gpu.card.nvlinks == 0) return kNotSupported;
    if (link >= gpu.card.nvlinks || counter > 4) return kInvalidArgument;
    const auto first_up = static_cast<unsigned>(std::countr_one(gpu.links_down));
    const std::uint64_t errors = counter == 0   ? gpu.link_errors
                                 : counter == 2 ? gpu.link_crc_errors
                                                : 0;
    return put(count, link == first_up ? errors : 0);
  });
}
// Every link goes to a switch, which has an address of its own.
ESTIVA_NVML nvmlDeviceGetNvLinkRemotePciInfo_v2(Device device, unsigned link, PciInfo* pci) {
  return on_gpu(Fn::nvmlDeviceGetNvLinkRemotePciInfo_v2, device, [&](const Gpu& gpu) -> Return {
    if (gpu.card.nvlinks == 0) return kNotSupported;
    if (link >= gpu.card.nvlinks || pci == nullptr) return kInvalidArgument;
    std::memset(pci, 0, sizeof *pci);
    pci->bus = 0xc0 + link % 4;
    const char digits[] = "0123456789ABCDEF";
    std::memcpy(pci->bus_id, "00000000:C0:00.0", 17);
    pci->bus_id[10] = digits[link % 4];
    std::memcpy(pci->bus_id_legacy, "0000:C0:00.0", 13);
    pci->bus_id_legacy[6] = digits[link % 4];
    return kSuccess;
  });
}
