// Memory, utilisation, temperature, power, clocks, fans and the PCIe link.
#include <algorithm>
#include <cmath>

#include "sim/core/engine.h"
#include "sim/lib/runtime.h"

using namespace estiva::sim;

namespace {

struct Room {
  std::uint64_t total, reserved, used, free;
};

// used + free + reserved = total; `used` is what NVML shows yet, not what is allocated.
Room room_of(const Gpu& gpu, const Handle& handle, const State& state) {
  Room room{gpu.card.total_bytes, gpu.card.reserved_bytes, gpu.visible_bytes, 0};
  if (handle.instance >= 0) {
    room = {gpu.instances[handle.instance].total_bytes, 0, 0, 0};
    for (const Process& process : state.processes) {
      if (process.pid != 0 && process.gpu == handle.gpu && process.instance == handle.instance) {
        room.used += process.visible_bytes;
      }
    }
  }
  room.used = std::min(room.used, room.total - std::min(room.total, room.reserved));
  room.free = room.total - room.reserved - room.used;
  return room;
}

unsigned whole(double value) {
  return static_cast<unsigned>(std::lround(value));
}

Return percent(Fn function, Device device, unsigned* value, unsigned* period, double Gpu::*member,
               bool has_engine = true) {
  return on_gpu(function, device, [&](const Gpu& gpu) -> Return {
    if (value == nullptr || period == nullptr) return kInvalidArgument;
    if (gpu.mig || !has_engine) return kNotSupported;
    *period = 167000;
    return put(value, whole(gpu.*member));
  });
}

bool limits_known(const Gpu& gpu) {
  return gpu.card.power_limit_known;
}

}  // namespace

ESTIVA_NVML nvmlDeviceGetMemoryInfo(Device device, Memory* memory) {
  return on_device(Fn::nvmlDeviceGetMemoryInfo, device,
                   [&](const Gpu& gpu, const Handle& handle, const State& state) -> Return {
                     if (memory == nullptr) return kInvalidArgument;
                     if (gpu.card.unified) return kNotSupported;
                     const Room room = room_of(gpu, handle, state);
                     // The first version knows no reserved memory: it counts as used.
                     *memory = {room.total, room.free, room.used + room.reserved};
                     return kSuccess;
                   });
}
ESTIVA_NVML nvmlDeviceGetMemoryInfo_v2(Device device, MemoryV2* memory) {
  return on_device(Fn::nvmlDeviceGetMemoryInfo_v2, device,
                   [&](const Gpu& gpu, const Handle& handle, const State& state) -> Return {
                     if (memory == nullptr) return kInvalidArgument;
                     if (memory->version != version_word(sizeof *memory, 2)) {
                       return kArgumentVersionMismatch;
                     }
                     if (gpu.card.unified) return kNotSupported;
                     const Room room = room_of(gpu, handle, state);
                     memory->total = room.total;
                     memory->reserved = room.reserved;
                     memory->free = room.free;
                     memory->used = room.used;
                     return kSuccess;
                   });
}
ESTIVA_NVML nvmlDeviceGetBAR1MemoryInfo(Device device, Bar1Memory* memory) {
  return on_device(Fn::nvmlDeviceGetBAR1MemoryInfo, device,
                   [&](const Gpu& gpu, const Handle&) -> Return {
                     if (memory == nullptr) return kInvalidArgument;
                     if (gpu.card.bar1_bytes == 0) return kNotSupported;
                     constexpr std::uint64_t kUsed = 3u << 20;
                     *memory = {gpu.card.bar1_bytes, gpu.card.bar1_bytes - kUsed, kUsed};
                     return kSuccess;
                   });
}

