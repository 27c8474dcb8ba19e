// What a GPU says of its errors, repairs and links: the slow tier's other half.
#include "gpu/nvml_device.h"

namespace estiva::gpu::nvml {
namespace {

void read_remaps(Asker& asker, Device& device, GpuWear& wear) {
  U32 corrected = 0, uncorrected = 0, pending = 0, failed = 0;
  const int code = asker.ask(device, Metric::remapped_rows, asker.f.remapped_rows, &corrected,
                             &uncorrected, &pending, &failed);
  wear.remapped_corrected = reading(code, corrected);
  wear.remapped_uncorrected = reading(code, uncorrected);
  wear.remap_pending = reading(code, pending);
  wear.remap_failed = reading(code, failed);
}

// The pages of both causes: several single-bit errors, one double-bit error. Asked for their number
// only: without room for the addresses NVML may answer that the room is too small.
Reading<unsigned> read_retired_pages(Asker& asker, Device& device) {
  unsigned sum = 0;
  for (const int cause : {0, 1}) {
    U32 pages = 0;
    const int code = asker.ask(device, Metric::retired_pages, asker.f.retired_pages, cause, &pages,
                               static_cast<U64*>(nullptr));
    if (code != kSuccess && code != kInsufficientSize) return missing_of(code);
    sum += pages;
  }
  return sum;
}

Reading<unsigned> read_recovery(Asker& asker, Device& device) {
  FieldValue field{};
  field.field = kFieldRecoveryAction;
  int code = asker.ask(device, Metric::recovery_action, asker.f.field_values, 1, &field);
  if (code == kSuccess) code = static_cast<int>(field.code);
  return reading(code, field.value.word);
}

// Sums over the links that are there. A link's number that is too high ends the list.
void read_links(Asker& asker, Device& device, GpuWear& wear) {
  unsigned links = 0, active = 0;
  U64 errors = 0, crc = 0;
  int code = kSuccess, counted = kSuccess;
  for (U32 link = 0; link < kMaxLinks; ++link) {
    U32 is_active = 0;
    code = links == 0 ? asker.ask(device, Metric::link_state, asker.f.link_state, link, &is_active)
                      : asker.f.link_state(device.handle, link, &is_active);
    if (code != kSuccess) break;
    ++links;
    if (is_active == 0) continue;
    ++active;
    U64 replays = 0, recoveries = 0, flits = 0;
    const auto count = [&](LinkError which, U64& value) {
      if (counted != kSuccess) return;
      counted = asker.ask(device, Metric::link_errors, asker.f.link_errors, link, which, &value);
    };
    count(kLinkReplay, replays);
    count(kLinkRecovery, recoveries);
    count(kLinkCrcFlit, flits);
    errors += replays + recoveries;
    crc += flits;
  }
  if (links > 0) code = kSuccess;
  wear.nvlinks = reading(code, links);
  wear.nvlinks_active = reading(code, active);
  if (code == kSuccess) code = counted;
  wear.nvlink_errors = reading(code, std::uint64_t{errors});
  wear.nvlink_crc_errors = reading(code, std::uint64_t{crc});
}

void read_fabric(Asker& asker, Device& device, GpuWear& wear) {
  FabricInfo info{};
  info.version = version_word<FabricInfo>(2);
  int code = asker.ask(device, Metric::fabric, asker.f.fabric_info, &info);
  if (code == kSuccess && info.state == 0) code = kNotSupported;  // no switches in this machine
  wear.fabric_state = reading(code, unsigned{info.state});
  wear.fabric_error = reading(code, static_cast<unsigned>(info.status));
}

}  // namespace

void read_wear(Asker& asker, Device& device, GpuWear& wear) {
  wear.read_at = steady_now();
  U64 errors = 0;
  const int code = asker.ask(device, Metric::ecc_lifetime, asker.f.ecc_total, 1, 1, &errors);
  wear.ecc_uncorrected_lifetime = reading(code, std::uint64_t{errors});
  read_remaps(asker, device, wear);
  wear.retired_pages = read_retired_pages(asker, device);
  wear.retired_pending =
      read_number(asker, device, Metric::retired_pending, asker.f.retired_pending);
  wear.recovery_action = read_recovery(asker, device);
  wear.persistence_mode =
      read_number(asker, device, Metric::persistence_mode, asker.f.persistence_mode);
  read_links(asker, device, wear);
  read_fabric(asker, device, wear);
}

}  // namespace estiva::gpu::nvml
