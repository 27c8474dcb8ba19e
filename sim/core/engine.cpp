// Building the machine and letting time pass.
#include "sim/core/engine.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <time.h>

#include "sim/core/physics.h"

namespace estiva::sim {
namespace {

void copy_text(char* to, std::size_t size, std::string_view from) {
  const std::size_t length = std::min(from.size(), size - 1);
  std::memcpy(to, from.data(), length);
  std::memset(to + length, 0, size - length);
}

// A stable, unique UUID for card `number`: readable in tests.
std::string made_uuid(unsigned number, std::uint32_t device_id) {
  char text[48];
  std::snprintf(text, sizeof text, "GPU-%08x-5e71-4a00-8000-%012x", device_id, number + 1);
  return text;
}

void place_on_bus(Gpu& gpu, const CardChoice& choice, unsigned number) {
  unsigned domain = 0, bus = number + 1, device = 0;
  if (!choice.bus_id.empty())
    std::sscanf(choice.bus_id.c_str(), "%x:%x:%x", &domain, &bus, &device);
  gpu.domain = domain;
  gpu.bus = bus;
  gpu.device = device;
  std::snprintf(gpu.bus_id, sizeof gpu.bus_id, "%08X:%02X:%02X.0", domain, bus & 0xffu,
                device & 0xffu);
  std::snprintf(gpu.legacy_bus_id, sizeof gpu.legacy_bus_id, "%04X:%02X:%02X.0", domain & 0xffffu,
                bus & 0xffu, device & 0xffu);
}

void build_gpu(Gpu& gpu, const CardChoice& choice, unsigned number, unsigned count) {
  gpu.card = choice.card;
  copy_text(gpu.uuid, sizeof gpu.uuid,
            choice.uuid.empty() ? made_uuid(number, choice.card.device_id) : choice.uuid);
  std::string serial = choice.serial;
  if (serial.empty() && choice.card.datacentre)
    serial = "165" + std::to_string(3020000000ULL + number);
  copy_text(gpu.serial, sizeof gpu.serial, serial);
  place_on_bus(gpu, choice, number);
  gpu.minor = number;
  gpu.numa_node = count > 4 && number >= count / 2 ? 1 : 0;
  gpu.present = true;
  gpu.may_sleep = choice.may_sleep;
  gpu.persistence = choice.card.datacentre;
  gpu.pinned_temperature = gpu.pinned_power_mw = gpu.pinned_fan = -1;
  gpu.temperature = gpu.card.idle_c;
  gpu.enforced_limit_mw = gpu.card.limit_mw;
}

double process_load(const State& state, unsigned gpu) {
  double sum = 0;
  for (const Process& process : state.processes) {
    if (process.pid != 0 && process.gpu == gpu) sum += process.sm;
  }
  return sum;
}

void refresh_all(State& state, std::int64_t at_ns) {
  for (unsigned i = 0; i < state.gpu_count; ++i) {
    Gpu& gpu = state.gpus[i];
    // A load that was set by hand wins; else the processes' own shares count.
    refresh(gpu, static_cast<double>(at_ns) / 1e9, gpu.load > 0 ? 0 : process_load(state, i));
  }
}

void show_pending(State& state) {
  for (Pending& pending : state.pending) {
    if (pending.pid == 0 || pending.due_ns > state.now_ns) continue;
    settle(state, pending);
  }
}

void settle_sleep(State& state) {
  for (unsigned i = 0; i < state.gpu_count; ++i) {
    Gpu& gpu = state.gpus[i];
    if (gpu.wake_request.exchange(0, std::memory_order_relaxed) != 0 && gpu.asleep) {
      gpu.asleep = false;
      gpu.awake_until_ns = state.now_ns + kAwakeNs;
    }
    if (gpu.awake_until_ns != 0 && state.now_ns >= gpu.awake_until_ns) {
      gpu.awake_until_ns = 0;
      gpu.asleep = true;
    }
  }
}

// Steps of heat that end at or before `until`, each with the load of its moment.
void heat_until(State& state, std::int64_t until) {
  const double decay = heat_decay();
  while (static_cast<std::int64_t>(state.heat_steps + 1) * kHeatStepNs <= until) {
    ++state.heat_steps;
    refresh_all(state, static_cast<std::int64_t>(state.heat_steps) * kHeatStepNs);
    for (unsigned i = 0; i < state.gpu_count; ++i) heat_step(state.gpus[i], decay);
  }
}

// When the next event of the time line is due; -1: none is left.
std::int64_t next_due(const State& state, const Scenario& scenario) {
  if (state.next_event >= scenario.events.size()) return -1;
  return scenario.events[state.next_event].at_ns +
         static_cast<std::int64_t>(state.rounds) * scenario.repeat_ns;
}

// Starts the time line again when its period is over. Events of time zero belong to the start of
// the machine and are not repeated, but for loads: a repeated demonstration begins as it began.
void maybe_repeat(State& state, const Scenario& scenario, std::int64_t now) {
  if (scenario.repeat_ns <= 0 || scenario.events.empty()) return;
  const auto next_start = static_cast<std::int64_t>(state.rounds + 1) * scenario.repeat_ns;
  if (now < next_start) return;
  ++state.rounds;
  state.next_event = 0;
  while (state.next_event < scenario.events.size() &&
         scenario.events[state.next_event].at_ns == 0) {
    const Command& command = scenario.events[state.next_event].command;
    if (command.verb == Verb::load) apply(state, command);
    ++state.next_event;
  }
}

}  // namespace

std::uint64_t free_bytes(const Gpu& gpu) {
  const std::uint64_t taken = gpu.card.reserved_bytes + gpu.used_bytes;
  return gpu.card.total_bytes > taken ? gpu.card.total_bytes - taken : 0;
}

Process* find_process(State& state, std::int32_t pid, std::uint32_t gpu) {
  for (Process& process : state.processes) {
    if (process.pid == pid && process.gpu == gpu) return &process;
  }
  return nullptr;
}

// Sums in modular arithmetic: several changes that fall due together may be added in any order.
void settle(State& state, Pending& pending) {
  const auto delta = static_cast<std::uint64_t>(pending.delta);
  state.gpus[pending.gpu].visible_bytes += delta;
  if (Process* process = find_process(state, pending.pid, pending.gpu)) {
    process->visible_bytes += delta;
    process->visible = true;
  }
  pending.pid = 0;
}

std::string sysfs_bus_id(const Gpu& gpu) {
  char text[24];
  std::snprintf(text, sizeof text, "%04x:%02x:%02x.0", gpu.domain & 0xffffu, gpu.bus & 0xffu,
                gpu.device & 0x1fu);
  return text;
}

void build(State& state, const Scenario& scenario) {
  state.magic = kMagic;
  state.layout = kLayout;
  copy_text(state.scenario, sizeof state.scenario, scenario.name);
  copy_text(state.driver_version, sizeof state.driver_version, scenario.driver);
  copy_text(state.library_version, sizeof state.library_version, scenario.driver);
  state.cuda_version = scenario.cuda;
  state.driver_loaded = true;
  state.gpu_count =
      static_cast<std::uint32_t>(std::min<std::size_t>(scenario.cards.size(), kMaxGpus));
  state.order_count = state.gpu_count;
  for (unsigned i = 0; i < state.gpu_count; ++i) {
    build_gpu(state.gpus[i], scenario.cards[i], i, state.gpu_count);
    state.order[i] = i;
  }
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  state.wall_start_ns = wall.tv_sec * 1'000'000'000LL + wall.tv_nsec;
  advance(state, scenario, 0);
}

void advance(State& state, const Scenario& scenario, std::int64_t now_ns) {
  now_ns = std::max(now_ns, state.now_ns);
  // Bounded: a time line has at most kMaxEvents, and a repeated one has a period of 1 ms or more;
  // more than this many events in one step are left for the next.
  for (std::size_t done = 0; done < 4 * kMaxEvents; ++done) {
    const std::int64_t due = next_due(state, scenario);
    const std::int64_t again =
        scenario.repeat_ns > 0 ? static_cast<std::int64_t>(state.rounds + 1) * scenario.repeat_ns
                               : -1;
    if (due >= 0 && due <= now_ns && (again < 0 || due < again)) {
      heat_until(state, due);
      state.now_ns = std::max(state.now_ns, due);
      show_pending(state);
      const Command& command = scenario.events[state.next_event++].command;
      if (!apply(state, command).ok) ++state.rejected;
    } else if (again >= 0 && again <= now_ns) {
      heat_until(state, again);
      state.now_ns = again;
      maybe_repeat(state, scenario, again);
    } else {
      break;
    }
  }
  heat_until(state, now_ns);
  state.now_ns = now_ns;
  show_pending(state);
  settle_sleep(state);
  refresh_all(state, static_cast<std::int64_t>(state.heat_steps) * kHeatStepNs);
}

}  // namespace estiva::sim
