// What each command does to the machine: a table of verbs.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "sim/core/cards.h"
#include "sim/core/engine.h"
#include "sim/core/functions.h"
#include "sim/core/messages.h"

namespace estiva::sim {
namespace {

void copy_text(char* to, std::size_t size, std::string_view from) {
  const std::size_t length = std::min(from.size(), size - 1);
  std::memcpy(to, from.data(), length);
  std::memset(to + length, 0, size - length);
}

Outcome no(std::string why) {
  return {false, false, std::move(why)};
}

// A change of visible memory, now or after the lag, never before an older change of the same
// process. Where no row is free for it, all that waits of this process shows at once.
void show(State& state, const Process& process, std::int64_t delta) {
  Pending now{state.now_ns + state.lag_ns, process.pid, process.gpu, delta};
  Pending* room = nullptr;
  bool waits = state.lag_ns > 0;
  for (Pending& pending : state.pending) {
    if (pending.pid == 0 && room == nullptr) room = &pending;
    if (pending.pid != process.pid || pending.gpu != process.gpu) continue;
    now.due_ns = std::max(now.due_ns, pending.due_ns);
    waits = true;
  }
  if (waits && room != nullptr) {
    *room = now;
    return;
  }
  for (Pending& pending : state.pending) {
    if (pending.pid == process.pid && pending.gpu == process.gpu) settle(state, pending);
  }
  settle(state, now);
}

// Takes away what NVML shows of a process, now: the kernel frees it with the process, and what had
// not shown yet never will.
void hide(State& state, const Process& process) {
  Gpu& gpu = state.gpus[process.gpu];
  gpu.visible_bytes -= std::min(gpu.visible_bytes, process.visible_bytes);
  for (Pending& pending : state.pending) {
    if (pending.pid == process.pid && pending.gpu == process.gpu) pending.pid = 0;
  }
}

std::uint64_t instance_used(const State& state, std::uint32_t gpu, std::int32_t instance) {
  std::uint64_t sum = 0;
  for (const Process& process : state.processes) {
    if (process.pid != 0 && process.gpu == gpu && process.instance == instance) {
      sum += process.used_bytes;
    }
  }
  return sum;
}

bool fits(const State& state, const Command& command, std::int32_t instance) {
  const Gpu& gpu = state.gpus[command.gpu];
  if (command.bytes > free_bytes(gpu)) return false;
  if (instance < 0 || static_cast<std::uint32_t>(instance) >= gpu.instance_count) return true;
  const std::uint64_t used =
      instance_used(state, static_cast<std::uint32_t>(command.gpu), instance);
  const std::uint64_t total = gpu.instances[instance].total_bytes;
  return used <= total && command.bytes <= total - used;
}

Process* make_process(State& state, const Command& command) {
  for (Process& process : state.processes) {
    if (process.pid != 0) continue;
    process = {};
    process.pid = command.pid;
    process.gpu = static_cast<std::uint32_t>(command.gpu);
    process.type = command.type;
    process.instance = command.instance;
    copy_text(process.name, sizeof process.name, "process");
    return &process;
  }
  return nullptr;
}

void describe(Process& process, const Command& command) {
  if (!command.text.empty()) copy_text(process.name, sizeof process.name, command.text);
  if (command.number >= 0) process.sm = static_cast<std::uint32_t>(command.number);
  if (command.load_memory >= 0) process.memory = static_cast<std::uint32_t>(command.load_memory);
  if (command.load_encoder >= 0) process.encoder = static_cast<std::uint32_t>(command.load_encoder);
  if (command.load_decoder >= 0) process.decoder = static_cast<std::uint32_t>(command.load_decoder);
}

Outcome alloc(State& state, const Command& command) {
  Gpu& gpu = state.gpus[command.gpu];
  if (!gpu.present || gpu.health != Health::ok) return no("the card is lost or unplugged");
  Process* process = find_process(state, command.pid, static_cast<std::uint32_t>(command.gpu));
  if (!fits(state, command, process ? process->instance : command.instance)) {
    ++gpu.ooms;
    ++state.ooms;
    return {false, true, std::string(kOutOfMemory)};
  }
  if (process == nullptr) process = make_process(state, command);
  if (process == nullptr) return no("more than 1024 processes");
  describe(*process, command);
  process->used_bytes += command.bytes;
  gpu.used_bytes += command.bytes;
  show(state, *process, static_cast<std::int64_t>(command.bytes));
  return {};
}

Outcome free_some(State& state, const Command& command) {
  Process* process = find_process(state, command.pid, static_cast<std::uint32_t>(command.gpu));
  if (process == nullptr) return no("that process has nothing on that card");
  const std::uint64_t bytes = command.everything ? process->used_bytes : command.bytes;
  if (bytes > process->used_bytes) return no("it does not have that much");
  process->used_bytes -= bytes;
  state.gpus[process->gpu].used_bytes -= bytes;
  show(state, *process, -static_cast<std::int64_t>(bytes));
  return {};
}

Outcome load(State& state, const Command& command) {
  Gpu& gpu = state.gpus[command.gpu];
  gpu.load = command.number;
  gpu.sway = command.sway;
  gpu.sway_seconds = command.sway_seconds;
  if (command.load_memory >= 0) gpu.load_memory = command.load_memory;
  if (command.load_encoder >= 0) gpu.load_encoder = command.load_encoder;
  if (command.load_decoder >= 0) gpu.load_decoder = command.load_decoder;
  return {};
}

void unlist(State& state, std::uint32_t gpu) {
  std::uint32_t* end = state.order + state.order_count;
  state.order_count = static_cast<std::uint32_t>(std::remove(state.order, end, gpu) - state.order);
}

// Memory that is in use though no process is listed for it: another PID namespace's, or a driver's.
Outcome hold(Gpu& gpu, std::uint64_t bytes) {
  const std::uint64_t others = gpu.used_bytes - gpu.held_bytes;
  if (gpu.card.reserved_bytes + others + bytes > gpu.card.total_bytes) {
    return {false, true, std::string(kOutOfMemory)};
  }
  gpu.used_bytes += bytes - gpu.held_bytes;
  gpu.visible_bytes += bytes - gpu.held_bytes;
  gpu.held_bytes = bytes;
  return {};
}

void end_processes_on(State& state, std::uint32_t gpu) {
  for (Process& process : state.processes) {
    if (process.pid == 0 || process.gpu != gpu) continue;
    hide(state, process);
    process.pid = 0;
  }
  state.gpus[gpu].used_bytes = state.gpus[gpu].visible_bytes = state.gpus[gpu].held_bytes;
}

Outcome unplug(State& state, const Command& command) {
  Gpu& gpu = state.gpus[command.gpu];
  if (!gpu.present) return no("it is not plugged in");
  gpu.present = false;
  unlist(state, static_cast<std::uint32_t>(command.gpu));
  end_processes_on(state, static_cast<std::uint32_t>(command.gpu));
  return {};
}

Outcome plug(State& state, const Command& command) {
  Gpu& gpu = state.gpus[command.gpu];
  if (gpu.present) return no("it is plugged in");
  gpu.present = true;
  gpu.health = Health::ok;
  // NVML enumerates by bus address, and so do we: the card comes back in its place.
  state.order[state.order_count++] = static_cast<std::uint32_t>(command.gpu);
  std::sort(state.order, state.order + state.order_count);
  return {};
}

Outcome renumber(State& state, const Command& command) {
  if (command.order.size() != state.order_count) return no("name every card that is plugged in");
  for (std::int32_t gpu : command.order) {
    if (!state.gpus[gpu].present) return no("one of the cards is not plugged in");
  }
  std::copy(command.order.begin(), command.order.end(), state.order);
  return {};
}

Outcome mig(State& state, const Command& command) {
  Gpu& gpu = state.gpus[command.gpu];
  if (!gpu.card.mig_capable) return no("this card has no MIG");
  std::uint32_t slices = 0;
  for (const std::string& word : command.words) {
    const InstanceProfile* profile = find_instance_profile(gpu.card, word);
    if (profile == nullptr) return no("this card has no MIG profile " + word);
    slices += profile->slices;
  }
  if (slices > 7) return no("the profiles need more than 7 slices");
  gpu.mig = !command.words.empty();
  gpu.instance_count = 0;
  for (const std::string& word : command.words) {
    const InstanceProfile& profile = *find_instance_profile(gpu.card, word);
    Instance& instance = gpu.instances[gpu.instance_count];
    instance = {};
    instance.gi = gpu.instance_count + 1;
    instance.slices = profile.slices;
    instance.total_bytes = profile.bytes;
    copy_text(instance.profile, sizeof instance.profile, profile.name);
    std::snprintf(instance.uuid, sizeof instance.uuid, "MIG-%08x-5e71-4a00-%04x-%012x",
                  gpu.card.device_id, 0x8000u + static_cast<unsigned>(command.gpu), instance.gi);
    ++gpu.instance_count;
  }
  return {};
}

// The record is whole before it counts: a client may look at any moment.
Outcome xid(State& state, const Command& command) {
  const std::uint64_t sequence = state.xid_sequence.load(std::memory_order_relaxed) + 1;
  state.xids[(sequence - 1) % kMaxXids] = {sequence, static_cast<std::uint32_t>(command.gpu),
                                           static_cast<std::uint32_t>(command.code), state.now_ns};
  state.xid_sequence.store(sequence, std::memory_order_release);
  wake_xid_waiters(state);
  return {};
}

Outcome fault(State& state, const Command& command) {
  for (Fault& row : state.faults) {
    if (row.kind != FaultKind::none) continue;
    row.function = command.function;
    row.gpu = command.gpu;
    row.code = command.code;
    row.latency_ns = command.time_ns;
    row.after = command.after;
    row.times = command.times;
    row.seen.store(0, std::memory_order_relaxed);
    row.kind = command.fault;
    return {};
  }
  return no("more than 64 faults; clear some with clear-faults");
}

Outcome clear_faults(State& state, const Command& command) {
  for (Fault& row : state.faults) {
    if (command.everything || row.function == command.function) row.kind = FaultKind::none;
  }
  return {};
}

Outcome set_level(State& state, const Command& command) {
  Gpu& gpu = state.gpus[command.gpu];
  const auto whole = static_cast<std::int32_t>(command.number);
  switch (command.verb) {
    case Verb::temperature:
      gpu.pinned_temperature = command.everything ? -1 : whole;
      break;
    case Verb::power:
      gpu.pinned_power_mw =
          command.everything ? -1 : static_cast<std::int32_t>(command.number * 1000);
      break;
    case Verb::fan:
      gpu.pinned_fan = command.everything ? -1 : whole;
      break;
    default:
      gpu.enforced_limit_mw = command.everything
                                  ? gpu.card.limit_mw
                                  : static_cast<std::uint32_t>(command.number * 1000);
  }
  return {};
}

Outcome set_counters(State& state, const Command& command) {
  Gpu& gpu = state.gpus[command.gpu];
  const auto* n = command.counts;
  switch (command.verb) {
    case Verb::throttle:
      gpu.extra_reasons = n[0];
      break;
    case Verb::pcie:
      gpu.pcie_generation_now = static_cast<std::uint32_t>(n[0]);
      gpu.pcie_width_now = static_cast<std::uint32_t>(n[1]);
      gpu.pcie_replays += n[2];
      break;
    case Verb::ecc:
      gpu.ecc_corrected += n[0];
      gpu.ecc_uncorrected += n[1];
      break;
    case Verb::remap:
      gpu.remapped_corrected += static_cast<std::uint32_t>(n[0]);
      gpu.remapped_uncorrected += static_cast<std::uint32_t>(n[1]);
      gpu.remap_pending = n[2] != 0;
      gpu.remap_failed = n[3] != 0;
      break;
    case Verb::persistence:
      gpu.persistence = n[0] != 0;
      break;
    case Verb::retire:
      gpu.retired_single += static_cast<std::uint32_t>(n[0]);
      gpu.retired_double += static_cast<std::uint32_t>(n[1]);
      gpu.retired_pending = n[2] != 0;
      break;
    case Verb::nvlink:
      gpu.links_down =
          (gpu.links_down | static_cast<std::uint32_t>(n[0])) & ~static_cast<std::uint32_t>(n[1]);
      gpu.link_errors += n[2];
      gpu.link_crc_errors += n[3];
      break;
    case Verb::fabric:
      gpu.fabric_state = static_cast<std::uint32_t>(n[0]);
      gpu.fabric_status = static_cast<std::uint32_t>(n[1]);
      break;
    default:
      gpu.recovery_action = static_cast<std::uint32_t>(n[0]);
  }
  return {};
}

Outcome set_health(State& state, const Command& command) {
  Gpu& gpu = state.gpus[command.gpu];
  switch (command.verb) {
    case Verb::lose:
      gpu.health = Health::lost;
      break;
    case Verb::reset_required:
      gpu.health = Health::reset_required;
      break;
    case Verb::recover:  // a reset: the processes are gone
      if (gpu.health != Health::ok)
        end_processes_on(state, static_cast<std::uint32_t>(command.gpu));
      gpu.health = Health::ok;
      gpu.remap_pending = gpu.retired_pending = 0;
      break;
    case Verb::sleep:
      gpu.asleep = gpu.may_sleep = true;
      gpu.wake_request.store(0, std::memory_order_relaxed);
      break;
    default:
      gpu.asleep = false;
      gpu.awake_until_ns = 0;
  }
  return {};
}

Outcome set_driver(State& state, const Command& command) {
  switch (command.verb) {
    case Verb::upgrade:
      copy_text(state.library_version, sizeof state.library_version, command.text);
      [[fallthrough]];
    case Verb::driver:
      copy_text(state.driver_version, sizeof state.driver_version, command.text);
      break;
    case Verb::library:
      copy_text(state.library_version, sizeof state.library_version, command.text);
      break;
    default:
      state.driver_loaded = command.verb == Verb::load_driver;
  }
  return {};
}

Outcome use(State& state, const Command& command) {
  Process* process = find_process(state, command.pid, static_cast<std::uint32_t>(command.gpu));
  if (process == nullptr) return no("that process has nothing on that card");
  process->sm = static_cast<std::uint32_t>(command.number);
  return {};
}

}  // namespace

bool end_process(State& state, std::int32_t pid) {
  bool found = false;
  for (Process& process : state.processes) {
    if (process.pid != pid || pid == 0) continue;
    Gpu& gpu = state.gpus[process.gpu];
    gpu.used_bytes -= std::min(gpu.used_bytes, process.used_bytes);
    hide(state, process);
    process.pid = 0;
    found = true;
  }
  return found;
}

Outcome apply(State& state, const Command& command) {
  ++state.generation;
  if (command.gpu >= static_cast<std::int32_t>(state.gpu_count)) return no("there is no such card");
  switch (command.verb) {
    case Verb::process:
    case Verb::alloc:
      return alloc(state, command);
    case Verb::free:
      return free_some(state, command);
    case Verb::exit:
      return end_process(state, command.pid) ? Outcome{} : no("no process has that number");
    case Verb::use:
      return use(state, command);
    case Verb::load:
      return load(state, command);
    case Verb::temperature:
    case Verb::power:
    case Verb::power_limit:
    case Verb::fan:
      return set_level(state, command);
    case Verb::throttle:
    case Verb::pcie:
    case Verb::ecc:
    case Verb::remap:
    case Verb::recovery:
    case Verb::retire:
    case Verb::nvlink:
    case Verb::fabric:
    case Verb::persistence:
      return set_counters(state, command);
    case Verb::hold:
      return hold(state.gpus[command.gpu], command.bytes);
    case Verb::lag:
      state.lag_ns = command.time_ns;
      return {};
    case Verb::lose:
    case Verb::reset_required:
    case Verb::recover:
    case Verb::sleep:
    case Verb::wake:
      return set_health(state, command);
    case Verb::unplug:
      return unplug(state, command);
    case Verb::plug:
      return plug(state, command);
    case Verb::renumber:
      return renumber(state, command);
    case Verb::xid:
      return xid(state, command);
    case Verb::driver:
    case Verb::library:
    case Verb::upgrade:
    case Verb::unload_driver:
    case Verb::load_driver:
      return set_driver(state, command);
    case Verb::mig:
      return mig(state, command);
    case Verb::fault:
      return fault(state, command);
    case Verb::clear_faults:
      return clear_faults(state, command);
  }
  return no("unknown command");
}

}  // namespace estiva::sim