ESTIVA_NVML nvmlDeviceGetUtilizationRates(Device device, Utilization* rates) {
  return on_gpu(Fn::nvmlDeviceGetUtilizationRates, device, [&](const Gpu& gpu) -> Return {
    if (rates == nullptr) return kInvalidArgument;
    if (gpu.mig) return kNotSupported;
    *rates = {whole(gpu.utilization), whole(gpu.memory_utilization)};
    return kSuccess;
  });
}
ESTIVA_NVML nvmlDeviceGetEncoderUtilization(Device device, unsigned* value, unsigned* period) {
  return percent(Fn::nvmlDeviceGetEncoderUtilization, device, value, period, &Gpu::encoder);
}
ESTIVA_NVML nvmlDeviceGetDecoderUtilization(Device device, unsigned* value, unsigned* period) {
  return percent(Fn::nvmlDeviceGetDecoderUtilization, device, value, period, &Gpu::decoder);
}
ESTIVA_NVML nvmlDeviceGetJpgUtilization(Device device, unsigned* value, unsigned* period) {
  return percent(Fn::nvmlDeviceGetJpgUtilization, device, value, period, &Gpu::encoder, false);
}
ESTIVA_NVML nvmlDeviceGetOfaUtilization(Device device, unsigned* value, unsigned* period) {
  return percent(Fn::nvmlDeviceGetOfaUtilization, device, value, period, &Gpu::encoder, false);
}

ESTIVA_NVML nvmlDeviceGetTemperature(Device device, unsigned sensor, unsigned* celsius) {
  return on_gpu(Fn::nvmlDeviceGetTemperature, device, [&](const Gpu& gpu) -> Return {
    return sensor != 0 ? kInvalidArgument : put(celsius, whole(gpu.temperature));
  });
}
ESTIVA_NVML nvmlDeviceGetTemperatureV(Device device, Temperature* temperature) {
  return on_gpu(Fn::nvmlDeviceGetTemperatureV, device, [&](const Gpu& gpu) -> Return {
    if (temperature == nullptr) return kInvalidArgument;
    if (temperature->version != version_word(sizeof *temperature, 1))
      return kArgumentVersionMismatch;
    return temperature->sensor != 0 ? kInvalidArgument
                                    : put(&temperature->temperature, whole(gpu.temperature));
  });
}
ESTIVA_NVML nvmlDeviceGetTemperatureThreshold(Device device, unsigned which, unsigned* celsius) {
  return on_gpu(Fn::nvmlDeviceGetTemperatureThreshold, device, [&](const Gpu& gpu) -> Return {
    const Card& card = gpu.card;
    switch (which) {
      case 0:
        return put(celsius, card.shutdown_c);
      case 1:
        return put(celsius, card.slowdown_c);
      case 2:
        return put_if(card.memory_max_c > 0, celsius, card.memory_max_c);
      case 3:
        return put(celsius, card.max_operating_c);
      default:
        return which < 8 ? kNotSupported : kInvalidArgument;
    }
  });
}
ESTIVA_NVML nvmlDeviceGetMarginTemperature(Device device, MarginTemperature* margin) {
  return on_gpu(Fn::nvmlDeviceGetMarginTemperature, device, [&](const Gpu& gpu) -> Return {
    if (margin == nullptr) return kInvalidArgument;
    if (margin->version != version_word(sizeof *margin, 1)) return kArgumentVersionMismatch;
    if (gpu.card.architecture < 8) return kNotSupported;
    margin->margin = static_cast<int>(gpu.card.slowdown_c) - static_cast<int>(gpu.temperature);
    return kSuccess;
  });
}

