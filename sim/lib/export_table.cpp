// nvidia-smi's private door. It asks for a table of functions by a GUID and refuses to start
// without it. Nobody documents the table; what is known was measured with nvidia-smi 550: the first
// word is a size, slot 81 gives a handle by index. Every other slot answers NOT_SUPPORTED and
// touches nothing. Not part of anything that estiva itself uses.
#include <cstddef>

#include "sim/lib/runtime.h"

using namespace estiva::sim;

namespace {

constexpr unsigned char kGuid[16] = {0xc4, 0xfe, 0x3e, 0x6c, 0xc9, 0x8f, 0x6c, 0x4e,
                                     0xa3, 0x27, 0xee, 0x69, 0x6e, 0x12, 0xf7, 0xc4};
constexpr std::size_t kSlots = 512;
constexpr std::size_t kConnection = 23;
constexpr std::size_t kHandleByIndex = 81;
constexpr std::size_t kComputeProcesses = 213, kMpsProcesses = 214, kGraphicsProcesses = 215;
constexpr std::size_t kHostPcieGeneration = 230;

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

// Which of the two cards' addresses, and where the answer goes, is not known for certain: the slot
// only has to succeed for the topology matrix to be drawn from public functions.
Return connection() {
  return kSuccess;
}

// One row of the private process lists: the public detail row, then the name in place.
struct ProcessRow {
  ProcessDetail detail;
  char name[4096];
};
static_assert(sizeof(ProcessRow) == 0x1020);

template <std::uint32_t Type>
Return processes(Device device, unsigned* count, ProcessRow* rows) {
  const Handle* handle = resolve(device);
  if (handle == nullptr || !plausible(count) || !plausible(rows)) return kNotSupported;
  const unsigned room = *count;
  const State& state = *machine();
  return consistent(state, [&]() -> Return {
    unsigned found = 0;
    for (const Process& process : state.processes) {
      if (process.pid == 0 || !process.visible || process.gpu != handle->gpu) continue;
      if (handle->instance >= 0 && process.instance != handle->instance) continue;
      if ((process.type & Type) == 0 || (Type == kCompute && (process.type & kMps) != 0)) continue;
      if (found == room) break;
      ProcessRow& row = rows[found++];
      row.detail = {static_cast<unsigned>(process.pid), process.visible_bytes, ~0u, ~0u, 0};
      const Gpu& gpu = state.gpus[process.gpu];
      if (process.instance >= 0 && static_cast<unsigned>(process.instance) < gpu.instance_count) {
        row.detail.gpu_instance = gpu.instances[process.instance].gi;
        row.detail.compute_instance = gpu.instances[process.instance].ci;
      }
      std::memcpy(row.name, process.name, sizeof process.name);
    }
    *count = found;
    return kSuccess;
  });
}

Return host_pcie_generation(Device device, unsigned* generation) {
  const Handle* handle = resolve(device);
  if (handle == nullptr || !plausible(generation)) return kNotSupported;
  *generation = machine()->gpus[handle->gpu].card.pcie_generation;
  return kSuccess;
}

const void* table[kSlots];

void fill_table() {
  table[0] = reinterpret_cast<const void*>(sizeof table);
  for (std::size_t i = 1; i < kSlots; ++i) table[i] = reinterpret_cast<const void*>(&not_supported);
  table[kHandleByIndex] = reinterpret_cast<const void*>(&handle_by_index);
  table[kConnection] = reinterpret_cast<const void*>(&connection);
  table[kComputeProcesses] = reinterpret_cast<const void*>(&processes<kCompute>);
  table[kGraphicsProcesses] = reinterpret_cast<const void*>(&processes<kGraphics>);
  table[kMpsProcesses] = reinterpret_cast<const void*>(&processes<kMps>);
  table[kHostPcieGeneration] = reinterpret_cast<const void*>(&host_pcie_generation);
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
