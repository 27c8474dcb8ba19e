// Errors, modes and the batch of field values.
#include <algorithm>

#include "sim/core/engine.h"
#include "sim/lib/runtime.h"

using namespace estiva::sim;

namespace {
Return both(unsigned* current, unsigned* pending, bool has, unsigned value) {
  if (current == nullptr || pending == nullptr) return kInvalidArgument;
  if (!has) return kNotSupported;
  *current = *pending = value;
  return kSuccess;
}

// `count` has how many addresses there is room for, and gets how many pages there are.
Return retired_pages(const Gpu& gpu, unsigned cause, unsigned* count,
                     unsigned long long* addresses) {
  if (cause > 1 || count == nullptr) return kInvalidArgument;
  if (!gpu.card.ecc || gpu.card.row_remap) return kNotSupported;
  const unsigned pages = cause == 0 ? gpu.retired_single : gpu.retired_double;
  const unsigned room = addresses == nullptr ? 0 : *count;
  *count = pages;
  if (room < pages) return kInsufficientSize;
  for (unsigned i = 0; i < pages; ++i) addresses[i] = 0x10000ULL * (i + 1 + 100 * cause);
  return kSuccess;
}
}  // namespace

ESTIVA_NVML nvmlDeviceGetEccMode(Device device, unsigned* current, unsigned* pending) {
  return on_gpu(Fn::nvmlDeviceGetEccMode, device,
                [&](const Gpu& gpu) { return both(current, pending, gpu.card.ecc, 1); });
}
ESTIVA_NVML nvmlDeviceGetDefaultEccMode(Device device, unsigned* mode) {
  return on_gpu(Fn::nvmlDeviceGetDefaultEccMode, device,
                [&](const Gpu& gpu) { return put_if(gpu.card.ecc, mode, 1); });
}
// type: 0 corrected, 1 uncorrected
ESTIVA_NVML nvmlDeviceGetTotalEccErrors(Device device, unsigned type, unsigned counter,
                                        unsigned long long* count) {
  return on_gpu(Fn::nvmlDeviceGetTotalEccErrors, device, [&](const Gpu& gpu) -> Return {
    if (type > 1 || counter > 1) return kInvalidArgument;
    return put_if(gpu.card.ecc, count, type == 0 ? gpu.ecc_corrected : gpu.ecc_uncorrected);
  });
}
ESTIVA_NVML nvmlDeviceGetMemoryErrorCounter(Device device, unsigned type, unsigned counter,
                                            unsigned location, unsigned long long* count) {
  return on_gpu(Fn::nvmlDeviceGetMemoryErrorCounter, device, [&](const Gpu& gpu) -> Return {
    if (type > 1 || counter > 1) return kInvalidArgument;
    if (!gpu.card.ecc || (location != 2 && location != 7)) return kNotSupported;
    const std::uint64_t total = type == 0 ? gpu.ecc_corrected : gpu.ecc_uncorrected;
    return put(count, location == 2 ? total : 0);  // 2 device memory, 7 SRAM
  });
}
ESTIVA_NVML nvmlDeviceGetRemappedRows(Device device, unsigned* corrected, unsigned* uncorrected,
                                      unsigned* pending, unsigned* failed) {
  return on_gpu(Fn::nvmlDeviceGetRemappedRows, device, [&](const Gpu& gpu) -> Return {
    if (!corrected || !uncorrected || !pending || !failed) return kInvalidArgument;
    if (!gpu.card.row_remap || gpu.mig) return kNotSupported;
    *corrected = gpu.remapped_corrected;
    *uncorrected = gpu.remapped_uncorrected;
    *pending = gpu.remap_pending;
    *failed = gpu.remap_failed;
    return kSuccess;
  });
}
ESTIVA_NVML nvmlDeviceGetRowRemapperHistogram(Device device, RowRemapperHistogram* histogram) {
  return on_gpu(Fn::nvmlDeviceGetRowRemapperHistogram, device, [&](const Gpu& gpu) -> Return {
    if (histogram == nullptr) return kInvalidArgument;
    if (!gpu.card.row_remap || gpu.mig) return kNotSupported;
    const unsigned used = gpu.remapped_corrected + gpu.remapped_uncorrected;
    *histogram = {640 - (used < 640 ? used : 640), used, 0, 0, 0};
    return kSuccess;
  });
}
ESTIVA_NVML nvmlDeviceGetRetiredPages(Device device, unsigned cause, unsigned* count,
                                      unsigned long long* addresses) {
  return on_gpu(Fn::nvmlDeviceGetRetiredPages, device,
                [&](const Gpu& gpu) { return retired_pages(gpu, cause, count, addresses); });
}
ESTIVA_NVML nvmlDeviceGetRetiredPages_v2(Device device, unsigned cause, unsigned* count,
                                         unsigned long long* addresses, unsigned long long* times) {
  return on_gpu(Fn::nvmlDeviceGetRetiredPages_v2, device, [&](const Gpu& gpu) {
    const unsigned room = count == nullptr ? 0 : *count;
    const Return code = retired_pages(gpu, cause, count, addresses);
    const unsigned given = count == nullptr || times == nullptr ? 0 : std::min(*count, room);
    for (unsigned i = 0; code == kSuccess && i < given; ++i) {
      times[i] = static_cast<unsigned long long>(machine()->wall_start_ns);
    }
    return code;
  });
}
ESTIVA_NVML nvmlDeviceGetRetiredPagesPendingStatus(Device device, unsigned* pending) {
  return on_gpu(Fn::nvmlDeviceGetRetiredPagesPendingStatus, device, [&](const Gpu& gpu) {
    return put_if(gpu.card.ecc && !gpu.card.row_remap, pending, gpu.retired_pending);
  });
}
ESTIVA_NVML nvmlDeviceGetSramEccErrorStatus(Device device, EccSramErrorStatus* status) {
  return on_gpu(Fn::nvmlDeviceGetSramEccErrorStatus, device, [&](const Gpu& gpu) -> Return {
    if (status == nullptr) return kInvalidArgument;
    if (status->version != version_word(sizeof *status, 1)) return kArgumentVersionMismatch;
    if (!gpu.card.ecc) return kNotSupported;
    std::memset(status->counts, 0, sizeof status->counts);
    status->threshold_exceeded = 0;
    return kSuccess;
  });
}
ESTIVA_NVML nvmlDeviceGetGpuFabricInfo(Device device, GpuFabricInfo* info) {
  return on_gpu(Fn::nvmlDeviceGetGpuFabricInfo, device, [&](const Gpu& gpu) -> Return {
    if (info == nullptr) return kInvalidArgument;
    *info = {};
    info->state = static_cast<unsigned char>(gpu.fabric_state);
    info->status = static_cast<Return>(gpu.fabric_status);
    return kSuccess;
  });
}
ESTIVA_NVML nvmlDeviceGetGpuFabricInfoV(Device device, GpuFabricInfoV2* info) {
  return on_gpu(Fn::nvmlDeviceGetGpuFabricInfoV, device, [&](const Gpu& gpu) -> Return {
    if (info == nullptr) return kInvalidArgument;
    const unsigned version = info->version;
    const bool third = version == version_word(sizeof(GpuFabricInfoV3), 3);
    if (!third && version != version_word(sizeof *info, 2)) return kArgumentVersionMismatch;
    std::memset(info, 0, third ? sizeof(GpuFabricInfoV3) : sizeof *info);  // state 0: not supported
    info->version = version;
    info->state = static_cast<unsigned char>(gpu.fabric_state);
    info->status = static_cast<Return>(gpu.fabric_status);
    return kSuccess;
  });
}
ESTIVA_NVML nvmlDeviceValidateInforom(Device device) {
  return on_gpu(Fn::nvmlDeviceValidateInforom, device, [](const Gpu&) { return kSuccess; });
}

