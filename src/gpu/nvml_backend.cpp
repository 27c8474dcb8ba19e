// The back end on the driver's own library. Identity is the UUID: index and handle are looked up
// again when the number of devices changes, and every slow tier.
#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>

#include "base/messages/gpu.h"
#include "gpu/backend.h"
#include "gpu/nvml_device.h"
#include "gpu/nvml_library.h"
#include "gpu/nvml_processes.h"
#include "gpu/nvml_status.h"
#include "gpu/presence.h"
#include "gpu/sensor_protocol.h"
#include "gpu/small_file.h"

namespace estiva::gpu {
namespace {

using nvml::Asker;
using nvml::Device;
using nvml::Handle;
using nvml::set_from_code;
using nvml::set_state;

struct Entry {
  Device device;
  Gpu gpu;
};

GpuState state_of(int lost) {
  return lost == nvml::kResetRequired ? GpuState::reset_required : GpuState::lost;
}

void mark_lost(Entry& entry, int code) {
  entry.device.lost = code;
  entry.gpu.sample.state = state_of(code);
  nvml::blank(entry.gpu.sample, Missing::lost);
}

class NvmlBackend final : public Backend {
 public:
  explicit NvmlBackend(const BackendOptions& options)
      : options_(options),
        chosen_(library_is_chosen(options.nvml_file, std::getenv("LD_LIBRARY_PATH"))),
        // A simulated GPU has no PCI device on the real machine that runs the simulation.
        has_power_states_(options.source != "simulated" || options.root != "/"),
        processes_(options.root) {}
  ~NvmlBackend() override { close(); }

  void open(Snapshot& snapshot) override;
  void read(Tiers tiers, Snapshot& snapshot) override;
  void close() override;

 private:
  bool may_open(Snapshot& snapshot);
  bool initialise(DriverStatus& driver);
  void enumerate(Asker& asker, Snapshot& snapshot);
  void add_by_index(Asker& asker, unsigned index, std::vector<Entry>& found);
  void add_by_pci(Asker& asker, unsigned index, const PciGpu& pci, std::vector<Entry>& found);
  void add_handle(Asker& asker, unsigned index, Handle handle, std::vector<Entry>& found);
  void add_instances(Asker& asker, std::size_t parent, std::vector<Entry>& found);
  void add_unseen(unsigned index, int code, std::vector<Entry>& found);
  void add_sleeping(unsigned index, const PciGpu& pci, std::vector<Entry>& found);
  void keep_the_missing(std::vector<Entry>& found);
  bool was_unplugged(const Entry& entry) const;
  void drop_the_unplugged(Snapshot& snapshot);
  bool count_changed(Asker& asker);
  void probe(Asker& asker, Entry& entry);
  bool order_changed(Asker& asker);
  bool sleeps(const Entry& entry) const;
  bool any_sleeps() const;
  bool someone_woke() const;
  void read_entry(Asker& asker, Tiers tiers, Entry& entry);
  void publish(Snapshot& snapshot);
  Entry* known(const std::string& key);

