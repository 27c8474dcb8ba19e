// Init, versions, enumeration, names of errors and processes, and the simulator's own counters.
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <unistd.h>

#include "sim/core/engine.h"
#include "sim/lib/runtime.h"

using namespace estiva::sim;

ESTIVA_NVML nvmlInit() {
  return runtime_init(Fn::nvmlInit, 0);
}
ESTIVA_NVML nvmlInit_v2() {
  return runtime_init(Fn::nvmlInit_v2, 0);
}
ESTIVA_NVML nvmlInitWithFlags(unsigned flags) {
  return runtime_init(Fn::nvmlInitWithFlags, flags);
}
ESTIVA_NVML nvmlShutdown() {
  const Timed timed(Fn::nvmlShutdown);
  return runtime_shutdown();
}

extern "C" __attribute__((visibility("default"))) const char* nvmlErrorString(int code) {
  switch (code) {
    case 0:
      return "Success";
    case 1:
      return "Uninitialized";
    case 2:
      return "Invalid Argument";
    case 3:
      return "Not Supported";
    case 4:
      return "Insufficient Permissions";
    case 5:
      return "Already Initialized";
    case 6:
      return "Not Found";
    case 7:
      return "Insufficient Size";
    case 8:
      return "Insufficient External Power";
    case 9:
      return "Driver Not Loaded";
    case 10:
      return "Timeout";
    case 11:
      return "Interrupt Request Issue";
    case 12:
      return "NVML Shared Library Not Found";
    case 13:
      return "Function Not Found";
    case 14:
      return "Corrupted infoROM";
    case 15:
      return "GPU is lost";
    case 16:
      return "GPU requires reset";
    case 17:
      return "GPU access blocked by the operating system";
    case 18:
      return "Driver/library version mismatch";
    case 19:
      return "In use by another client";
    case 20:
      return "Insufficient Memory";
    case 21:
      return "No data";
    case 25:
      return "Argument version mismatch";
    case 27:
      return "System is not in ready state";
    case 28:
      return "No GPU found";
    case 29:
      return "Invalid state";
    default:
      return "Unknown Error";
  }
}

ESTIVA_NVML nvmlSystemGetDriverVersion(char* version, unsigned length) {
  return on_system(Fn::nvmlSystemGetDriverVersion,
                   [&](const State& state) { return put(version, length, state.driver_version); });
}

// Works before Init, as the real one does: "12." and the version of the library.
ESTIVA_NVML nvmlSystemGetNVMLVersion(char* version, unsigned length) {
  char text[48];
  const char* own = library_version();
  const State* state = machine();
  const unsigned major = state != nullptr ? state->cuda_version / 1000 : 12;
  std::snprintf(text, sizeof text, "%u.%s", major, own);
  const Timed timed(Fn::nvmlSystemGetNVMLVersion);
  return put(version, length, text);
}

ESTIVA_NVML nvmlSystemGetCudaDriverVersion(int* version) {
  return on_system(Fn::nvmlSystemGetCudaDriverVersion,
                   [&](const State& state) { return put(version, state.cuda_version); });
}
ESTIVA_NVML nvmlSystemGetCudaDriverVersion_v2(int* version) {
  return on_system(Fn::nvmlSystemGetCudaDriverVersion_v2,
                   [&](const State& state) { return put(version, state.cuda_version); });
}

ESTIVA_NVML nvmlSystemGetProcessName(unsigned pid, char* name, unsigned length) {
  return on_system(Fn::nvmlSystemGetProcessName, [&](const State& state) -> Return {
    if (name == nullptr || length == 0) return kInvalidArgument;
    for (const Process& process : state.processes) {
      if (process.pid != static_cast<int>(pid) || pid == 0) continue;
      std::snprintf(name, length, "%s", process.name);
      return kSuccess;
    }
    return kNotFound;
  });
}

ESTIVA_NVML nvmlUnitGetCount(unsigned* count) {
  return on_system(Fn::nvmlUnitGetCount, [&](const State&) { return put(count, 0); });
}
ESTIVA_NVML nvmlSystemGetHicVersion(unsigned* count, HwbcEntry*) {
  return on_system(Fn::nvmlSystemGetHicVersion, [&](const State&) { return put(count, 0); });
}
ESTIVA_NVML nvmlSystemGetTopologyGpuSet(unsigned, unsigned* count, Device* devices) {
  return on_system(Fn::nvmlSystemGetTopologyGpuSet, [&](const State& state) -> Return {
    if (count == nullptr) return kInvalidArgument;
    const unsigned room = *count;
    *count = state.order_count;
    for (unsigned i = 0; devices != nullptr && i < room && i < state.order_count; ++i) {
      devices[i] = handle_of(state.order[i], -1);
    }
    return kSuccess;
  });
}