ESTIVA_NVML nvmlDeviceGetPowerUsage(Device device, unsigned* milliwatts) {
  return on_gpu(Fn::nvmlDeviceGetPowerUsage, device, [&](const Gpu& gpu) {
    return put_if(gpu.card.power_known, milliwatts, whole(gpu.power_mw));
  });
}
ESTIVA_NVML nvmlDeviceGetPowerManagementLimit(Device device, unsigned* milliwatts) {
  return on_gpu(Fn::nvmlDeviceGetPowerManagementLimit, device, [&](const Gpu& gpu) {
    return put_if(limits_known(gpu), milliwatts, gpu.enforced_limit_mw);
  });
}
ESTIVA_NVML nvmlDeviceGetEnforcedPowerLimit(Device device, unsigned* milliwatts) {
  return on_gpu(Fn::nvmlDeviceGetEnforcedPowerLimit, device, [&](const Gpu& gpu) {
    return put_if(limits_known(gpu), milliwatts, gpu.enforced_limit_mw);
  });
}
ESTIVA_NVML nvmlDeviceGetPowerManagementDefaultLimit(Device device, unsigned* milliwatts) {
  return on_gpu(Fn::nvmlDeviceGetPowerManagementDefaultLimit, device, [&](const Gpu& gpu) {
    return put_if(limits_known(gpu), milliwatts, gpu.card.limit_mw);
  });
}
ESTIVA_NVML nvmlDeviceGetPowerManagementLimitConstraints(Device device, unsigned* least,
                                                         unsigned* most) {
  return on_gpu(Fn::nvmlDeviceGetPowerManagementLimitConstraints, device,
                [&](const Gpu& gpu) -> Return {
                  if (least == nullptr) return kInvalidArgument;
                  if (!limits_known(gpu)) return kNotSupported;
                  *least = gpu.card.limit_min_mw;
                  return put(most, gpu.card.limit_max_mw);
                });
}
ESTIVA_NVML nvmlDeviceGetPowerManagementMode(Device device, unsigned* mode) {
  return on_gpu(Fn::nvmlDeviceGetPowerManagementMode, device,
                [&](const Gpu& gpu) { return put_if(limits_known(gpu), mode, 1); });
}
ESTIVA_NVML nvmlDeviceGetPerformanceState(Device device, unsigned* state) {
  return on_gpu(Fn::nvmlDeviceGetPerformanceState, device,
                [&](const Gpu& gpu) { return put(state, gpu.performance_state); });
}
ESTIVA_NVML nvmlDeviceGetPowerState(Device device, unsigned* state) {
  return on_gpu(Fn::nvmlDeviceGetPowerState, device,
                [&](const Gpu& gpu) { return put(state, gpu.performance_state); });
}
ESTIVA_NVML nvmlDeviceGetTotalEnergyConsumption(Device device, unsigned long long* millijoules) {
  return on_gpu(Fn::nvmlDeviceGetTotalEnergyConsumption, device, [&](const Gpu& gpu) {
    return put_if(gpu.card.energy_known, millijoules, gpu.energy_mj);
  });
}

namespace {
// 0 graphics, 1 SM, 2 memory, 3 video.
Return clock(const Gpu& gpu, unsigned type, bool most, unsigned* mhz) {
  const Card& card = gpu.card;
  switch (type) {
    case 0:
    case 1:
      return put(mhz, most ? card.sm_max_mhz : gpu.sm_mhz);
    case 2:
      return put(mhz, most ? card.memory_max_mhz : gpu.memory_mhz);
    case 3:
      return put(mhz, most ? card.video_max_mhz : card.video_max_mhz * 9 / 10);
    default:
      return kInvalidArgument;
  }
}
}  // namespace

