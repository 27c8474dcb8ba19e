#include "api/metrics.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/json.h"
#include "api/metrics_parts.h"

namespace estiva::api {
namespace {

using format::Exposition;
using format::Labels;
using format::MetricType;
using Rows = std::vector<MetricRow>;

constexpr auto kOwn = &MetricRow::own;

const GpuSample& sample_of(const MetricRow& row) {
  return row.gpu->sample;
}

Reading<Bytes> room_of(const MetricRow& row, Bytes GpuRoom::*part) {
  if (row.room == nullptr) return Missing::not_read;
  return row.room->*part;
}

Rows rows_of(const World& world, const std::string& hostname) {
  Rows rows;
  for (const Gpu& gpu : world.gpus) {
    const GpuIdentity& identity = gpu.identity;
    MetricRow row;
    row.gpu = &gpu;
    for (const GpuRoom& room : world.rooms)
      if (room.device == identity.id.key()) row.room = &room;
    const std::string index = fmt::format("{}", identity.index);
    row.own = {{"uuid", identity.id.key()}, {"gpu", index}};
    row.smi = {{"uuid", identity.id.key()}};
    row.dcgm = {{"gpu", index},
                {"UUID", identity.id.key()},
                {"pci_bus_id", identity.pci_bus_id},
                {"device", fmt::format("nvidia{}", identity.minor_number.value_or(identity.index))},
                {"modelName", identity.name},
                {"Hostname", hostname},
                {"DCGM_FI_DRIVER_VERSION", world.driver.version}};
    rows.push_back(std::move(row));
  }
  return rows;
}

void write_driver_metrics(Exposition& out, const World& world) {
  const DriverStatus& driver = world.driver;
  out.family(MetricType::info, "estiva", "The program and where its figures come from.");
  out.sample({{"version", ESTIVA_VERSION},
              {"source", driver.source},
              {"simulated", world.simulated ? "true" : "false"}},
             1U);
  out.family(MetricType::info, "estiva_driver", "The NVIDIA driver.");
  out.sample({{"version", driver.version},
              {"nvml_version", driver.nvml_version},
              {"cuda", cuda_text(driver)}},
             1U);
  out.family(MetricType::gauge, "estiva_driver_state", "1 for the state that the driver is in.");
  for (int i = 0; i <= static_cast<int>(DriverState::failed); ++i) {
    const auto state = static_cast<DriverState>(i);
    out.sample({{"state", to_name(state)}}, state == driver.state ? 1U : 0U);
  }
  const Check check = gpu_status(world);
  out.family(MetricType::gauge, "estiva_gpu_status", "1 for what the check gpu_status says.");
  for (const char* state : {"OK", "WARN", "DEGRADED", "UNHEALTHY", "UNKNOWN"})
    out.sample({{"state", state}}, check.state == state ? 1U : 0U);
  out.family(MetricType::counter, "estiva_sensor_restarts", "Times the sensor was replaced.");
  out.sample({}, driver.sensor_restarts);
  out.family(MetricType::counter, "estiva_sensor_missed_deadlines",
             "Driver calls that did not answer in time.");
  out.sample({}, driver.missed_deadlines);
  out.family(MetricType::gauge, "estiva_sample_stale", "1 when the GPU figures are too old.");
  out.sample({}, world.stale ? 1U : 0U);
  if (world.gpus_read_at.ns == 0) return;
  out.family(MetricType::gauge, "estiva_sample_age_seconds", "Age of the GPU figures.", "seconds");
  out.sample({}, static_cast<double>((world.made_at - world.gpus_read_at).count()) / 1e9);
}

void write_identity_metrics(Exposition& out, const Rows& rows) {
  out.family(MetricType::info, "estiva_gpu", "What does not change while the driver is loaded.");
  for (const MetricRow& row : rows) {
    const GpuIdentity& identity = row.gpu->identity;
    Labels labels = row.own;
    labels.add("name", identity.name)
        .add("pci_bus_id", identity.pci_bus_id)
        .add("architecture", identity.architecture)
        .add("parent_uuid", identity.id.instance.empty() ? "" : identity.id.uuid);
    out.sample(labels, 1U);
  }
  out.family(MetricType::gauge, "estiva_gpu_state", "1 for the state that the GPU is in.");
  for (const MetricRow& row : rows) {
    for (int i = 0; i <= static_cast<int>(GpuState::failed); ++i) {
      const auto state = static_cast<GpuState>(i);
      Labels labels = row.own;
      labels.add("state", to_name(state));
      out.sample(labels, state == sample_of(row).state ? 1U : 0U);
    }
  }
}

void write_health_metrics(Exposition& out, const World& world, const Rows& rows) {
  out.family(MetricType::gauge, "estiva_gpu_health", "1 for what the GPU's health is.");
  for (const MetricRow& row : rows) {
    const auto known = std::find_if(world.health.begin(), world.health.end(), [&row](auto& health) {
      return health.device == row.gpu->identity.id.key();
    });
    if (known == world.health.end()) continue;
    for (int i = 0; i <= static_cast<int>(HealthState::unhealthy); ++i) {
      const auto state = static_cast<HealthState>(i);
      Labels labels = row.own;
      labels.add("state", to_name(state));
      out.sample(labels, state == known->state ? 1U : 0U);
    }
  }
}

void write_memory_metrics(Exposition& out, const Rows& rows) {
  struct Part {
    const char *name, *help;
    Bytes GpuMemory::*part;
  };
  for (const Part& p :
       {Part{"estiva_gpu_memory_total_bytes", "Memory of the GPU.", &GpuMemory::total},
        Part{"estiva_gpu_memory_used_bytes", "In use, without what the driver keeps for itself.",
             &GpuMemory::used},
        Part{"estiva_gpu_memory_free_bytes", "Free.", &GpuMemory::free},
        Part{"estiva_gpu_memory_reserved_bytes", "Kept by the driver.", &GpuMemory::reserved}}) {
    write_each(out, rows, kOwn, {p.name, p.help, "bytes"},
               [&](const MetricRow& row) { return memory_of(row, p.part); });
  }
}

// What the ledger says of each GPU.
void write_room_metrics(Exposition& out, const Rows& rows) {
  struct Part {
    const char *name, *help;
    Bytes GpuRoom::*part;
  };
  for (const Part& p :
       {Part{"estiva_gpu_memory_promised_bytes", "Promised to models and not in use yet.",
             &GpuRoom::promised},
        Part{"estiva_gpu_memory_admissible_bytes", "The largest request that is granted now.",
             &GpuRoom::admissible},
        Part{"estiva_gpu_memory_charged_bytes", "Charged to leases, in use or not.",
             &GpuRoom::charged},
        Part{"estiva_gpu_memory_foreign_bytes", "In use by processes of no lease.",
             &GpuRoom::foreign},
        Part{"estiva_gpu_memory_held_back_bytes", "Kept for those, because they may take it again.",
             &GpuRoom::held_back},
        Part{"estiva_gpu_memory_margin_bytes", "Kept free, as the settings say.",
             &GpuRoom::margin}}) {
    write_each(out, rows, kOwn, {p.name, p.help, "bytes"},
               [&](const MetricRow& row) { return room_of(row, p.part); });
  }
}

// One family of a member of the sample.
template <class Member>
void write_member(Exposition& out, const Rows& rows, const Family& family, Member member) {
  write_each(out, rows, kOwn, family,
             [member](const MetricRow& row) { return sample_of(row).*member; });
}
template <class Member>
void write_limit(Exposition& out, const Rows& rows, const Family& family, Member member) {
  write_each(out, rows, kOwn, family,
             [member](const MetricRow& row) { return row.gpu->identity.*member; });
}

void write_sample_metrics(Exposition& out, const Rows& rows) {
  using S = GpuSample;
  using I = GpuIdentity;
  write_member(out, rows, {"estiva_gpu_utilization_ratio", "Share of time a kernel ran.", "ratio"},
               &S::utilization);
  write_member(out, rows,
               {"estiva_gpu_memory_utilization_ratio",
                "Share of time its memory was read or written.", "ratio"},
               &S::memory_utilization);
  write_member(out, rows, {"estiva_gpu_encoder_utilization_ratio", "Video encoder.", "ratio"},
               &S::encoder_utilization);
  write_member(out, rows, {"estiva_gpu_decoder_utilization_ratio", "Video decoder.", "ratio"},
               &S::decoder_utilization);
  write_member(out, rows, {"estiva_gpu_temperature_celsius", "Core temperature.", "celsius"},
               &S::temperature);
  write_member(out, rows,
               {"estiva_gpu_memory_temperature_celsius", "Memory temperature.", "celsius"},
               &S::memory_temperature);
  write_limit(out, rows,
              {"estiva_gpu_temperature_slowdown_celsius", "Where the GPU slows down.", "celsius"},
              &I::slowdown_at);
  write_limit(out, rows,
              {"estiva_gpu_temperature_shutdown_celsius", "Where the GPU shuts down.", "celsius"},
              &I::shutdown_at);
  write_member(out, rows, {"estiva_gpu_power_watts", "Power draw.", "watts"}, &S::power);
  write_limit(out, rows, {"estiva_gpu_power_limit_watts", "Enforced power limit.", "watts"},
              &I::power_limit);
  write_member(out, rows,
               {"estiva_gpu_energy_joules", "Energy since the driver was loaded.", "joules",
                MetricType::counter},
               &S::energy_joules);
  write_member(out, rows, {"estiva_gpu_sm_clock_hertz", "SM clock.", "hertz"}, &S::sm_clock);
  write_member(out, rows, {"estiva_gpu_memory_clock_hertz", "Memory clock.", "hertz"},
               &S::memory_clock);
  write_member(out, rows, {"estiva_gpu_performance_state", "P-state: 0 is the fastest.", ""},
               &S::performance_state);
  write_member(out, rows, {"estiva_gpu_fan_ratio", "Intended fan speed.", "ratio"}, &S::fan);
  write_member(out, rows, {"estiva_gpu_pcie_generation", "PCIe generation of the link now.", ""},
               &S::pcie_generation);
  write_member(out, rows, {"estiva_gpu_pcie_width", "PCIe lanes of the link now.", ""},
               &S::pcie_width);
  write_limit(out, rows, {"estiva_gpu_pcie_max_generation", "PCIe generation it can do.", ""},
              &I::pcie_max_generation);
  write_limit(out, rows, {"estiva_gpu_pcie_max_width", "PCIe lanes it can do.", ""},
              &I::pcie_max_width);
  write_member(out, rows, {"estiva_gpu_pcie_replays", "PCIe replays.", "", MetricType::counter},
               &S::pcie_replays);
  write_member(out, rows,
               {"estiva_gpu_ecc_corrected_errors",
                "Corrected memory errors since the driver was loaded.", "", MetricType::counter},
               &S::ecc_corrected);
  write_member(out, rows,
               {"estiva_gpu_ecc_uncorrected_errors",
                "Uncorrected memory errors since the driver was loaded.", "", MetricType::counter},
               &S::ecc_uncorrected);
  write_each(out, rows, kOwn, {"estiva_gpu_processes", "Processes that hold memory on it.", ""},
             [](const MetricRow& row) -> Reading<unsigned> {
               if (!sample_of(row).processes) return sample_of(row).processes.why();
               return static_cast<unsigned>(sample_of(row).processes->size());
             });
}

void write_wear_metrics(Exposition& out, const Rows& rows) {
  using W = GpuWear;
  const auto write = [&](const Family& family, auto member) {
    write_each(out, rows, kOwn, family,
               [member](const MetricRow& row) { return row.gpu->wear.*member; });
  };
  write({"estiva_gpu_ecc_uncorrected_lifetime_errors",
         "Uncorrected memory errors in the card's life.", "", MetricType::counter},
        &W::ecc_uncorrected_lifetime);
  write({"estiva_gpu_remapped_rows_corrected", "Rows replaced after errors that were corrected.",
         "", MetricType::counter},
        &W::remapped_corrected);
  write({"estiva_gpu_remapped_rows_uncorrected",
         "Rows replaced after errors that were not corrected.", "", MetricType::counter},
        &W::remapped_uncorrected);
  write({"estiva_gpu_row_remap_pending", "1 while a row waits for a reset to be replaced.", ""},
        &W::remap_pending);
  write({"estiva_gpu_row_remap_failed", "1 when a row could not be replaced.", ""},
        &W::remap_failed);
  write({"estiva_gpu_retired_pages", "Pages given up after errors.", "", MetricType::counter},
        &W::retired_pages);
  write(
      {"estiva_gpu_retired_pages_pending", "1 while a page waits for a reset to be given up.", ""},
      &W::retired_pending);
  write({"estiva_gpu_recovery_action",
         "What the driver wants: 0 nothing, 1 reset, 2 reboot, 3 no peer traffic, 4 drain, reset.",
         ""},
        &W::recovery_action);
  write({"estiva_gpu_persistence_mode", "1 when the driver keeps the GPU initialised.", ""},
        &W::persistence_mode);
  write({"estiva_gpu_nvlinks_active", "NVLinks that are up.", ""}, &W::nvlinks_active);
  write({"estiva_gpu_nvlink_errors", "Replays and recoveries on its NVLinks.", "",
         MetricType::counter},
        &W::nvlink_errors);
  write({"estiva_gpu_nvlink_crc_errors", "CRC errors on its NVLinks.", "", MetricType::counter},
        &W::nvlink_crc_errors);
}

void write_notification_metrics(Exposition& out, const World& world) {
  if (!world.notifications) return;
  out.family(MetricType::counter, "estiva_notifications", "Messages to the outside.");
  out.sample({{"result", "sent"}}, world.notifications->sent);
  out.sample({{"result", "failed"}}, world.notifications->failed);
  out.sample({{"result", "held_back"}}, world.notifications->held_back);
}

void write_pressure(Exposition& out, const HostSample& host) {
  struct Row {
    const char* resource;
    const Pressure* pressure;
  };
  const Row rows[] = {
      {"cpu", &host.cpu_pressure}, {"memory", &host.memory_pressure}, {"io", &host.io_pressure}};
  out.family(MetricType::gauge, "estiva_host_pressure_ratio",
             "Share of the last 10 s in which some or all tasks waited (PSI).", "ratio");
  for (const Row& row : rows) {
    for (const auto& [kind, line] :
         {std::pair{"some", &row.pressure->some}, std::pair{"full", &row.pressure->full}}) {
      if (*line) out.sample({{"resource", row.resource}, {"kind", kind}}, (*line)->avg10);
    }
  }
  out.family(MetricType::counter, "estiva_host_pressure_stalled_seconds",
             "Time in which some or all tasks waited (PSI).", "seconds");
  for (const Row& row : rows) {
    for (const auto& [kind, line] :
         {std::pair{"some", &row.pressure->some}, std::pair{"full", &row.pressure->full}}) {
      if (!*line) continue;
      out.sample({{"resource", row.resource}, {"kind", kind}},
                 static_cast<double>((*line)->total_us) / 1e6);
    }
  }
}

void write_host_metrics(Exposition& out, const World& world, bool with_names) {
  const HostSample& host = world.host;
  out.family(MetricType::gauge, "estiva_host_cpu_ratio", "Busy share of all cores.", "ratio");
  out.sample({}, host.cpu);
  if (host.memory) {
    const HostMemory& memory = *host.memory;
    struct Part {
      const char *name, *help;
      Bytes bytes;
    };
    for (const Part& p : {Part{"estiva_host_memory_total_bytes", "RAM.", memory.total},
                          Part{"estiva_host_memory_available_bytes",
                               "RAM that a program can still have.", memory.available},
                          Part{"estiva_host_swap_total_bytes", "Swap.", memory.swap_total},
                          Part{"estiva_host_swap_free_bytes", "Free swap.", memory.swap_free}}) {
      out.family(MetricType::gauge, p.name, p.help, "bytes");
      out.sample({}, p.bytes);
    }
  }
  write_pressure(out, host);
  if (!with_names) return;
  for (const auto& [name, help, part] :
       {std::tuple{"estiva_disk_total_bytes", "Size of the file system.", &Disk::total},
        std::tuple{"estiva_disk_used_bytes", "In use.", &Disk::used},
        std::tuple{"estiva_disk_available_bytes", "For ordinary users.", &Disk::available}}) {
    out.family(MetricType::gauge, name, help, "bytes");
    for (const Disk& disk : host.disks)
      out.sample({{"role", disk.role}, {"path", disk.path}}, disk.*part);
  }
}

}  // namespace

Reading<Bytes> memory_of(const MetricRow& row, Bytes GpuMemory::*part) {
  const Reading<GpuMemory>& memory = sample_of(row).memory;
  if (!memory) return memory.why();
  if (part == &GpuMemory::reserved && !memory->reserved_known) return Missing::not_supported;
  return (*memory).*part;
}

std::string cuda_text(const DriverStatus& driver) {
  const Reading<unsigned>& cuda = driver.cuda_version;
  return cuda ? fmt::format("{}.{}", *cuda / 1000, *cuda % 1000 / 10) : std::string();
}

format::Exposition::Form form_for(std::string_view accept) {
  return accept.find("application/openmetrics-text") != std::string_view::npos
             ? Exposition::Form::open_metrics
             : Exposition::Form::text;
}

std::string metrics_text(const World& world, const std::vector<ModelStatus>& models,
                         const MetricsOptions& options) {
  std::string text;
  // What there is of it with every figure known and names of 40 bytes: growing step by step would
  // copy it over and fault in fresh pages at each scrape.
  text.reserve(8192 + world.gpus.size() * 9216 + world.leases.size() * 384 + models.size() * 4096);
  Exposition out(text, options.form);
  const Rows rows = rows_of(world, options.hostname);
  write_driver_metrics(out, world);
  write_identity_metrics(out, rows);
  write_health_metrics(out, world, rows);
  if (world.xids_known) write_xid_metrics(out, world, rows);
  // Figures that are too old would be taken for the present.
  if (!world.stale) {
    write_memory_metrics(out, rows);
    write_room_metrics(out, rows);
    write_sample_metrics(out, rows);
    write_wear_metrics(out, rows);
    write_dcgm_metrics(out, rows);
    write_smi_metrics(out, world, rows);
  }
  write_container_metrics(out, world, rows, options.with_names);
  write_notification_metrics(out, world);
  write_model_metrics(out, world, models, options.with_names);
  if (!world.host_stale) write_host_metrics(out, world, options.with_names);
  out.end();
  return text;
}

}  // namespace estiva::api
