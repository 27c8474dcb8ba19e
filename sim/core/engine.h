// The simulated machine's behaviour: what a command does, and how load turns into heat, power and
// clocks as time passes. Deterministic: the same scenario at the same time is the same state,
// however often it was looked at on the way. One thread at a time.
#pragma once
#include <string>

#include "sim/core/scenario.h"
#include "sim/core/state.h"

namespace estiva::sim {

// A power or heat step; the state between two steps is that of the step before.
inline constexpr std::int64_t kHeatStepNs = 100'000'000;
// A sleeping card that was woken goes back to sleep after this.
inline constexpr std::int64_t kAwakeNs = 5'000'000'000;

struct Outcome {
  bool ok = true;
  bool out_of_memory = false;
  std::string why;  // where not ok: a few words
};

// Makes the machine of `scenario` at time zero. `state` must be all zero bytes.
void build(State& state, const Scenario& scenario);
// Does one command now.
Outcome apply(State& state, const Command& command);
// Lets time pass to `now_ns` (never backwards): events, allocations that become visible, heat.
void advance(State& state, const Scenario& scenario, std::int64_t now_ns);

// What the driver keeps plus what processes have: the room an allocation must fit into.
std::uint64_t free_bytes(const Gpu& gpu);
// The row of a process on a GPU, or nullptr.
Process* find_process(State& state, std::int32_t pid, std::uint32_t gpu);
// Frees everything that a process holds on all GPUs. False: it held nothing.
bool end_process(State& state, std::int32_t pid);
// Makes NVML show an allocation that waited for it.
void settle(State& state, Pending& pending);
// "0000:01:00.0", the form of /sys/bus/pci/devices and of kernel messages.
std::string sysfs_bus_id(const Gpu& gpu);

// Between processes: wakes those in wait_for_xid(); waits until state.xid_sequence is no more
// `seen`, at most `most_ns`.
void wake_xid_waiters(State& state);
void wait_for_xid(State& state, std::uint64_t seen, std::int64_t most_ns);

// Marks the state as changing while it lives (see State::sequence).
class Writing {
 public:
  explicit Writing(State& state) : state_(state) {
    state_.sequence.fetch_add(1, std::memory_order_acq_rel);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  ~Writing() { state_.sequence.fetch_add(1, std::memory_order_release); }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  State& state_;
};

}  // namespace estiva::sim
