// One immutable picture of the machine. Built by observe/, owned by the loop, handed to readers as
// shared_ptr<const World>; nobody changes one after it was published.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/container.h"
#include "model/gpu.h"
#include "model/health.h"
#include "model/host.h"
#include "model/lease.h"
#include "model/xid.h"

namespace estiva {

// What a lease holds, as the ledger counts it.
struct LeaseUse {
  std::string lease_id;
  Bytes declared, measured, charged;
};

// What the ledger says of a GPU beside what the driver says.
struct GpuRoom {
  std::string device;     // DeviceId::key()
  Bytes promised;         // charged to leases and not yet visible as used
  Bytes admissible;       // the largest request that would be granted here now
  Bytes charged = {0};    // to leases, in use or not
  Bytes foreign = {0};    // in use by processes of no lease
  Bytes held_back = {0};  // beside that: what those may take again
  Bytes margin = {0};     // kept free, as the settings say
};

// A process on a GPU that was traced to a lease.
struct ProcessModel {
  pid_t pid = 0;
  std::string model;
};

// Messages to the outside since the daemon started.
struct NotificationCounts {
  std::uint64_t sent = 0, failed = 0, held_back = 0;
};

struct World {
  std::string node_id;
  std::uint64_t boot_epoch = 0;
  std::uint64_t sequence = 0;
  WallTime wall;
  SteadyTime made_at;
  bool simulated = false;
  bool stale = false;  // the GPU part is older than two intervals
  DriverStatus driver;
  SteadyTime gpus_read_at;
  std::vector<Gpu> gpus;
  HostSample host;
  bool host_stale = false;  // reading the machine takes far longer than it should
  std::vector<Lease> leases;
  std::vector<LeaseUse> lease_uses;  // one a lease, in the order of `leases`
  std::vector<GpuRoom> rooms;        // one a GPU, in the order of `gpus`
  std::vector<ProcessModel> process_models;
  EngineStatus engine;                               // that tells of the containers
  Containers containers;                             // null: nobody asked for them
  std::vector<ProcessContainer> process_containers;  // of processes on GPUs, by pid
  std::vector<GpuHealth> health;  // one a GPU in the order of `gpus`, then the missing ones
  bool xids_known = false;        // somebody listens for them
  std::vector<GpuXids> xids;      // one a PCI slot that ever had one, by slot
  // Whether the kernel log is listened to; where not, the reason is a sentence, or empty where
  // nobody tried (no daemon, or a simulated driver on a real machine).
  bool kernel_log_read = false;
  std::string kernel_log_reason;
  std::optional<NotificationCounts> notifications;  // absent: nobody is to be told
  std::vector<std::string> overcommitted;  // device keys in the named state of invariant I8
};

// Where a process on a GPU is; null where it is in no container.
const ProcessContainer* whereabouts_of(const World& world, pid_t pid);
// The model of a process: its lease's, else what its container's label says; empty: none.
std::string_view model_of(const World& world, pid_t pid);
// What a container's processes hold on a GPU together; a part that one of them does not tell is
// unknown. By the container's id; those that have none there are left out.
struct ContainerUse {
  unsigned processes = 0;
  Reading<Bytes> used;
  Reading<Ratio> sm_utilization;
  pid_t pid = 0;  // of one of them
};
std::map<std::string_view, ContainerUse> container_uses(const World& world, const Gpu& gpu);
// Those of a whole GPU's slot; null where it never had one.
const GpuXids* xids_of(const World& world, const Gpu& gpu);

using WorldPtr = std::shared_ptr<const World>;

}  // namespace estiva
