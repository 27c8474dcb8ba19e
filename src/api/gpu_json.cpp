// The estiva/gpu/1 document.
#include <algorithm>
#include <fmt/format.h>

#include "api/json.h"
#include "api/json_parts.h"
#include "base/messages/api.h"
#include "base/messages/decide_health.h"
#include "decide/health/xid_catalogue.h"

namespace estiva::api {

using format::JsonWriter;

void MissingList::write(JsonWriter& json) const {
  if (items_.empty()) return;
  json.key("missing").begin_object();
  for (const Item& item : items_) json.field(item.member, to_name(item.why));
  json.end_object();
}

void write_text(JsonWriter& json, std::string_view member, std::string_view text) {
  json.key(member);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

namespace {

void write_memory(JsonWriter& json, const Gpu& gpu, const GpuRoom* room) {
  if (!gpu.sample.memory) {
    json.null();
    return;
  }
  const GpuMemory& memory = *gpu.sample.memory;
  json.begin_object()
      .field("total_bytes", memory.total)
      .field("used_bytes", memory.used)
      .field("free_bytes", memory.free);
  json.key("reserved_bytes");
  if (memory.reserved_known) {
    json.value(memory.reserved);
  } else {
    json.null();
  }
  if (room != nullptr) {
    json.field("promised_bytes", room->promised).field("admissible_bytes", room->admissible);
  }
  json.field("unified", gpu.identity.unified_memory).end_object();
}

// In no container: all null. In one that the engine does not know: its id and kind.
void write_whereabouts(JsonWriter& json, const World& world, pid_t pid) {
  constexpr std::size_t kShortId = 12;  // as Docker prints them
  const ProcessContainer* place = whereabouts_of(world, pid);
  const Container* container =
      place == nullptr ? nullptr : find_container(world.containers, place->id);
  const std::string_view id = place == nullptr ? std::string_view() : place->id;
  const bool has_name = container != nullptr && !container->name.empty();
  write_text(json, "container",
             has_name ? std::string_view(container->name) : id.substr(0, kShortId));
  write_text(json, "container_id", id);
  write_text(json, "runtime", place == nullptr ? std::string_view() : place->runtime);
  json.field("rootless", place != nullptr && place->rootless);
  write_text(json, "project", container == nullptr ? std::string_view() : container->project);
  write_text(json, "service", container == nullptr ? std::string_view() : container->service);
}

void write_process(JsonWriter& json, const World& world, const GpuProcess& process) {
  MissingList missing;
  json.begin_object().field("pid", process.pid).field("name", process.name);
  write_reading(json, missing, "used_bytes", process.used);
  json.field("compute", process.compute)
      .field("graphics", process.graphics)
      .field("mps", process.mps);
  write_reading(json, missing, "sm_utilization_ratio", process.sm_utilization);
  write_whereabouts(json, world, process.pid);
  write_text(json, "model", model_of(world, process.pid));
  missing.write(json);
  json.end_object();
}

void write_processes(JsonWriter& json, MissingList& missing, const World& world, const Gpu& gpu) {
  json.key("processes");
  if (!gpu.sample.processes) {
    json.null();
    missing.note("processes", gpu.sample.processes.why());
    return;
  }
  json.begin_array();
  for (const GpuProcess& process : *gpu.sample.processes) write_process(json, world, process);
  json.end_array();
}

void write_condition(JsonWriter& json, const World& world, const Condition& condition) {
  json.begin_object()
      .field("id", condition.id)
      .field("state", to_name(condition.state))
      .field("blocks_placement", condition.blocks_placement)
      .field("since_seconds", static_cast<double>((world.made_at - condition.since).count()) / 1e9)
      .field("reason", condition.reason)
      .field("remedy", condition.remedy)
      .end_object();
}

void write_health(JsonWriter& json, const World& world, const Gpu& gpu) {
  const bool over = std::find(world.overcommitted.begin(), world.overcommitted.end(),
                              gpu.identity.id.key()) != world.overcommitted.end();
  const auto known = std::find_if(
      world.health.begin(), world.health.end(),
      [&gpu](const GpuHealth& health) { return health.device == gpu.identity.id.key(); });
  HealthState state = known == world.health.end() ? HealthState::ok : known->state;
  if (gpu.sample.state == GpuState::asleep || world.stale) {
    state = std::max(state, HealthState::unknown);
  } else if (over) {
    state = std::max(state, HealthState::degraded);
  }
  json.key("health").begin_object().field("state", to_name(state)).key("conditions").begin_array();
  if (known != world.health.end()) {
    for (const Condition& condition : known->conditions) write_condition(json, world, condition);
  }
  if (over) {
    json.begin_object()
        .field("id", "overcommitted")
        .field("state", "DEGRADED")
        .field("blocks_placement", true)
        .field("reason", fmt::format(msg::kIsOvercommitted, gpu.identity.id.key()))
        .field("remedy", msg::kOvercommittedRemedy)
        .end_object();
  }
  json.end_array().end_object();
}

// Null where nobody listens: no error is another thing than none that was heard.
void write_xids(JsonWriter& json, const World& world, const Gpu& gpu) {
  json.key("xid_errors");
  if (!world.xids_known || !gpu.identity.id.instance.empty()) {
    json.null();
    return;
  }
  json.begin_array();
  if (const GpuXids* xids = xids_of(world, gpu)) {
    for (const XidCount& one : xids->counts) {
      const decide::XidRow* row = decide::find_xid(one.code);
      json.begin_object()
          .field("code", one.code)
          .field("count", one.count)
          .field("last_age_seconds", static_cast<double>((world.made_at - one.last).count()) / 1e9)
          .field("what", row == nullptr ? msg::kXidUnknown : row->what)
          .end_object();
    }
  }
  json.end_array();
}

void write_limits(JsonWriter& json, MissingList& missing, const GpuIdentity& identity) {
  write_reading(json, missing, "temperature_slowdown_celsius", identity.slowdown_at);
  write_reading(json, missing, "temperature_shutdown_celsius", identity.shutdown_at);
  write_reading(json, missing, "memory_temperature_max_celsius", identity.memory_max);
  write_reading(json, missing, "power_limit_watts", identity.power_limit);
  write_reading(json, missing, "pcie_max_generation", identity.pcie_max_generation);
  write_reading(json, missing, "pcie_max_width", identity.pcie_max_width);
}

// NVML's bits (nvmlClocksEventReasons), the gravest first; newer ones are left out.
constexpr std::pair<std::uint64_t, std::string_view> kClockEvents[] = {
    {0x40, "hw_thermal_slowdown"},
    {0x80, "hw_power_brake_slowdown"},
    {0x08, "hw_slowdown"},
    {0x20, "sw_thermal_slowdown"},
    {0x04, "sw_power_cap"},
    {0x10, "sync_boost"},
    {0x02, "applications_clocks_setting"},
    {0x100, "display_clocks_setting"},
    {0x01, "gpu_idle"}};

// What holds the clocks down.
void write_clock_events(JsonWriter& json, MissingList& missing, const GpuSample& sample) {
  json.key("clock_event_reasons");
  if (!sample.clock_event_reasons) {
    json.null();
    missing.note("clock_event_reasons", sample.clock_event_reasons.why());
    return;
  }
  json.begin_array();
  for (const auto& [bit, name] : kClockEvents) {
    if ((*sample.clock_event_reasons & bit) != 0) json.value(name);
  }
  json.end_array();
}

void write_sample(JsonWriter& json, MissingList& missing, const GpuSample& sample) {
  write_reading(json, missing, "utilization_ratio", sample.utilization);
  write_reading(json, missing, "memory_utilization_ratio", sample.memory_utilization);
  write_reading(json, missing, "temperature_celsius", sample.temperature);
  write_reading(json, missing, "memory_temperature_celsius", sample.memory_temperature);
  write_reading(json, missing, "power_watts", sample.power);
  write_reading(json, missing, "sm_clock_hertz", sample.sm_clock);
  write_reading(json, missing, "memory_clock_hertz", sample.memory_clock);
  write_reading(json, missing, "performance_state", sample.performance_state);
  write_clock_events(json, missing, sample);
  write_reading(json, missing, "fan_ratio", sample.fan);
  write_reading(json, missing, "encoder_utilization_ratio", sample.encoder_utilization);
  write_reading(json, missing, "decoder_utilization_ratio", sample.decoder_utilization);
  write_reading(json, missing, "pcie_generation", sample.pcie_generation);
  write_reading(json, missing, "pcie_width", sample.pcie_width);
  write_reading(json, missing, "energy_joules", sample.energy_joules);
}

Reading<bool> flag(const Reading<unsigned>& reading) {
  return reading ? Reading<bool>(*reading != 0) : Reading<bool>(reading.why());
}

// Errors, repairs and links, with a list of what is missing of its own: most cards have few of
// them.
void write_wear(JsonWriter& json, const Gpu& gpu) {
  const GpuWear& wear = gpu.wear;
  MissingList missing;
  json.key("wear").begin_object();
  write_reading(json, missing, "ecc_corrected_errors", gpu.sample.ecc_corrected);
  write_reading(json, missing, "ecc_uncorrected_errors", gpu.sample.ecc_uncorrected);
  write_reading(json, missing, "ecc_uncorrected_lifetime_errors", wear.ecc_uncorrected_lifetime);
  write_reading(json, missing, "remapped_rows_corrected", wear.remapped_corrected);
  write_reading(json, missing, "remapped_rows_uncorrected", wear.remapped_uncorrected);
  write_reading(json, missing, "row_remap_pending", flag(wear.remap_pending));
  write_reading(json, missing, "row_remap_failed", flag(wear.remap_failed));
  write_reading(json, missing, "retired_pages", wear.retired_pages);
  write_reading(json, missing, "retired_pages_pending", flag(wear.retired_pending));
  json.key("recovery_action");
  if (wear.recovery_action) {
    json.value(recovery_name(*wear.recovery_action));
  } else {
    json.null();
    missing.note("recovery_action", wear.recovery_action.why());
  }
  write_reading(json, missing, "persistence_mode", flag(wear.persistence_mode));
  write_reading(json, missing, "pcie_replays", gpu.sample.pcie_replays);
  write_reading(json, missing, "nvlinks", wear.nvlinks);
  write_reading(json, missing, "nvlinks_active", wear.nvlinks_active);
  write_reading(json, missing, "nvlink_errors", wear.nvlink_errors);
  write_reading(json, missing, "nvlink_crc_errors", wear.nvlink_crc_errors);
  missing.write(json);
  json.end_object();
}

void write_gpu(JsonWriter& json, const World& world, const Gpu& gpu, const GpuRoom* room) {
  const GpuIdentity& identity = gpu.identity;
  MissingList missing;
  json.begin_object()
      .field("index", identity.index)
      .field("uuid", identity.id.key())
      .field("parent_uuid", identity.id.instance.empty() ? "" : identity.id.uuid)
      .field("vendor", identity.id.vendor)
      .field("name", identity.name)
      .field("pci", identity.pci_bus_id)
      .field("architecture", identity.architecture);
  write_reading(json, missing, "compute_capability", identity.compute_capability);
  json.field("mig_enabled", identity.mig_enabled).field("state", to_name(gpu.sample.state));
  json.key("memory");
  write_memory(json, gpu, room);
  if (!gpu.sample.memory) missing.note("memory", gpu.sample.memory.why());
  write_sample(json, missing, gpu.sample);
  write_limits(json, missing, identity);
  write_wear(json, gpu);
  write_health(json, world, gpu);
  write_xids(json, world, gpu);
  write_processes(json, missing, world, gpu);
  missing.write(json);
  json.end_object();
}

}  // namespace

void write_driver(JsonWriter& json, const World& world) {
  const DriverStatus& driver = world.driver;
  MissingList missing;
  json.begin_object().field("version", driver.version).field("nvml", driver.nvml_version);
  write_text(json, "installed_version", driver.installed_version);
  write_reading(json, missing, "cuda_version", driver.cuda_version);
  json.field("state", to_name(driver.state))
      .field("reason", driver.reason)
      .field("remedy", driver.remedy)
      .field("sensor_restarts_total", driver.sensor_restarts)
      .field("missed_deadlines_total", driver.missed_deadlines)
      .field("kernel_log_read", world.kernel_log_read)
      .field("kernel_log_reason", world.kernel_log_reason);
  missing.write(json);
  json.end_object();
}

void write_origin(JsonWriter& json, const World& world) {
  json.field("simulated", world.simulated).field("source", world.driver.source).key("driver");
  write_driver(json, world);
  const double age = static_cast<double>((world.made_at - world.gpus_read_at).count()) / 1e9;
  const bool read = world.gpus_read_at.ns != 0;
  json.key("sampled_at");
  if (read) {
    json.value(to_rfc3339({world.wall.ns - (world.made_at - world.gpus_read_at).count()}));
    json.field("sampled_age_seconds", age);
  } else {
    json.null().key("sampled_age_seconds").null();
  }
  json.field("stale", world.stale);
}

void write_gpus(JsonWriter& json, const World& world) {
  json.begin_array();
  for (std::size_t i = 0; i < world.gpus.size(); ++i) {
    const std::string& key = world.gpus[i].identity.id.key();
    const auto room = std::find_if(world.rooms.begin(), world.rooms.end(),
                                   [&key](const GpuRoom& r) { return r.device == key; });
    write_gpu(json, world, world.gpus[i], room == world.rooms.end() ? nullptr : &*room);
  }
  json.end_array();
}

// GPUs that were there, and slots that the kernel log speaks of: what is known of them is that
// something is wrong.
void write_not_listed(JsonWriter& json, const World& world) {
  json.begin_array();
  for (const GpuHealth& health : world.health) {
    const bool is_listed =
        std::any_of(world.gpus.begin(), world.gpus.end(),
                    [&health](const Gpu& gpu) { return gpu.identity.id.key() == health.device; });
    if (is_listed) continue;
    json.begin_object().field("device", health.device).key("health").begin_object();
    json.field("state", to_name(health.state)).key("conditions").begin_array();
    for (const Condition& condition : health.conditions) write_condition(json, world, condition);
    json.end_array().end_object().end_object();
  }
  json.end_array();
}

std::string gpu_json(const World& world) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/gpu/1");
  write_origin(json, world);
  json.key("gpus");
  write_gpus(json, world);
  json.key("not_listed");
  write_not_listed(json, world);
  json.end_object();
  return text;
}

}  // namespace estiva::api