namespace {
Return count_of(Fn function, unsigned* count) {
  return on_system(function, [&](const State& state) { return put(count, state.order_count); });
}

// Getting a handle attaches the driver to the card: lost cards refuse, sleeping ones wake.
Return give(Fn function, unsigned gpu, Device* device) {
  const Device handle = handle_of(gpu, -1);
  const Return wrong = before_device(function, resolve(handle));
  if (wrong == kSuccess) *device = handle;
  return wrong;
}

Return by_index(Fn function, unsigned index, Device* device) {
  Timed timed(function);
  if (machine() == nullptr) return timed.done(kUninitialized);
  if (device == nullptr || index >= machine()->order_count) {
    const Return wrong = before(function, -1);
    return timed.done(wrong != kSuccess ? wrong : kInvalidArgument);
  }
  return timed.done(give(function, machine()->order[index], device));
}

// By address NVML goes to the card at once; by UUID or serial number it attaches to one card after
// the other until it has found it.
enum class Way { straight, search };

template <class Match>
Return by_match(Fn function, Device* device, Way way, Match&& match) {
  Timed timed(function);
  if (const Return wrong = before(function, -1); wrong != kSuccess) return timed.done(wrong);
  if (device == nullptr) return timed.done(kInvalidArgument);
  const State& state = *machine();
  for (unsigned i = 0; i < state.order_count; ++i) {
    if (match(state.gpus[state.order[i]]))
      return timed.done(give(function, state.order[i], device));
    if (way == Way::search) touch(state.order[i]);
  }
  return timed.done(kNotFound);
}

bool same_address(const Gpu& gpu, const char* text) {
  unsigned domain = 0, bus = 0, slot = 0;
  if (std::sscanf(text, "%x:%x:%x", &domain, &bus, &slot) != 3) {
    domain = 0;
    if (std::sscanf(text, "%x:%x", &bus, &slot) != 2) return false;
  }
  return gpu.domain == domain && gpu.bus == bus && gpu.device == slot;
}
}  // namespace

ESTIVA_NVML nvmlDeviceGetCount(unsigned* count) {
  return count_of(Fn::nvmlDeviceGetCount, count);
}
ESTIVA_NVML nvmlDeviceGetCount_v2(unsigned* count) {
  return count_of(Fn::nvmlDeviceGetCount_v2, count);
}
ESTIVA_NVML nvmlDeviceGetHandleByIndex(unsigned index, Device* device) {
  return by_index(Fn::nvmlDeviceGetHandleByIndex, index, device);
}
ESTIVA_NVML nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
  return by_index(Fn::nvmlDeviceGetHandleByIndex_v2, index, device);
}
ESTIVA_NVML nvmlDeviceGetHandleByUUID(const char* uuid, Device* device) {
  if (uuid == nullptr) return kInvalidArgument;
  if (std::strncmp(uuid, "MIG-", 4) == 0 && machine() != nullptr) {
    Timed timed(Fn::nvmlDeviceGetHandleByUUID);
    const State& state = *machine();
    for (unsigned g = 0; g < state.gpu_count; ++g) {
      for (unsigned i = 0; i < state.gpus[g].instance_count; ++i) {
        if (std::strcmp(state.gpus[g].instances[i].uuid, uuid) != 0) continue;
        return timed.done(put(device, handle_of(g, static_cast<int>(i))));
      }
    }
    return timed.done(kNotFound);
  }
  return by_match(Fn::nvmlDeviceGetHandleByUUID, device, Way::search,
                  [&](const Gpu& gpu) { return std::strcmp(gpu.uuid, uuid) == 0; });
}
ESTIVA_NVML nvmlDeviceGetHandleByPciBusId(const char* bus_id, Device* device) {
  if (bus_id == nullptr) return kInvalidArgument;
  return by_match(Fn::nvmlDeviceGetHandleByPciBusId, device, Way::straight,
                  [&](const Gpu& gpu) { return same_address(gpu, bus_id); });
}
ESTIVA_NVML nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, Device* device) {
  if (bus_id == nullptr) return kInvalidArgument;
  return by_match(Fn::nvmlDeviceGetHandleByPciBusId_v2, device, Way::straight,
                  [&](const Gpu& gpu) { return same_address(gpu, bus_id); });
}
ESTIVA_NVML nvmlDeviceGetHandleBySerial(const char* serial, Device* device) {
  if (serial == nullptr || *serial == '\0') return kInvalidArgument;
  return by_match(Fn::nvmlDeviceGetHandleBySerial, device, Way::search,
                  [&](const Gpu& gpu) { return std::strcmp(gpu.serial, serial) == 0; });
}

// The simulator's own door, for benchmarks: calls, nanoseconds spent inside and errors of one
// function, or of all together where `function` is null. False: no such function, or no machine.
extern "C" __attribute__((visibility("default"))) int estiva_sim_stats(const char* function,
                                                                       unsigned long long* calls,
                                                                       unsigned long long* ns,
                                                                       unsigned long long* errors) {
  const State* state = machine();
  const int wanted = function == nullptr ? -1 : find_function(function);
  if (state == nullptr || (function != nullptr && wanted < 0)) return 0;
  *calls = *ns = *errors = 0;
  for (unsigned i = 0; i < kFunctionCount; ++i) {
    if (wanted >= 0 && wanted != static_cast<int>(i)) continue;
    *calls += state->stats[i].calls.load(std::memory_order_relaxed);
    *ns += state->stats[i].ns.load(std::memory_order_relaxed);
    *errors += state->stats[i].errors.load(std::memory_order_relaxed);
  }
  return 1;
}
