// The back end on the driver's own library: opens it, reads what is due, and gives it back.
#include "gpu/nvml_backend.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/gpu.h"
#include "gpu/descriptors.h"
#include "gpu/nvml_status.h"
#include "gpu/small_file.h"

namespace estiva::gpu {
namespace nvml {
namespace {

// Adds the time since it was made, or since the last tier ended, to a tier's cost.
class Lap {
 public:
  explicit Lap(TierCosts& costs) : costs_(costs), from_(steady_now()) {}
  void ends(Tier tier) {
    const SteadyTime now = steady_now();
    costs_[static_cast<std::size_t>(tier)] += now - from_;
    from_ = now;
  }

 private:
  TierCosts& costs_;
  SteadyTime from_;
};

}  // namespace

bool NvmlBackend::may_open(Snapshot& snapshot) {
  const Presence presence = look_for_gpus(options_.root);
  snapshot.driver.version = presence.module_version;
  snapshot.driver.installed_version.clear();
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
  if (options_.owns_process) descriptors_ = open_descriptors();
  if (auto opened = library_.open(options_.nvml_file); !opened) {
    set_state(snapshot.driver, DriverState::no_library, printable(opened.error().what),
              opened.error().remedy);
    return false;
  }
  if (chosen_) return true;
  if (auto mismatch = predict_mismatch(presence, library_.resolved_path())) {
    set_state(snapshot.driver, mismatch->state, mismatch->reason, mismatch->remedy);
    unload();
    return false;
  }
  return true;
}

bool NvmlBackend::initialise(DriverStatus& driver) {
  const Functions& f = library_.call();
  const int code = f.init != nullptr ? f.init() : f.init_with_flags(0);
  if (code != kSuccess) {
    set_from_code(driver, code, f);
    f.shutdown();
    unload();
    return false;
  }
  initialised_ = true;
  if (library_.is_simulator()) driver.source = "simulated";
  read_versions(f, driver);
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

// A library that stays mapped may still use what it opened: then nothing is closed.
void NvmlBackend::unload() {
  if (!library_.is_open()) return;
  if (library_.close()) close_all_but(descriptors_);
  descriptors_.clear();
}

void NvmlBackend::close() {
  if (events_) events_->stop();
  if (initialised_) library_.call().shutdown();
  initialised_ = false;
  unload();
  for (Entry& entry : entries_) entry.device.handle = nullptr;
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
  const Functions& f = asker.f;
  const GpuIdentity& identity = entry.gpu.identity;
  // By name NVML searches, and wakes GPUs that sleep on its way; by address it does not.
  const bool by_address = f.handle_by_uuid == nullptr || any_sleeps();
  Handle handle = nullptr;
  int code = kFunctionNotFound;
  if (!by_address)
    code = f.handle_by_uuid(identity.id.uuid.c_str(), &handle);
  else if (f.handle_by_pci != nullptr)
    code = f.handle_by_pci(identity.pci_bus_id.c_str(), &handle);
  if (code != kSuccess) return;
  entry.device.handle = handle;
  entry.device.lost = 0;
  read_memory(asker, entry.device, entry.gpu, options_.root);
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
    blank(entry.gpu, Missing::asleep);
    return;
  }
  if (entry.device.lost != 0 || entry.device.handle == nullptr) return;
  if (sample.state == GpuState::asleep) tiers = Tiers::all();
  sample.state = GpuState::ok;
  sample.read_at = steady_now();
  Device& device = entry.device;
  const bool lists = lists_processes(tiers);
  const bool activity = tiers.has(Tier::activity);
  Lap lap(costs_);
  if (tiers.has(Tier::memory)) read_memory(asker, device, entry.gpu, options_.root);
  lap.ends(Tier::memory);
  if (lists) processes_.read(asker, device, entry.gpu, activity);
  // What a unified-memory GPU uses is the sum of its processes.
  if (lists && entry.gpu.identity.unified_memory) {
    read_memory(asker, device, entry.gpu, options_.root);
  }
  lap.ends(activity ? Tier::activity : Tier::processes);
  if (tiers.has(Tier::fast)) read_fast(asker, device, sample);
  lap.ends(Tier::fast);
  if (tiers.has(Tier::energy)) read_energy(asker, device, sample);
  lap.ends(Tier::energy);
  if (tiers.has(Tier::steady)) read_steady(asker, device, entry.gpu);
  lap.ends(Tier::steady);
  if (tiers.has(Tier::slow)) {
    read_slow(asker, device, sample);
    if (!device.is_instance) read_wear(asker, device, entry.gpu.wear);
  }
  lap.ends(Tier::slow);
  if (entry.device.lost != 0) mark_lost(entry, entry.device.lost);
}

// The library stays mapped when its file is replaced; where its name leads now tells of an upgrade
// before the first program fails for it.
void NvmlBackend::look_for_upgrade(DriverStatus& driver) const {
  const std::string path = library_.resolved_path();
  const std::string_view installed = version_in_name(path);
  const bool differs = !installed.empty() && !driver.version.empty() && installed != driver.version;
  driver.installed_version = differs ? std::string(installed) : std::string();
}

void NvmlBackend::look_for_changes(Asker& asker, Tiers tiers, Snapshot& snapshot) {
  Lap lap(costs_);
  if (tiers.has(Tier::steady) && !any_sleeps() &&
      (count_changed(asker) || (tiers.has(Tier::slow) && order_changed(asker)))) {
    enumerate(asker, snapshot);
  }
  if (tiers.has(Tier::steady)) drop_the_unplugged(snapshot);
  if (tiers.has(Tier::slow)) look_for_upgrade(snapshot.driver);
  lap.ends(Tier::slow);
}

void NvmlBackend::read(Tiers tiers, Snapshot& snapshot) {
  if (someone_woke()) {
    open(snapshot);
    if (!snapshot.is_readable()) return;
    tiers = Tiers::all();
  }
  if (!initialised_) return;  // every GPU sleeps
  Asker asker(library_.call());
  costs_ = {};
  look_for_changes(asker, tiers, snapshot);
  for (Entry& entry : entries_) {
    if (options_.measures && !entry.device.costs) {
      entry.device.costs = std::make_shared<AskCosts>();
    }
    if (asker.session_error != 0) break;
    if (entry.device.lost != 0 && tiers.has(Tier::steady))
      probe(asker, entry);
    else
      read_entry(asker, tiers, entry);
  }
  snapshot.costs = costs_;
  if (lists_processes(tiers)) processes_.end_sweep(tiers.has(Tier::slow));
  if (asker.session_error != 0) {
    set_from_code(snapshot.driver, asker.session_error, asker.f);
    close();
    return;
  }
  publish(snapshot);
  if (options_.measures) tell_costs(snapshot);
}

// Functions that answer several questions are one row.
void NvmlBackend::tell_costs(Snapshot& snapshot) const {
  snapshot.calls.clear();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].device.costs) continue;
    const AskCosts& costs = *entries_[i].device.costs;
    const auto first = static_cast<std::ptrdiff_t>(snapshot.calls.size());
    for (std::size_t m = 0; m < costs.size(); ++m) {
      if (costs[m].count == 0) continue;
      const std::string_view call = function_of(static_cast<Metric>(m));
      const auto begin = snapshot.calls.begin() + first;
      auto row = std::find_if(begin, snapshot.calls.end(),
                              [&](const CallCost& other) { return other.call == call; });
      if (row == snapshot.calls.end()) {
        row = snapshot.calls.insert(
            row, CallCost{std::string(call), static_cast<std::uint32_t>(i), 0, 0, {}, {}});
      }
      if (row->count == 0 || costs[m].code == kSuccess) row->code = costs[m].code;
      row->count += costs[m].count;
      row->total += costs[m].total;
      row->longest = std::max(row->longest, costs[m].longest);
    }
  }
}

// Not to a GPU that may sleep: being listened to would keep it awake.
void NvmlBackend::listen_for_xids() {
  if (!events_ || !initialised_) return;
  std::vector<Watched> devices;
  for (const Entry& entry : entries_) {
    const Device& device = entry.device;
    if (device.handle == nullptr || device.lost != 0) continue;
    if (device.is_instance || device.may_sleep) continue;
    devices.push_back({device.handle, pci_slot(entry.gpu.identity.pci_bus_id)});
  }
  events_->watch(library_.call(), std::move(devices));
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
    shown.wear = read.wear;
    const GpuState state = read.sample.state;
    if (state == GpuState::asleep) ++asleep;
    if (state != GpuState::lost && state != GpuState::reset_required) continue;
    if (!lost.empty()) lost += ", ";
    lost += read.identity.id.key() + " (" + read.identity.pci_bus_id + ")";
  }
  if (changed_) ++snapshot.inventory;
  changed_ = false;
  listen_for_xids();
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

}  // namespace nvml

std::unique_ptr<Backend> make_nvml_backend(const BackendOptions& options) {
  return std::make_unique<nvml::NvmlBackend>(options);
}

}  // namespace estiva::gpu
