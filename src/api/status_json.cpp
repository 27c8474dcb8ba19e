// The estiva/status/1 document: checks, the machine, its GPUs, its leases.
#include <algorithm>
#include <fmt/format.h>

#include "api/json.h"
#include "api/json_parts.h"
#include "api/residents.h"
#include "base/messages/api.h"

namespace estiva::api {

using format::JsonWriter;

namespace {

Check from_driver(const DriverStatus& driver) {
  switch (driver.state) {
    case DriverState::absent:
    case DriverState::initialising:
      return {"gpu_status", "UNKNOWN", driver.reason, driver.remedy};
    case DriverState::released:
      return {"gpu_status", "WARN", driver.reason, driver.remedy};
    case DriverState::partial:
      return {"gpu_status", "DEGRADED", driver.reason, driver.remedy};
    case DriverState::ready:
      return {"gpu_status", "OK", {}, {}};
    default:
      return {"gpu_status", "UNHEALTHY", driver.reason, driver.remedy};
  }
}

double host_age_seconds(const World& world) {
  return static_cast<double>((world.made_at - world.host.read_at).count()) / 1e9;
}

// A disk that hangs must not pass for one with room.
Check host_status(const World& world) {
  if (!world.host_stale) return {"host_status", "OK", {}, {}};
  std::string reason = world.host.read_at.ns == 0
                           ? std::string(msg::kHostNeverRead)
                           : fmt::format(msg::kHostStale, host_age_seconds(world));
  return {"host_status", "UNKNOWN", std::move(reason), msg::kHostStaleRemedy};
}

void write_check(JsonWriter& json, const Check& check) {
  json.begin_object()
      .field("name", check.name)
      .field("state", check.state)
      .field("reason", check.reason)
      .field("remedy", check.remedy)
      .end_object();
}

// The worst condition of all GPUs; none where all are well.
std::optional<Check> from_health(const World& world) {
  const GpuHealth* worst = nullptr;
  for (const GpuHealth& health : world.health) {
    if (health.conditions.empty()) continue;
    if (worst == nullptr || health.state > worst->state) worst = &health;
  }
  if (worst == nullptr) return std::nullopt;
  const Condition& condition = worst->conditions.front();
  const auto gpu = std::find_if(world.gpus.begin(), world.gpus.end(), [worst](const Gpu& one) {
    return one.identity.id.key() == worst->device;
  });
  std::string reason = condition.reason;  // of a GPU that is missing it says which
  constexpr std::string_view kSlot = "PCI:";
  if (gpu != world.gpus.end()) {
    reason = fmt::format(msg::kGpuIsIll, gpu->identity.index, condition.reason);
  } else if (worst->device.compare(0, kSlot.size(), kSlot) == 0) {
    reason = fmt::format(msg::kSlotIsIll, worst->device.substr(kSlot.size()), condition.reason);
  }
  return Check{"gpu_status", std::string(to_name(condition.state)), std::move(reason),
               condition.remedy};
}

void write_pressure(JsonWriter& json, std::string_view name, const Pressure& pressure) {
  json.key(name).begin_object();
  const auto line = [&json](std::string_view which, const Reading<PressureLine>& reading) {
    json.key(which);
    if (!reading) {
      json.null();
      return;
    }
    json.begin_object()
        .field("avg10_ratio", reading->avg10)
        .field("avg60_ratio", reading->avg60)
        .field("avg300_ratio", reading->avg300)
        .end_object();
  };
  line("some", pressure.some);
  line("full", pressure.full);
  json.end_object();
}

void write_processes(JsonWriter& json, std::string_view name, const std::vector<ProcessUse>& rows) {
  json.key(name).begin_array();
  for (const ProcessUse& row : rows) {
    json.begin_object()
        .field("pid", row.pid)
        .field("name", row.name)
        .field("cpu_cores", row.cpu)
        .field("resident_bytes", row.resident)
        .end_object();
  }
  json.end_array();
}

void write_host_memory(JsonWriter& json, MissingList& missing, const HostSample& host) {
  json.key("memory");
  if (!host.memory) {
    json.null();
    missing.note("memory", host.memory.why());
    return;
  }
  json.begin_object()
      .field("total_bytes", host.memory->total)
      .field("available_bytes", host.memory->available)
      .field("used_bytes", host.memory->total - host.memory->available)
      .field("swap_total_bytes", host.memory->swap_total)
      .field("swap_used_bytes", host.memory->swap_total - host.memory->swap_free)
      .end_object();
}

void write_disks(JsonWriter& json, const HostSample& host) {
  json.key("disks").begin_array();
  for (const Disk& disk : host.disks) {
    json.begin_object()
        .field("role", disk.role)
        .field("path", disk.path)
        .field("filesystem", disk.filesystem)
        .field("total_bytes", disk.total)
        .field("used_bytes", disk.used)
        .field("available_bytes", disk.available)
        .field("used_ratio", disk.used_ratio)
        .end_object();
  }
  json.end_array().key("swaps").begin_array();
  for (const SwapArea& area : host.swaps) {
    json.begin_object()
        .field("path", area.path)
        .field("type", area.type)
        .field("size_bytes", area.size)
        .field("used_bytes", area.used)
        .field("priority", area.priority)
        .end_object();
  }
  json.end_array();
}

void write_host(JsonWriter& json, const World& world) {
  const HostSample& host = world.host;
  MissingList missing;
  json.begin_object().key("read_age_seconds");
  if (host.read_at.ns != 0) {
    json.value(host_age_seconds(world));
  } else {
    json.null();
  }
  json.field("stale", world.host_stale).field("cores", host.cores);
  write_reading(json, missing, "cpu_ratio", host.cpu);
  write_reading(json, missing, "load1", host.load1);
  write_host_memory(json, missing, host);
  json.field("cgroup_layout", host.cgroup_layout).key("pressure").begin_object();
  write_pressure(json, "cpu", host.cpu_pressure);
  write_pressure(json, "memory", host.memory_pressure);
  write_pressure(json, "io", host.io_pressure);
  json.end_object();
  write_disks(json, host);
  write_processes(json, "top_cpu", host.top_cpu);
  write_processes(json, "top_memory", host.top_memory);
  missing.write(json);
  json.end_object();
}

}  // namespace

Check gpu_status(const World& world) {
  Check driver = from_driver(world.driver);
  const bool answers =
      world.driver.state == DriverState::ready || world.driver.state == DriverState::partial;
  if (!answers) return driver;
  const auto ill = from_health(world);
  if (ill && ill->state == "UNHEALTHY") return *ill;
  if (driver.state != "OK") return driver;
  if (ill && ill->state == "DEGRADED") return *ill;
  if (!world.driver.installed_version.empty()) {
    return {"gpu_status", "DEGRADED",
            fmt::format(msg::kDriverReplaced, world.driver.version, world.driver.installed_version),
            msg::kDriverReplacedRemedy};
  }
  // A warning must not hide that the figures are old, or that a GPU is promised twice.
  if (world.stale) return {"gpu_status", "UNKNOWN", msg::kGpuStale, {}};
  if (!world.overcommitted.empty()) {
    return {"gpu_status", "DEGRADED", fmt::format(msg::kIsOvercommitted, world.overcommitted[0]),
            msg::kOvercommittedRemedy};
  }
  return ill.value_or(driver);
}

std::string status_json(const World& world, const Residents* residents) {
  std::string text;
  JsonWriter json(text);
  json.begin_object().field("schema", "estiva/status/1");
  write_origin(json, world);
  json.key("checks").begin_array();
  write_check(json, gpu_status(world));
  write_check(json, host_status(world));
  json.end_array()
      .field("node_id", world.node_id)
      .field("boot_epoch", world.boot_epoch)
      .field("sequence", world.sequence)
      .key("host");
  write_host(json, world);
  json.key("gpus");
  write_gpus(json, world);
  json.key("not_listed");
  write_not_listed(json, world);
  json.key("engine");
  write_engine(json, world);
  json.key("leases");
  write_leases(json, world);
  if (residents != nullptr) {
    json.field("on_battery", residents->on_battery()).key("models");
    write_models(json, *residents);
  }
  json.end_object();
  return text;
}

}  // namespace estiva::api
