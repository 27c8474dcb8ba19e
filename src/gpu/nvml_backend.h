// The back end on the driver's own library, as its two files share it: nvml_backend.cpp opens,
// reads and closes; nvml_inventory.cpp says which devices there are. Nobody else includes this.
#pragma once
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "gpu/backend.h"
#include "gpu/nvml_device.h"
#include "gpu/nvml_events.h"
#include "gpu/nvml_library.h"
#include "gpu/nvml_processes.h"
#include "gpu/presence.h"

namespace estiva::gpu::nvml {

struct Entry {
  Device device;
  Gpu gpu;
};

// No call to the device until it is probed again; its readings are gone.
void mark_lost(Entry& entry, int code);

class NvmlBackend final : public Backend {
 public:
  explicit NvmlBackend(const BackendOptions& options)
      : options_(options),
        chosen_(library_is_chosen(options.nvml_file, std::getenv("LD_LIBRARY_PATH"))),
        // A simulated GPU has no PCI device on the real machine that runs the simulation.
        has_power_states_(options.source != "simulated" || options.root != "/"),
        processes_(options.root) {
    if (options.on_xids) events_ = std::make_unique<EventWatch>(options.on_xids);
  }
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
  void look_for_upgrade(DriverStatus& driver) const;
  void look_for_changes(Asker& asker, Tiers tiers, Snapshot& snapshot);
  void unload();
  void listen_for_xids();
  void publish(Snapshot& snapshot);
  void tell_costs(Snapshot& snapshot) const;
  Entry* known(const std::string& key);

  BackendOptions options_;
  bool chosen_, has_power_states_;
  Library library_;
  bool initialised_ = false;
  std::vector<int> descriptors_;  // before the library was opened; only where they are all ours
  std::vector<PciGpu> sleeping_;  // from the last look at sysfs, where any GPU slept
  std::vector<Entry> entries_;
  // NVML indexes of unplugged GPUs: it goes on answering "lost" for them until it is opened again.
  std::vector<unsigned> unplugged_;
  unsigned driver_count_ = 0;
  bool changed_ = true;
  ProcessReader processes_;
  std::unique_ptr<EventWatch> events_;  // null: nobody listens
  TierCosts costs_{};                   // of the read that is under way
};

}  // namespace estiva::gpu::nvml