  BackendOptions options_;
  bool chosen_, has_power_states_;
  nvml::Library library_;
  bool initialised_ = false;
  std::vector<PciGpu> sleeping_;  // from the last look at sysfs, where any GPU slept
  std::vector<Entry> entries_;
  // NVML indexes of unplugged GPUs: it goes on answering "lost" for them until it is opened again.
  std::vector<unsigned> unplugged_;
  unsigned driver_count_ = 0;
  bool changed_ = true;
  nvml::ProcessReader processes_;
};

bool NvmlBackend::may_open(Snapshot& snapshot) {
  const Presence presence = look_for_gpus(options_.root);
  snapshot.driver.version = presence.module_version;
  sleeping_.clear();
  if (!chosen_) {
    if (auto reason = reason_to_stay_out(presence)) {
      set_state(snapshot.driver, reason->state, reason->reason, reason->remedy);
      return false;
    }
  }
  if (has_power_states_ && std::any_of(presence.gpus.begin(), presence.gpus.end(),
                                       [](const PciGpu& gpu) { return gpu.is_suspended; })) {
    sleeping_ = presence.gpus;
  }
  if (has_power_states_ && all_asleep(presence)) return true;  // without the library
  if (auto opened = library_.open(options_.nvml_file); !opened) {
    set_state(snapshot.driver, DriverState::no_library, printable(opened.error().what),
              opened.error().remedy);
    return false;
  }
  if (chosen_) return true;
  if (auto mismatch = predict_mismatch(presence, library_.resolved_path())) {
    set_state(snapshot.driver, mismatch->state, mismatch->reason, mismatch->remedy);
    library_.close();
    return false;
  }
  return true;
}

bool NvmlBackend::initialise(DriverStatus& driver) {
  const nvml::Functions& f = library_.call();
  const int code = f.init != nullptr ? f.init() : f.init_with_flags(0);
  if (code != nvml::kSuccess) {
    set_from_code(driver, code, f);
    f.shutdown();
    library_.close();
    return false;
  }
  initialised_ = true;
  if (library_.is_simulator()) driver.source = "simulated";
  nvml::read_versions(f, driver);
  return true;
}

void NvmlBackend::open(Snapshot& snapshot) {
  close();
  unplugged_.clear();
  snapshot.driver.source = options_.source;
  if (!may_open(snapshot)) return;
  if (library_.is_open() && !initialise(snapshot.driver)) return;
  snapshot.driver.state = DriverState::ready;
  Asker asker(library_.call());
  enumerate(asker, snapshot);
  publish(snapshot);
}

void NvmlBackend::close() {
  if (initialised_) library_.call().shutdown();
  initialised_ = false;
  library_.close();
  for (Entry& entry : entries_) entry.device.handle = nullptr;
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
  if (!nvml::read_identity(asker, entry.device, entry.gpu.identity)) {
    return add_unseen(index, nvml::kGpuIsLost, found);
  }
  if (Entry* before = known(entry.gpu.identity.id.key())) {
    entry.gpu.sample = std::move(before->gpu.sample);
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
  const nvml::Functions& f = asker.f;
  nvml::U32 most = 0;
  Device& owner = found[parent].device;
  if (!nvml::has_mig(asker, owner) || f.mig_handle == nullptr || f.max_mig_devices == nullptr ||
      f.max_mig_devices(owner.handle, &most) != nvml::kSuccess) {
    return;
  }
  found[parent].gpu.identity.mig_enabled = true;
  for (nvml::U32 i = 0; i < std::min<nvml::U32>(most, 7) && found.size() < kMaxDevices; ++i) {
    Entry entry;
    if (f.mig_handle(found[parent].device.handle, i, &entry.device.handle) != nvml::kSuccess)
      continue;
    entry.device.is_instance = true;
    GpuIdentity& identity = entry.gpu.identity;
    if (!nvml::read_identity(asker, entry.device, identity)) continue;
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
  if (code == nvml::kGpuIsLost || code == nvml::kResetRequired) {
    mark_lost(entry, code);
  } else {
    entry.gpu.sample.state = GpuState::failed;
    entry.device.lost = nvml::kUnknown;
    nvml::blank(entry.gpu.sample, nvml::missing_of(code));
  }
  found.push_back(std::move(entry));
}

void NvmlBackend::add_by_index(Asker& asker, unsigned index, std::vector<Entry>& found) {
  Handle handle = nullptr;
  const int code = asker.f.handle_by_index(index, &handle);
  if (nvml::ends_session(code)) asker.session_error = code;
  if (code == nvml::kSuccess) return add_handle(asker, index, handle, found);
  add_unseen(index, code, found);
}

void NvmlBackend::add_sleeping(unsigned index, const PciGpu& pci, std::vector<Entry>& found) {
  Entry entry;
  for (Entry& before : entries_) {
    if (before.device.sysfs_bus_id == pci.bus_id) entry = before;
  }
  GpuIdentity& identity = entry.gpu.identity;
  if (identity.id.uuid.empty()) {
    identity = nvml::identity_of_sleeping(options_.root, pci.bus_id);
    identity.index = index;
  }
  entry.device.handle = nullptr;
  entry.device.sysfs_bus_id = pci.bus_id;
  entry.device.was_on_pci = true;
  entry.device.may_sleep = true;
  entry.gpu.sample.state = GpuState::asleep;
  nvml::blank(entry.gpu.sample, Missing::asleep);
  found.push_back(std::move(entry));
}

void NvmlBackend::add_by_pci(Asker& asker, unsigned index, const PciGpu& pci,
                             std::vector<Entry>& found) {
  if (pci.is_suspended) return add_sleeping(index, pci, found);
  Handle handle = nullptr;
  const int code = asker.f.handle_by_pci(pci.bus_id.c_str(), &handle);
  if (code == nvml::kSuccess)
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
  if (entries_.empty()) nvml::set_none_found(snapshot.driver);
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
    mark_lost(entry, nvml::kGpuIsLost);
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
    nvml::U32 count = 0;
    const int code = asker.f.device_count(&count);
    if (code != nvml::kSuccess) {
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
  if (entries_.empty()) nvml::set_none_found(snapshot.driver);
}

bool NvmlBackend::count_changed(Asker& asker) {
  nvml::U32 count = 0;
  const int code = asker.f.device_count(&count);
  if (nvml::ends_session(code)) asker.session_error = code;
  return code == nvml::kSuccess && count != driver_count_;
}

// Another GPU behind an index than before, MIG switched, or MIG instances that may have changed.
bool NvmlBackend::order_changed(Asker& asker) {
  for (Entry& entry : entries_) {
    GpuIdentity& identity = entry.gpu.identity;
    if (entry.device.is_instance || entry.device.lost != 0) continue;
    if (identity.mig_enabled) return true;
    if (nvml::has_moved(asker, identity)) return true;
    if (nvml::has_mig(asker, entry.device)) return true;
  }
  return false;
}

bool NvmlBackend::any_sleeps() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [this](const Entry& entry) { return sleeps(entry); });
}

// A GPU that slept when the driver was opened, and that has no handle yet.
bool NvmlBackend::someone_woke() const {
  return !sleeping_.empty() &&
         std::any_of(entries_.begin(), entries_.end(), [this](const Entry& e) {
           return e.device.handle == nullptr && e.device.lost == 0 && !sleeps(e);
         });
}

// Is a lost GPU back? Its old handle stays quarantined; a new one is asked for by name.
void NvmlBackend::probe(Asker& asker, Entry& entry) {
  const nvml::Functions& f = asker.f;
  const GpuIdentity& identity = entry.gpu.identity;
  // By name NVML searches, and wakes GPUs that sleep on its way; by address it does not.
  const bool by_address = f.handle_by_uuid == nullptr || any_sleeps();
  Handle handle = nullptr;
  int code = nvml::kFunctionNotFound;
  if (!by_address)
    code = f.handle_by_uuid(identity.id.uuid.c_str(), &handle);
  else if (f.handle_by_pci != nullptr)
    code = f.handle_by_pci(identity.pci_bus_id.c_str(), &handle);
  if (code != nvml::kSuccess) return;
  entry.device.handle = handle;
  entry.device.lost = 0;
  nvml::read_memory(asker, entry.device, entry.gpu, options_.root);
  if (entry.device.lost != 0) return mark_lost(entry, entry.device.lost);
  entry.gpu.sample.state = GpuState::ok;
  read_entry(asker, Tiers::all(), entry);
}

bool NvmlBackend::sleeps(const Entry& entry) const {
  return entry.device.may_sleep && is_suspended(options_.root, entry.device.sysfs_bus_id);
}

void NvmlBackend::read_entry(Asker& asker, Tiers tiers, Entry& entry) {
  GpuSample& sample = entry.gpu.sample;
  if (sleeps(entry)) {
    sample.state = GpuState::asleep;
    nvml::blank(sample, Missing::asleep);
    return;
  }
  if (entry.device.lost != 0 || entry.device.handle == nullptr) return;
  if (sample.state == GpuState::asleep) tiers = Tiers::all();
  sample.state = GpuState::ok;
  sample.read_at = steady_now();
  const bool lists = tiers.has(Tier::processes);
  if (tiers.has(Tier::memory)) nvml::read_memory(asker, entry.device, entry.gpu, options_.root);
  if (lists) processes_.read(asker, entry.device, entry.gpu);
  // What a unified-memory GPU uses is the sum of its processes.
  if (lists && entry.gpu.identity.unified_memory) {
    nvml::read_memory(asker, entry.device, entry.gpu, options_.root);
  }
  if (tiers.has(Tier::fast)) nvml::read_fast(asker, entry.device, sample);
  if (tiers.has(Tier::steady)) nvml::read_steady(asker, entry.device, entry.gpu);
  if (tiers.has(Tier::slow)) nvml::read_slow(asker, entry.device, sample);
  if (entry.device.lost != 0) mark_lost(entry, entry.device.lost);
}

void NvmlBackend::read(Tiers tiers, Snapshot& snapshot) {
  if (someone_woke()) {
    open(snapshot);
    if (!snapshot.is_readable()) return;
    tiers = Tiers::all();
  }
  if (!initialised_) return;  // every GPU sleeps
  Asker asker(library_.call());
  if (tiers.has(Tier::steady) && !any_sleeps() &&
      (count_changed(asker) || (tiers.has(Tier::slow) && order_changed(asker)))) {
    enumerate(asker, snapshot);
  }
  if (tiers.has(Tier::steady)) drop_the_unplugged(snapshot);
  for (Entry& entry : entries_) {
    if (asker.session_error != 0) break;
    if (entry.device.lost != 0 && tiers.has(Tier::steady))
      probe(asker, entry);
    else
      read_entry(asker, tiers, entry);
  }
  if (tiers.has(Tier::processes)) processes_.end_sweep(tiers.has(Tier::slow));
  if (asker.session_error != 0) {
    set_from_code(snapshot.driver, asker.session_error, asker.f);
    close();
    return;
  }
  publish(snapshot);
}

// Hands the entries over, and says of the driver what they add up to.
void NvmlBackend::publish(Snapshot& snapshot) {
  std::string lost;
  std::size_t asleep = 0;
  snapshot.gpus.resize(entries_.size());
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Gpu& shown = snapshot.gpus[i];
    const Gpu& read = entries_[i].gpu;
    if (changed_ || shown.identity != read.identity) {
      shown.identity = read.identity;
      changed_ = true;
    }
    shown.sample = read.sample;
    const GpuState state = read.sample.state;
    if (state == GpuState::asleep) ++asleep;
    if (state != GpuState::lost && state != GpuState::reset_required) continue;
    if (!lost.empty()) lost += ", ";
    lost += read.identity.id.key() + " (" + read.identity.pci_bus_id + ")";
  }
  if (changed_) ++snapshot.inventory;
  changed_ = false;
  if (entries_.empty()) return;
  if (!lost.empty()) {
    set_state(snapshot.driver, DriverState::partial,
              fmt::format(fmt::runtime(msg::kGpuSomeLost), lost.substr(0, 500)),
              msg::kGpuSomeLostRemedy);
  } else if (asleep == entries_.size()) {
    set_state(snapshot.driver, DriverState::ready, std::string(msg::kGpuAllAsleep),
              msg::kGpuAllAsleepRemedy);
  } else {
    set_state(snapshot.driver, DriverState::ready, {}, {});
  }
}

}  // namespace

std::unique_ptr<Backend> make_nvml_backend(const BackendOptions& options) {
  return std::make_unique<NvmlBackend>(options);
}

}  // namespace estiva::gpu
