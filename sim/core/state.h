// The simulated machine as plain memory: no pointers, no strings on the heap, so that it can lie in
// a file that several processes map. One writer (the sim host, or the library itself where there is
// no host) changes it between two increments of `sequence`; readers copy and try again. Call
// counters are the only members that clients write.
#pragma once
#include <atomic>
#include <cstdint>

namespace estiva::sim {

inline constexpr std::uint32_t kMagic = 0x4d495345;  // "ESIM"
inline constexpr std::uint32_t kLayout = 2;          // raised with every change of this file
inline constexpr unsigned kMaxGpus = 64;
inline constexpr unsigned kMaxProcesses = 1024;  // (process, GPU) pairs
inline constexpr unsigned kMaxInstances = 7;
inline constexpr unsigned kMaxFaults = 64;
inline constexpr unsigned kMaxPending = 4096;
inline constexpr unsigned kMaxXids = 256;
inline constexpr unsigned kMaxFunctions = 256;

enum class Health : std::uint32_t { ok, lost, reset_required };

// What a card is: constants, true to the product as far as NVML shows them.
struct Card {
  char name[96] = {};
  std::uint32_t device_id = 0;     // PCI device << 16 | vendor
  std::uint32_t subsystem_id = 0;  // board
  std::uint32_t architecture =
      0;  // NVML's number: 4 Pascal, 7 Ampere, 8 Ada, 9 Hopper, 10 Blackwell
  std::uint32_t brand = 0;
  std::uint32_t cc_major = 0, cc_minor = 0;
  std::uint32_t cores = 0;
  std::uint32_t bus_width_bits = 0;
  std::uint64_t total_bytes = 0, reserved_bytes = 0, bar1_bytes = 0;
  std::uint32_t idle_mw = 0, limit_mw = 0, limit_min_mw = 0, limit_max_mw = 0;
  std::uint32_t idle_c = 0, full_load_c = 0, slowdown_c = 0, shutdown_c = 0, max_operating_c = 0;
  std::uint32_t memory_max_c = 0;  // 0: the card does not tell its memory's temperature
  std::uint32_t sm_idle_mhz = 0, sm_max_mhz = 0, memory_idle_mhz = 0, memory_max_mhz = 0,
                video_max_mhz = 0;
  std::uint32_t pcie_generation = 0, pcie_width = 0;
  std::uint32_t fans = 0;
  std::uint32_t nvlinks = 0;
  bool power_known = false, power_limit_known = false, ecc = false, unified = false,
       mig_capable = false, datacentre = false, energy_known = false;
  bool encoder = false, row_remap = false;
  char vbios[24] = {};
};

struct Instance {
  std::uint32_t gi, ci;
  std::uint32_t slices;  // of 7
  std::uint64_t total_bytes;
  char profile[24];
  char uuid[48];
};

struct Gpu {
  Card card;
  char uuid[48], serial[24], bus_id[20], legacy_bus_id[16];
  std::uint32_t domain, bus, device, minor, numa_node;

  Health health;
  bool present, asleep, may_sleep, mig, persistence;
  std::atomic<std::uint64_t> wakes;         // calls that woke the card
  std::atomic<std::uint32_t> wake_request;  // set by a client, taken by the engine
  std::int64_t awake_until_ns;
  std::uint64_t ooms;  // allocations refused
  std::uint32_t instance_count;
  Instance instances[kMaxInstances];

  // What the scenario asks for.
  double load, load_memory, load_encoder, load_decoder;          // 0..100
  double sway, sway_seconds;                                     // load +- sway over a period
  std::int32_t pinned_temperature, pinned_power_mw, pinned_fan;  // -1: follows the load
  std::uint64_t extra_reasons;                                   // clock event reasons set by hand
  std::uint32_t pcie_generation_now, pcie_width_now;             // 0: follows the load

