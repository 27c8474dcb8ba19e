// nvidia-smi's private door. It asks for a table of functions by a GUID and refuses to start
// without it. Nobody documents the table; what is known was measured with nvidia-smi 550: the first
// word is a size, slot 81 gives a handle by index. Every other slot answers NOT_SUPPORTED and
// touches nothing. Not part of anything that estiva itself uses.
#include <cstddef>

#include "sim/lib/runtime.h"

using namespace estiva::sim;

extern "C" {
int nvmlDeviceGetComputeRunningProcesses_v3(Device, unsigned*, ProcessInfo*);
int nvmlDeviceGetGraphicsRunningProcesses_v3(Device, unsigned*, ProcessInfo*);
int nvmlDeviceGetMPSComputeRunningProcesses_v3(Device, unsigned*, ProcessInfo*);
}

namespace {

constexpr unsigned char kGuid[16] = {0xc4, 0xfe, 0x3e, 0x6c, 0xc9, 0x8f, 0x6c, 0x4e,
                                     0xa3, 0x27, 0xee, 0x69, 0x6e, 0x12, 0xf7, 0xc4};
constexpr std::size_t kSlots = 512;
constexpr std::size_t kConnection = 23;
constexpr std::size_t kHandleByIndex = 81;
constexpr std::size_t kComputeProcesses = 213, kGraphicsProcesses = 214, kMpsProcesses = 215;

Return not_supported() {
  return kNotSupported;
}

// An address that user space could have: the slots are called with numbers too.
bool plausible(const void* at) {
  const auto address = reinterpret_cast<std::uintptr_t>(at);
  return address >= 0x10000 && address < (std::uintptr_t{1} << 47) && address % 4 == 0;
}

Return handle_by_index(unsigned index, Device* out) {
  const State* state = machine();
  if (state == nullptr || !plausible(out)) return kNotSupported;
  if (index >= state->order_count) return kInvalidArgument;
  const Device device = handle_of(state->order[index], -1);
  const Return wrong = before_device(Fn::nvmlDeviceGetHandleByIndex_v2, resolve(device));
  if (wrong == kSuccess) *out = device;
  return wrong;
}

Return connection(const PciInfo* first, const PciInfo* second, unsigned* level) {
  const State* state = machine();
  if (state == nullptr || !plausible(first) || !plausible(second) || !plausible(level)) {
    return kNotSupported;
  }
  const Gpu* ends[2] = {nullptr, nullptr};
  for (unsigned i = 0; i < state->gpu_count; ++i) {
    if (state->gpus[i].bus == first->bus) ends[0] = &state->gpus[i];
    if (state->gpus[i].bus == second->bus) ends[1] = &state->gpus[i];
  }
  if (ends[0] == nullptr || ends[1] == nullptr) return kNotFound;
  *level = ends[0]->numa_node == ends[1]->numa_node ? 40 : 50;
  return kSuccess;
}

template <int (*List)(Device, unsigned*, ProcessInfo*)>
Return processes(Device device, unsigned* count, ProcessInfo* rows) {
  if (resolve(device) == nullptr || !plausible(count)) return kNotSupported;
  if (rows != nullptr && !plausible(rows)) return kNotSupported;
  return List(device, count, rows);
}

const void* table[kSlots];

void fill_table() {
  table[0] = reinterpret_cast<const void*>(sizeof table);
  for (std::size_t i = 1; i < kSlots; ++i) table[i] = reinterpret_cast<const void*>(&not_supported);
  table[kHandleByIndex] = reinterpret_cast<const void*>(&handle_by_index);
  table[kConnection] = reinterpret_cast<const void*>(&connection);
  table[kComputeProcesses] =
      reinterpret_cast<const void*>(&processes<nvmlDeviceGetComputeRunningProcesses_v3>);
  table[kGraphicsProcesses] =
      reinterpret_cast<const void*>(&processes<nvmlDeviceGetGraphicsRunningProcesses_v3>);
  table[kMpsProcesses] =
      reinterpret_cast<const void*>(&processes<nvmlDeviceGetMPSComputeRunningProcesses_v3>);
}

}  // namespace

ESTIVA_NVML nvmlInternalGetExportTable(const void** out, const void* guid) {
  const Timed timed(Fn::nvmlInternalGetExportTable);
  if (out == nullptr || guid == nullptr) return kInvalidArgument;
  if (std::memcmp(guid, kGuid, sizeof kGuid) != 0) return kNotFound;
  fill_table();
  *out = table;
  return kSuccess;
}