ESTIVA_NVML nvmlDeviceGetPersistenceMode(Device device, unsigned* mode) {
  return on_gpu(Fn::nvmlDeviceGetPersistenceMode, device,
                [&](const Gpu& gpu) { return put(mode, gpu.persistence ? 1 : 0); });
}
ESTIVA_NVML nvmlDeviceSetPersistenceMode(Device device, unsigned) {
  return on_gpu(Fn::nvmlDeviceSetPersistenceMode, device, [](const Gpu&) { return kNoPermission; });
}
ESTIVA_NVML nvmlDeviceGetComputeMode(Device device, unsigned* mode) {
  return on_gpu(Fn::nvmlDeviceGetComputeMode, device, [&](const Gpu&) { return put(mode, 0); });
}
ESTIVA_NVML nvmlDeviceGetDisplayMode(Device device, unsigned* mode) {
  return on_gpu(Fn::nvmlDeviceGetDisplayMode, device, [&](const Gpu&) { return put(mode, 0); });
}
ESTIVA_NVML nvmlDeviceGetDisplayActive(Device device, unsigned* active) {
  return on_gpu(Fn::nvmlDeviceGetDisplayActive, device, [&](const Gpu&) { return put(active, 0); });
}
ESTIVA_NVML nvmlDeviceGetAccountingMode(Device device, unsigned* mode) {
  return on_gpu(Fn::nvmlDeviceGetAccountingMode, device, [&](const Gpu&) { return put(mode, 0); });
}
ESTIVA_NVML nvmlDeviceGetAccountingBufferSize(Device device, unsigned* size) {
  return on_gpu(Fn::nvmlDeviceGetAccountingBufferSize, device,
                [&](const Gpu&) { return put(size, 4000); });
}
ESTIVA_NVML nvmlDeviceGetVirtualizationMode(Device device, unsigned* mode) {
  return on_gpu(Fn::nvmlDeviceGetVirtualizationMode, device,
                [&](const Gpu&) { return put(mode, 0); });
}
ESTIVA_NVML nvmlDeviceGetAPIRestriction(Device device, unsigned api, unsigned* restricted) {
  return on_gpu(Fn::nvmlDeviceGetAPIRestriction, device, [&](const Gpu&) -> Return {
    return api > 1 ? kInvalidArgument : put(restricted, 1);
  });
}
ESTIVA_NVML nvmlDeviceGetEncoderStats(Device device, unsigned* sessions, unsigned* fps,
                                      unsigned* latency) {
  return on_gpu(Fn::nvmlDeviceGetEncoderStats, device, [&](const Gpu&) -> Return {
    if (sessions == nullptr || fps == nullptr) return kInvalidArgument;
    *sessions = *fps = 0;
    return put(latency, 0);
  });
}
ESTIVA_NVML nvmlDeviceGetEncoderSessions(Device device, unsigned* count, void*) {
  return on_gpu(Fn::nvmlDeviceGetEncoderSessions, device,
                [&](const Gpu&) { return put(count, 0); });
}
ESTIVA_NVML nvmlDeviceGetFBCStats(Device device, FbcStats* stats) {
  return on_gpu(Fn::nvmlDeviceGetFBCStats, device, [&](const Gpu&) -> Return {
    if (stats == nullptr) return kInvalidArgument;
    *stats = {};
    return kSuccess;
  });
}

