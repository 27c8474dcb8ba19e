// Which devices the driver has. Identity is the UUID: index and handle are looked up again when the
// number of devices changes, and every slow tier.
#include <algorithm>
#include <fmt/format.h>

#include "gpu/nvml_backend.h"
#include "gpu/nvml_status.h"
#include "gpu/sensor_protocol.h"

namespace estiva::gpu::nvml {
namespace {

GpuState state_of(int lost) {
  return lost == kResetRequired ? GpuState::reset_required : GpuState::lost;
}

}  // namespace

void mark_lost(Entry& entry, int code) {
  entry.device.lost = code;
  entry.gpu.sample.state = state_of(code);
  blank(entry.gpu, Missing::lost);
}

Entry* NvmlBackend::known(const std::string& key) {
  for (Entry& entry : entries_) {
    if (entry.gpu.identity.id.key() == key) return &entry;
  }
  return nullptr;
}

// A known GPU keeps its identity, samples and negative cache; only handle and index are new.
void NvmlBackend::add_handle(Asker& asker, unsigned index, Handle handle,
                             std::vector<Entry>& found) {
  Entry entry;
  entry.device.handle = handle;
  if (!read_identity(asker, entry.device, entry.gpu.identity)) {
    return add_unseen(index, kGpuIsLost, found);
  }
  if (Entry* before = known(entry.gpu.identity.id.key())) {
    entry.gpu.sample = std::move(before->gpu.sample);
    entry.gpu.wear = before->gpu.wear;
    entry.gpu.identity.unified_memory = before->gpu.identity.unified_memory;
    entry.device.refused = before->device.refused;
    entry.device.lost = before->device.lost;
    entry.device.was_on_pci = before->device.was_on_pci;
    entry.device.last_process_sample = before->device.last_process_sample;
  }
  entry.gpu.identity.index = index;
  entry.device.sysfs_bus_id = to_sysfs_bus_id(entry.gpu.identity.pci_bus_id);
  entry.device.was_on_pci =
      entry.device.was_on_pci || is_on_pci(options_.root, entry.device.sysfs_bus_id);
  entry.device.may_sleep = has_power_states_ && may_sleep(options_.root, entry.device.sysfs_bus_id);
  found.push_back(std::move(entry));
  add_instances(asker, found.size() - 1, found);
}

void NvmlBackend::add_instances(Asker& asker, std::size_t parent, std::vector<Entry>& found) {
  const Functions& f = asker.f;
  U32 most = 0;
  Device& owner = found[parent].device;
  if (!has_mig(asker, owner) || f.mig_handle == nullptr || f.max_mig_devices == nullptr ||
      f.max_mig_devices(owner.handle, &most) != kSuccess) {
    return;
  }
  found[parent].gpu.identity.mig_enabled = true;
  for (U32 i = 0; i < std::min<U32>(most, 7) && found.size() < kMaxDevices; ++i) {
    Entry entry;
    if (f.mig_handle(found[parent].device.handle, i, &entry.device.handle) != kSuccess) continue;
    entry.device.is_instance = true;
    GpuIdentity& identity = entry.gpu.identity;
    if (!read_identity(asker, entry.device, identity)) continue;
    const GpuIdentity& whole = found[parent].gpu.identity;
    identity.id = {whole.id.vendor, whole.id.uuid, identity.id.uuid};
    identity.pci_bus_id = whole.pci_bus_id;
    identity.index = whole.index;
    if (Entry* before = known(identity.id.key())) {
      entry.gpu.sample = std::move(before->gpu.sample);
      entry.device.refused = before->device.refused;
    }
    found.push_back(std::move(entry));
  }
}

// A GPU that is lost before it ever said its name is shown all the same.
void NvmlBackend::add_unseen(unsigned index, int code, std::vector<Entry>& found) {
  const auto at_index = [index](const Entry& e) {
    return e.gpu.identity.index == index && !e.device.is_instance;
  };
  const auto before = std::find_if(entries_.begin(), entries_.end(), at_index);
  if (before != entries_.end()) return;  // keep_the_missing() lists it under its own name
  if (std::find(unplugged_.begin(), unplugged_.end(), index) != unplugged_.end()) return;
  Entry entry;
  entry.gpu.identity.index = index;
  entry.gpu.identity.id.uuid = fmt::format("unknown-{}", index);
  if (code == kGpuIsLost || code == kResetRequired) {
    mark_lost(entry, code);
  } else {
    entry.gpu.sample.state = GpuState::failed;
    entry.device.lost = kUnknown;
    blank(entry.gpu, missing_of(code));
  }
  found.push_back(std::move(entry));
}

void NvmlBackend::add_by_index(Asker& asker, unsigned index, std::vector<Entry>& found) {
  Handle handle = nullptr;
  const int code = asker.f.handle_by_index(index, &handle);
  if (ends_session(code)) asker.session_error = code;
  if (code == kSuccess) return add_handle(asker, index, handle, found);
  add_unseen(index, code, found);
}

void NvmlBackend::add_sleeping(unsigned index, const PciGpu& pci, std::vector<Entry>& found) {
  Entry entry;
  for (Entry& before : entries_) {
    if (before.device.sysfs_bus_id == pci.bus_id) entry = before;
  }
  GpuIdentity& identity = entry.gpu.identity;
  if (identity.id.uuid.empty()) {
    identity = identity_of_sleeping(options_.root, pci.bus_id);
    identity.index = index;
  }
  entry.device.handle = nullptr;
  entry.device.sysfs_bus_id = pci.bus_id;
  entry.device.was_on_pci = true;
  entry.device.may_sleep = true;
  entry.gpu.sample.state = GpuState::asleep;
  blank(entry.gpu, Missing::asleep);
  found.push_back(std::move(entry));
}

void NvmlBackend::add_by_pci(Asker& asker, unsigned index, const PciGpu& pci,
                             std::vector<Entry>& found) {
  if (pci.is_suspended) return add_sleeping(index, pci, found);
  Handle handle = nullptr;
  const int code = asker.f.handle_by_pci(pci.bus_id.c_str(), &handle);
  if (code == kSuccess)
    add_handle(asker, index, handle, found);
  else
    add_unseen(index, code, found);
}

// The kernel had a PCI device for it and has none now: it was taken out, not lost. A GPU that fell
// off the bus keeps its device; one that never had any (WSL) can't be told from a lost one. A
// simulated GPU on a real machine's root has no device: what its driver does not list is unplugged.
bool NvmlBackend::was_unplugged(const Entry& entry) const {
  if (!has_power_states_) return library_.is_open() && library_.is_simulator();
  return entry.device.was_on_pci && !is_on_pci(options_.root, entry.device.sysfs_bus_id);
}

// A driver that is not opened again lists an unplugged GPU for ever, with every call failing.
void NvmlBackend::drop_the_unplugged(Snapshot& snapshot) {
  if (!has_power_states_) return;
  std::vector<std::string> gone;
  for (const Entry& entry : entries_) {
    if (entry.device.lost == 0 || entry.device.is_instance || !was_unplugged(entry)) continue;
    gone.push_back(entry.gpu.identity.id.uuid);
    unplugged_.push_back(entry.gpu.identity.index);
  }
  if (gone.empty()) return;
  std::erase_if(entries_, [&](const Entry& entry) {  // and its MIG instances
    return std::find(gone.begin(), gone.end(), entry.gpu.identity.id.uuid) != gone.end();
  });
  changed_ = true;
  if (entries_.empty()) set_none_found(snapshot.driver);
}

// GPUs (not MIG instances, which come and go) that were there and are not found any more. They stay
// in their place.
void NvmlBackend::keep_the_missing(std::vector<Entry>& found) {
  for (Entry& entry : entries_) {
    const DeviceId& id = entry.gpu.identity.id;
    const bool is_found = std::any_of(found.begin(), found.end(), [&](const Entry& e) {
      return e.gpu.identity.id.key() == id.key() ||
             (!e.device.sysfs_bus_id.empty() && !e.device.is_instance &&
              e.device.sysfs_bus_id == entry.device.sysfs_bus_id);
    });
    if (is_found || entry.device.is_instance || id.uuid.starts_with("unknown-") ||
        found.size() >= kMaxDevices || was_unplugged(entry)) {
      continue;
    }
    mark_lost(entry, kGpuIsLost);
    found.push_back(std::move(entry));
  }
  std::stable_sort(found.begin(), found.end(), [](const Entry& a, const Entry& b) {
    return a.gpu.identity.index < b.gpu.identity.index;
  });
}

// Handles by index would wake a sleeping GPU; while one sleeps, devices are looked up by address.
void NvmlBackend::enumerate(Asker& asker, Snapshot& snapshot) {
  std::vector<Entry> found;
  const bool by_address =
      !sleeping_.empty() && (!library_.is_open() || asker.f.handle_by_pci != nullptr);
  if (by_address) {
    for (unsigned i = 0; i < sleeping_.size(); ++i) add_by_pci(asker, i, sleeping_[i], found);
  } else {
    U32 count = 0;
    const int code = asker.f.device_count(&count);
    if (code != kSuccess) {
      asker.session_error = code;
      return;
    }
    driver_count_ = count;
    for (unsigned i = 0; i < std::min<std::size_t>(count, kMaxGpus); ++i) {
      add_by_index(asker, i, found);
    }
  }
  keep_the_missing(found);
  changed_ = changed_ || found.size() != entries_.size();
  for (std::size_t i = 0; !changed_ && i < found.size(); ++i) {
    changed_ = found[i].gpu.identity != entries_[i].gpu.identity;
  }
  entries_ = std::move(found);
  if (entries_.empty()) set_none_found(snapshot.driver);
}

bool NvmlBackend::count_changed(Asker& asker) {
  U32 count = 0;
  const int code = asker.f.device_count(&count);
  if (ends_session(code)) asker.session_error = code;
  return code == kSuccess && count != driver_count_;
}

// Another GPU behind an index than before, MIG switched, or MIG instances that may have changed.
bool NvmlBackend::order_changed(Asker& asker) {
  for (Entry& entry : entries_) {
    GpuIdentity& identity = entry.gpu.identity;
    if (entry.device.is_instance || entry.device.lost != 0) continue;
    if (identity.mig_enabled) return true;
    if (has_moved(asker, identity)) return true;
    if (has_mig(asker, entry.device)) return true;
  }
  return false;
}

}  // namespace estiva::gpu::nvml