ESTIVA_NVML nvmlDeviceGetClockInfo(Device device, unsigned type, unsigned* mhz) {
  return on_gpu(Fn::nvmlDeviceGetClockInfo, device,
                [&](const Gpu& gpu) { return clock(gpu, type, false, mhz); });
}
ESTIVA_NVML nvmlDeviceGetMaxClockInfo(Device device, unsigned type, unsigned* mhz) {
  return on_gpu(Fn::nvmlDeviceGetMaxClockInfo, device,
                [&](const Gpu& gpu) { return clock(gpu, type, true, mhz); });
}
ESTIVA_NVML nvmlDeviceGetClock(Device device, unsigned type, unsigned id, unsigned* mhz) {
  return on_gpu(Fn::nvmlDeviceGetClock, device, [&](const Gpu& gpu) -> Return {
    if (id > 3) return kInvalidArgument;
    return id == 1 || id == 2 ? kNotSupported : clock(gpu, type, id == 3, mhz);
  });
}
ESTIVA_NVML nvmlDeviceGetMaxCustomerBoostClock(Device device, unsigned type, unsigned* mhz) {
  return on_gpu(Fn::nvmlDeviceGetMaxCustomerBoostClock, device, [&](const Gpu& gpu) -> Return {
    return gpu.card.datacentre ? clock(gpu, type, true, mhz) : kNotSupported;
  });
}
ESTIVA_NVML nvmlDeviceGetApplicationsClock(Device device, unsigned type, unsigned* mhz) {
  return on_gpu(Fn::nvmlDeviceGetApplicationsClock, device, [&](const Gpu& gpu) -> Return {
    return gpu.card.datacentre ? clock(gpu, type, true, mhz) : kNotSupported;
  });
}
ESTIVA_NVML nvmlDeviceGetDefaultApplicationsClock(Device device, unsigned type, unsigned* mhz) {
  return on_gpu(Fn::nvmlDeviceGetDefaultApplicationsClock, device, [&](const Gpu& gpu) -> Return {
    return gpu.card.datacentre ? clock(gpu, type, true, mhz) : kNotSupported;
  });
}

ESTIVA_NVML nvmlDeviceGetCurrentClocksEventReasons(Device device, unsigned long long* reasons) {
  return on_gpu(Fn::nvmlDeviceGetCurrentClocksEventReasons, device,
                [&](const Gpu& gpu) { return put(reasons, gpu.reasons); });
}
ESTIVA_NVML nvmlDeviceGetCurrentClocksThrottleReasons(Device device, unsigned long long* reasons) {
  return on_gpu(Fn::nvmlDeviceGetCurrentClocksThrottleReasons, device,
                [&](const Gpu& gpu) { return put(reasons, gpu.reasons); });
}
ESTIVA_NVML nvmlDeviceGetSupportedClocksEventReasons(Device device, unsigned long long* reasons) {
  return on_gpu(Fn::nvmlDeviceGetSupportedClocksEventReasons, device,
                [&](const Gpu&) { return put(reasons, 0x1ff); });
}
ESTIVA_NVML nvmlDeviceGetSupportedClocksThrottleReasons(Device device,
                                                        unsigned long long* reasons) {
  return on_gpu(Fn::nvmlDeviceGetSupportedClocksThrottleReasons, device,
                [&](const Gpu&) { return put(reasons, 0x1ff); });
}

ESTIVA_NVML nvmlDeviceGetFanSpeed(Device device, unsigned* speed) {
  return on_gpu(Fn::nvmlDeviceGetFanSpeed, device,
                [&](const Gpu& gpu) { return put_if(gpu.card.fans > 0, speed, gpu.fan_percent); });
}
ESTIVA_NVML nvmlDeviceGetFanSpeed_v2(Device device, unsigned fan, unsigned* speed) {
  return on_gpu(Fn::nvmlDeviceGetFanSpeed_v2, device, [&](const Gpu& gpu) -> Return {
    if (gpu.card.fans == 0) return kNotSupported;
    return fan >= gpu.card.fans ? kInvalidArgument : put(speed, gpu.fan_percent);
  });
}
ESTIVA_NVML nvmlDeviceGetTargetFanSpeed(Device device, unsigned fan, unsigned* speed) {
  return on_gpu(Fn::nvmlDeviceGetTargetFanSpeed, device, [&](const Gpu& gpu) -> Return {
    if (gpu.card.fans == 0) return kNotSupported;
    return fan >= gpu.card.fans ? kInvalidArgument : put(speed, gpu.fan_percent);
  });
}
ESTIVA_NVML nvmlDeviceGetMinMaxFanSpeed(Device device, unsigned* least, unsigned* most) {
  return on_gpu(Fn::nvmlDeviceGetMinMaxFanSpeed, device, [&](const Gpu& gpu) -> Return {
    if (gpu.card.fans == 0) return kNotSupported;
    if (least == nullptr) return kInvalidArgument;
    *least = 30;
    return put(most, 100);
  });
}

