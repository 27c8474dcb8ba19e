// Who uses a card: the lists of running processes and their utilisation.
#include "sim/core/engine.h"
#include "sim/lib/runtime.h"

using namespace estiva::sim;

namespace {

constexpr unsigned kNoInstance = 0xffffffff;

bool shown(const Process& process, const Handle& handle, std::uint32_t type) {
  if (process.pid == 0 || !process.visible || process.gpu != handle.gpu) return false;
  if (handle.instance >= 0 && process.instance != handle.instance) return false;
  return (process.type & type) != 0;
}

// Plain compute processes are not in the MPS list, and the other way round.
bool in_list(const Process& process, const Handle& handle, std::uint32_t type) {
  if (type == kCompute && (process.type & kMps) != 0) return false;
  return shown(process, handle, type);
}

void fill(ProcessInfoV1& row, const Process& process, const Gpu&) {
  row = {static_cast<unsigned>(process.pid), process.visible_bytes};
}
void fill(ProcessInfo& row, const Process& process, const Gpu& gpu) {
  row = {static_cast<unsigned>(process.pid), process.visible_bytes, kNoInstance, kNoInstance};
  if (gpu.mig && process.instance >= 0 && process.instance < static_cast<int>(gpu.instance_count)) {
    row.gpu_instance = gpu.instances[process.instance].gi;
    row.compute_instance = gpu.instances[process.instance].ci;
  }
}

template <class Row>
Return list(Fn function, Device device, unsigned* count, Row* rows, std::uint32_t type) {
  return on_device(function, device,
                   [&, room = count ? *count : 0](const Gpu& gpu, const Handle& handle,
                                                  const State& state) -> Return {
                     if (count == nullptr || (rows == nullptr && room != 0))
                       return kInvalidArgument;
                     unsigned found = 0;
                     for (const Process& process : state.processes) {
                       if (!in_list(process, handle, type)) continue;
                       if (found < room) fill(rows[found], process, gpu);
                       ++found;
                     }
                     *count = found;
                     return found > room ? kInsufficientSize : kSuccess;
                   });
}

std::uint64_t stamp(const State& state) {
  return static_cast<std::uint64_t>((state.wall_start_ns + state.now_ns) / 1000);
}

}  // namespace

#define ESTIVA_PROCESS_LISTS(Kind, type)                                                  \
  ESTIVA_NVML nvmlDeviceGet##Kind##RunningProcesses(Device device, unsigned* count,       \
                                                    ProcessInfoV1* rows) {                \
    return list(Fn::nvmlDeviceGet##Kind##RunningProcesses, device, count, rows, type);    \
  }                                                                                       \
  ESTIVA_NVML nvmlDeviceGet##Kind##RunningProcesses_v2(Device device, unsigned* count,    \
                                                       ProcessInfo* rows) {               \
    return list(Fn::nvmlDeviceGet##Kind##RunningProcesses_v2, device, count, rows, type); \
  }                                                                                       \
  ESTIVA_NVML nvmlDeviceGet##Kind##RunningProcesses_v3(Device device, unsigned* count,    \
                                                       ProcessInfo* rows) {               \
    return list(Fn::nvmlDeviceGet##Kind##RunningProcesses_v3, device, count, rows, type); \
  }
ESTIVA_PROCESS_LISTS(Compute, kCompute)
ESTIVA_PROCESS_LISTS(Graphics, kGraphics)
ESTIVA_PROCESS_LISTS(MPSCompute, kMps)

ESTIVA_NVML nvmlDeviceGetRunningProcessDetailList(Device device, ProcessDetailList* details) {
  return on_device(Fn::nvmlDeviceGetRunningProcessDetailList, device,
                   [&, room = details ? details->count : 0](const Gpu& gpu, const Handle& handle,
                                                            const State& state) -> Return {
                     if (details == nullptr) return kInvalidArgument;
                     if (details->version != version_word(sizeof *details, 1))
                       return kArgumentVersionMismatch;
                     constexpr std::uint32_t kTypes[] = {kCompute, kGraphics, kMps};
                     if (details->mode > 2) return kInvalidArgument;
                     unsigned found = 0;
                     for (const Process& process : state.processes) {
                       if (!in_list(process, handle, kTypes[details->mode])) continue;
                       if (found < room && details->rows != nullptr) {
                         ProcessInfo info{};
                         fill(info, process, gpu);
                         details->rows[found] = {info.pid, info.used, info.gpu_instance,
                                                 info.compute_instance, 0};
                       }
                       ++found;
                     }
                     details->count = found;
                     return found > room ? kInsufficientSize : kSuccess;
                   });
}

// A fresh sample at every tenth of a second; NOT_FOUND where nothing is newer than `since`.
ESTIVA_NVML nvmlDeviceGetProcessUtilization(Device device, ProcessUtilizationSample* rows,
                                            unsigned* count, unsigned long long since) {
  return on_device(
      Fn::nvmlDeviceGetProcessUtilization, device,
      [&, room = count ? *count : 0](const Gpu& gpu, const Handle& handle,
                                     const State& state) -> Return {
        if (count == nullptr) return kInvalidArgument;
        if (gpu.mig) return kNotSupported;
        unsigned found = 0;
        for (const Process& p : state.processes) {
          if (!shown(p, handle, ~0u) || stamp(state) <= since) continue;
          if (found < room && rows != nullptr) {
            rows[found] = {
                static_cast<unsigned>(p.pid), stamp(state), p.sm, p.memory, p.encoder, p.decoder};
          }
          ++found;
        }
        *count = found;
        if (found == 0) return kNotFound;
        return found > room ? kInsufficientSize : kSuccess;
      });
}
ESTIVA_NVML nvmlDeviceGetProcessesUtilizationInfo(Device device, ProcessesUtilizationInfo* info) {
  return on_device(Fn::nvmlDeviceGetProcessesUtilizationInfo, device,
                   [&, room = info ? info->count : 0](const Gpu& gpu, const Handle& handle,
                                                      const State& state) -> Return {
                     if (info == nullptr) return kInvalidArgument;
                     if (info->version != version_word(sizeof *info, 1)) {
                       return kArgumentVersionMismatch;
                     }
                     if (gpu.mig) return kNotSupported;
                     unsigned found = 0;
                     for (const Process& p : state.processes) {
                       if (!shown(p, handle, ~0u) || stamp(state) <= info->last_seen) continue;
                       if (found < room && info->rows != nullptr) {
                         info->rows[found] = {stamp(state),
                                              static_cast<unsigned>(p.pid),
                                              p.sm,
                                              p.memory,
                                              p.encoder,
                                              p.decoder,
                                              0,
                                              0};
                       }
                       ++found;
                     }
                     info->count = found;
                     if (found == 0) return kNotFound;
                     return found > room ? kInsufficientSize : kSuccess;
                   });
}