namespace {

void set(FieldValue& row, unsigned value) {
  row.type = 1;
  row.value.ui = value;
}
void set_wide(FieldValue& row, std::uint64_t value) {
  row.type = 3;
  row.value.ull = value;
}

Return link_field(FieldValue& row, const Card& card) {
  if (row.id != 91) return kNotSupported;
  return card.nvlinks > 0 ? (set(row, card.nvlinks), kSuccess) : kNotSupported;
}

// The field ids of the reference, section 3.4; anything else is not supported.
Return fill_field(FieldValue& row, const Gpu& gpu) {
  const Card& card = gpu.card;
  const int margin_base = static_cast<int>(card.slowdown_c);
  switch (row.id) {
    case 82:
      if (card.memory_max_c == 0) return kNotSupported;
      return set(row, static_cast<unsigned>(gpu.memory_temperature)), kSuccess;
    case 83:
      if (!card.energy_known) return kNotSupported;
      return set_wide(row, static_cast<std::uint64_t>(gpu.energy_mj)), kSuccess;
    case 94:
      return set(row, static_cast<unsigned>(gpu.pcie_replays)), kSuccess;
    case 142:
    case 143:
    case 144:
    case 145: {
      if (!card.row_remap || gpu.mig) return kNotSupported;
      const unsigned values[] = {gpu.remapped_corrected, gpu.remapped_uncorrected,
                                 gpu.remap_pending, gpu.remap_failed};
      return set(row, values[row.id - 142]), kSuccess;
    }
    case 185:
    case 186:
      if (!card.power_known) return kNotSupported;
      return set(row, static_cast<unsigned>(gpu.power_mw)), kSuccess;
    case 193:
    case 194:
    case 195:
    case 196: {
      if (card.architecture < 9) return kNotSupported;
      const int limits[] = {static_cast<int>(card.shutdown_c), static_cast<int>(card.slowdown_c),
                            static_cast<int>(card.memory_max_c),
                            static_cast<int>(card.max_operating_c)};
      row.type = 5;  // signed int
      row.value.sll = 0;
      row.value.ui = static_cast<unsigned>(margin_base - limits[row.id - 193]);
      return kSuccess;
    }
    case 197:
    case 198:
      return set_wide(row, static_cast<std::uint64_t>(gpu.energy_mj * 40)), kSuccess;
    case 230:
      if (!card.datacentre) return kNotSupported;
      return set(row, gpu.recovery_action), kSuccess;
    case 269:
    case 270:
      return set_wide(row, gpu.throttle_thermal_ns), kSuccess;
    case 271:
      return set_wide(row, gpu.throttle_power_ns), kSuccess;
    default:
      return link_field(row, card);
  }
}

}  // namespace

// Succeeds where the batch could be read, whatever the rows say: each has its own return code.
ESTIVA_NVML nvmlDeviceGetFieldValues(Device device, int count, FieldValue* rows) {
  return on_gpu(Fn::nvmlDeviceGetFieldValues, device, [&](const Gpu& gpu) -> Return {
    if (count <= 0 || rows == nullptr) return kInvalidArgument;
    for (int i = 0; i < count; ++i) {
      rows[i].timestamp = machine()->wall_start_ns / 1000 + machine()->now_ns / 1000;
      rows[i].latency_usec = 0;
      rows[i].result = fill_field(rows[i], gpu);
    }
    return kSuccess;
  });
}