namespace {
unsigned generation_now(const Gpu& gpu) {
  if (gpu.pcie_generation_now != 0) return gpu.pcie_generation_now;
  return gpu.utilization < 1 && !gpu.card.datacentre ? 1 : gpu.card.pcie_generation;
}
unsigned width_now(const Gpu& gpu) {
  return gpu.pcie_width_now != 0 ? gpu.pcie_width_now : gpu.card.pcie_width;
}
unsigned megabytes_a_second(unsigned generation) {
  constexpr unsigned kPerLane[] = {0, 250, 500, 985, 1969, 3938, 7563};
  return generation < 7 ? kPerLane[generation] : 0;
}
}  // namespace

ESTIVA_NVML nvmlDeviceGetCurrPcieLinkGeneration(Device device, unsigned* generation) {
  return on_gpu(Fn::nvmlDeviceGetCurrPcieLinkGeneration, device,
                [&](const Gpu& gpu) { return put(generation, generation_now(gpu)); });
}
ESTIVA_NVML nvmlDeviceGetCurrPcieLinkWidth(Device device, unsigned* width) {
  return on_gpu(Fn::nvmlDeviceGetCurrPcieLinkWidth, device,
                [&](const Gpu& gpu) { return put(width, width_now(gpu)); });
}
ESTIVA_NVML nvmlDeviceGetMaxPcieLinkGeneration(Device device, unsigned* generation) {
  return on_gpu(Fn::nvmlDeviceGetMaxPcieLinkGeneration, device,
                [&](const Gpu& gpu) { return put(generation, gpu.card.pcie_generation); });
}
ESTIVA_NVML nvmlDeviceGetGpuMaxPcieLinkGeneration(Device device, unsigned* generation) {
  return on_gpu(Fn::nvmlDeviceGetGpuMaxPcieLinkGeneration, device,
                [&](const Gpu& gpu) { return put(generation, gpu.card.pcie_generation); });
}
ESTIVA_NVML nvmlDeviceGetMaxPcieLinkWidth(Device device, unsigned* width) {
  return on_gpu(Fn::nvmlDeviceGetMaxPcieLinkWidth, device,
                [&](const Gpu& gpu) { return put(width, gpu.card.pcie_width); });
}
ESTIVA_NVML nvmlDeviceGetPcieLinkMaxSpeed(Device device, unsigned* speed) {
  return on_gpu(Fn::nvmlDeviceGetPcieLinkMaxSpeed, device,
                [&](const Gpu& gpu) { return put(speed, gpu.card.pcie_generation); });
}
ESTIVA_NVML nvmlDeviceGetPcieSpeed(Device device, unsigned* speed) {
  return on_gpu(Fn::nvmlDeviceGetPcieSpeed, device, [&](const Gpu& gpu) {
    return put(speed, megabytes_a_second(generation_now(gpu)));
  });
}
ESTIVA_NVML nvmlDeviceGetPcieThroughput(Device device, unsigned counter, unsigned* kilobytes) {
  return on_gpu(Fn::nvmlDeviceGetPcieThroughput, device, [&](const Gpu& gpu) -> Return {
    if (counter > 1) return kInvalidArgument;
    return put(kilobytes, gpu.memory_utilization * (counter == 0 ? 1200 : 3400));
  });
}
ESTIVA_NVML nvmlDeviceGetPcieReplayCounter(Device device, unsigned* replays) {
  return on_gpu(Fn::nvmlDeviceGetPcieReplayCounter, device,
                [&](const Gpu& gpu) { return put(replays, gpu.pcie_replays); });
}