  // What follows from it.
  double utilization, memory_utilization, encoder, decoder;  // percent
  double temperature, memory_temperature, power_mw, energy_mj;
  std::uint32_t sm_mhz, memory_mhz, enforced_limit_mw, performance_state, fan_percent;
  std::uint64_t reasons;
  std::uint64_t throttle_thermal_ns, throttle_power_ns;
  std::uint64_t used_bytes, visible_bytes;  // allocated, and what NVML shows of it yet
  std::uint64_t held_bytes;                 // of both: in use, and of no process that is listed
  std::uint64_t ecc_corrected, ecc_uncorrected;
  std::uint32_t remapped_corrected, remapped_uncorrected, remap_pending, remap_failed;
  std::uint64_t pcie_replays;
  std::uint32_t recovery_action;
  std::uint32_t retired_single, retired_double, retired_pending;  // pages
  std::uint32_t links_down;                                       // a bit a link
  std::uint64_t link_errors, link_crc_errors;                     // on the first link that is up
  std::uint32_t fabric_state, fabric_status;                      // 0: no switches
};

enum ProcessType : std::uint32_t { kCompute = 1, kGraphics = 2, kMps = 4 };

struct Process {
  std::int32_t pid;  // 0: the row is free
  std::uint32_t gpu;
  std::uint32_t type;
  std::int32_t instance;  // MIG instance number, -1: the whole GPU
  std::uint64_t used_bytes, visible_bytes;
  std::uint32_t sm, memory, encoder, decoder;  // percent
  bool visible;                                // NVML lists it (its first allocation has shown)
  bool real;                                   // the pid lives on this machine: freed when it dies
  char name[96];
};

// An allocation that NVML does not show yet.
struct Pending {
  std::int64_t due_ns;
  std::int32_t pid;  // 0: the row is free
  std::uint32_t gpu;
  std::int64_t delta;
};

enum class FaultKind : std::uint32_t { none, latency, error, hang, abort };

struct Fault {
  FaultKind kind;
  std::int32_t function;  // -1: every function
  std::int32_t gpu;       // -1: every GPU
  std::int32_t code;
  std::int64_t latency_ns;
  std::uint64_t after;  // skip that many matching calls
  std::uint64_t times;  // then act that often; 0: always
  std::atomic<std::uint64_t> seen;
};

struct XidRecord {
  std::uint64_t sequence;  // 1, 2, ...; 0: empty
  std::uint32_t gpu, code;
  std::int64_t at_ns;
};

struct FunctionStats {
  std::atomic<std::uint64_t> calls, ns, errors;
};

struct State {
  std::uint32_t magic, layout;
  std::atomic<std::uint64_t> sequence;  // odd while the writer is at work
  std::int64_t now_ns;                  // simulated time since the start of the scenario
  std::int64_t wall_start_ns;           // CLOCK_REALTIME at time zero
  std::int64_t host_pid;                // 0: no host
  std::uint64_t generation;             // raised with every command: a cheap "did anything change"

  char scenario[64];
  char driver_version[32];  // of the kernel module
  char
      library_version[32];  // of the library file on disk: a process gets it when it loads the file
  std::uint32_t cuda_version;
  bool driver_loaded;
  std::int64_t lag_ns;

  std::uint32_t gpu_count;  // cards of the scenario, plugged in or not
  Gpu gpus[kMaxGpus];
  std::uint32_t order_count;  // cards that NVML enumerates, in its order
  std::uint32_t order[kMaxGpus];
  Process processes[kMaxProcesses];
  Pending pending[kMaxPending];
  Fault faults[kMaxFaults];
  std::uint64_t ooms;
  std::uint64_t rejected;  // commands of the time line that could not be done

  std::atomic<std::uint64_t> xid_sequence;
  XidRecord xids[kMaxXids];

  // The engine's own place in the time line.
  std::uint64_t next_event, rounds, heat_steps;

  FunctionStats stats[kMaxFunctions];
};

}  // namespace estiva::sim
