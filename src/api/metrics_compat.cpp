// The names that existing dashboards ask for, with the units and labels of the exporters that made
// them (reference: dcgm-exporter's default-counters.csv; nvidia_gpu_exporter's README).
#include <cmath>
#include <fmt/format.h>

#include "api/metrics_parts.h"

namespace estiva::api {
namespace {

using format::Exposition;
using format::MetricType;
using Rows = std::vector<MetricRow>;

constexpr double kMib = 1024.0 * 1024.0;

// A reading in another unit.
template <class T, class Change>
auto changed(const Reading<T>& reading, Change change) -> Reading<decltype(change(*reading))> {
  if (!reading) return reading.why();
  return change(*reading);
}

Reading<double> mebibytes(const MetricRow& row, Bytes GpuMemory::*part) {
  return changed(memory_of(row, part),
                 [](Bytes bytes) { return std::floor(static_cast<double>(bytes.value) / kMib); });
}

double percent(Ratio ratio) {
  return std::round(ratio.value * 100);
}
double megahertz(Hertz hertz) {
  return std::floor(static_cast<double>(hertz.value) / 1e6);
}

}  // namespace

void write_dcgm_metrics(Exposition& out, const Rows& rows) {
  const auto write = [&](const char* name, const char* help, auto value) {
    write_each(out, rows, &MetricRow::dcgm, {name, help, ""}, value);
  };
  const auto sample = [](const MetricRow& row) -> const GpuSample& { return row.gpu->sample; };
  write("DCGM_FI_DEV_GPU_TEMP", "GPU temperature (in C).",
        [&](const MetricRow& row) { return sample(row).temperature; });
  write("DCGM_FI_DEV_MEMORY_TEMP", "Memory temperature (in C).",
        [&](const MetricRow& row) { return sample(row).memory_temperature; });
  write("DCGM_FI_DEV_POWER_USAGE", "Power draw (in W).",
        [&](const MetricRow& row) { return sample(row).power; });
  write("DCGM_FI_DEV_SM_CLOCK", "SM clock frequency (in MHz).",
        [&](const MetricRow& row) { return changed(sample(row).sm_clock, megahertz); });
  write("DCGM_FI_DEV_MEM_CLOCK", "Memory clock frequency (in MHz).",
        [&](const MetricRow& row) { return changed(sample(row).memory_clock, megahertz); });
  write("DCGM_FI_DEV_GPU_UTIL", "GPU utilization (in %).",
        [&](const MetricRow& row) { return changed(sample(row).utilization, percent); });
  write("DCGM_FI_DEV_MEM_COPY_UTIL", "Memory utilization (in %).",
        [&](const MetricRow& row) { return changed(sample(row).memory_utilization, percent); });
  write("DCGM_FI_DEV_ENC_UTIL", "Encoder utilization (in %).",
        [&](const MetricRow& row) { return changed(sample(row).encoder_utilization, percent); });
  write("DCGM_FI_DEV_DEC_UTIL", "Decoder utilization (in %).",
        [&](const MetricRow& row) { return changed(sample(row).decoder_utilization, percent); });
  write("DCGM_FI_DEV_FB_FREE", "Free frame buffer memory (in MiB).",
        [&](const MetricRow& row) { return mebibytes(row, &GpuMemory::free); });
  write("DCGM_FI_DEV_FB_USED", "Used frame buffer memory (in MiB).",
        [&](const MetricRow& row) { return mebibytes(row, &GpuMemory::used); });
  write("DCGM_FI_DEV_FB_RESERVED", "Reserved frame buffer memory (in MiB).",
        [&](const MetricRow& row) { return mebibytes(row, &GpuMemory::reserved); });
  // Counters whose names lack "_total": OpenMetrics has no such thing, so their type is not told.
  const auto count = [&](const char* name, const char* help, auto value) {
    write_each(out, rows, &MetricRow::dcgm, {name, help, "", MetricType::unknown}, value);
  };
  count("DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "Energy since boot (in mJ).",
        [&](const MetricRow& row) {
          return changed(sample(row).energy_joules, [](double j) { return std::round(j * 1000); });
        });
  count("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "Total number of PCIe retries.",
        [&](const MetricRow& row) { return sample(row).pcie_replays; });
  const auto wear = [](const MetricRow& row) -> const GpuWear& { return row.gpu->wear; };
  count("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS",
        "Number of remapped rows for uncorrectable errors.",
        [&](const MetricRow& row) { return wear(row).remapped_uncorrected; });
  count("DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS", "Number of remapped rows for correctable errors.",
        [&](const MetricRow& row) { return wear(row).remapped_corrected; });
  write("DCGM_FI_DEV_ROW_REMAP_FAILURE", "Whether remapping of rows has failed.",
        [&](const MetricRow& row) { return wear(row).remap_failed; });
  write("DCGM_FI_DEV_ROW_REMAP_PENDING", "Whether remapping of rows is pending.",
        [&](const MetricRow& row) { return wear(row).remap_pending; });
  count("DCGM_FI_DEV_ECC_SBE_VOL_TOTAL", "Corrected memory errors since the driver was loaded.",
        [&](const MetricRow& row) { return sample(row).ecc_corrected; });
  count("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "Uncorrected memory errors since the driver was loaded.",
        [&](const MetricRow& row) { return sample(row).ecc_uncorrected; });
  count("DCGM_FI_DEV_ECC_DBE_AGG_TOTAL", "Uncorrected memory errors in the card's life.",
        [&](const MetricRow& row) { return wear(row).ecc_uncorrected_lifetime; });
}

namespace {

// nvmlClocksEventReasons of nvml.h, by the names that nvidia-smi prints.
struct ClockEvent {
  const char* name;
  std::uint64_t bit;
};
constexpr ClockEvent kClockEvents[] = {
    {"nvidia_smi_clocks_event_reasons_gpu_idle", 0x1},
    {"nvidia_smi_clocks_event_reasons_applications_clocks_setting", 0x2},
    {"nvidia_smi_clocks_event_reasons_sw_power_cap", 0x4},
    {"nvidia_smi_clocks_event_reasons_hw_slowdown", 0x8},
    {"nvidia_smi_clocks_event_reasons_sync_boost", 0x10},
    {"nvidia_smi_clocks_event_reasons_sw_thermal_slowdown", 0x20},
    {"nvidia_smi_clocks_event_reasons_hw_thermal_slowdown", 0x40},
    {"nvidia_smi_clocks_event_reasons_hw_power_brake_slowdown", 0x80},
};

void write_clock_events(Exposition& out, const Rows& rows) {
  for (const ClockEvent& event : kClockEvents) {
    write_each(out, rows, &MetricRow::smi, {event.name, "1 while this holds the clocks down.", ""},
               [&](const MetricRow& row) {
                 return changed(row.gpu->sample.clock_event_reasons, [&](std::uint64_t reasons) {
                   return (reasons & event.bit) != 0 ? 1U : 0U;
                 });
               });
  }
}

}  // namespace

void write_smi_metrics(Exposition& out, const World& world, const Rows& rows) {
  out.family(MetricType::info, "nvidia_smi_gpu", "What does not change.");
  for (const MetricRow& row : rows) {
    format::Labels labels = row.smi;
    const GpuIdentity& identity = row.gpu->identity;
    const Reading<unsigned>& capability = identity.compute_capability;
    labels.add("name", identity.name)
        .add("index", fmt::format("{}", identity.index))
        .add("driver_version", world.driver.version)
        .add("cuda_version", cuda_text(world.driver))
        .add("vbios_version", identity.vbios)
        .add("compute_cap",
             capability ? fmt::format("{}.{}", *capability / 10, *capability % 10) : "")
        .add("pci_bus_id", identity.pci_bus_id);
    out.sample(labels, 1U);
  }
  const auto write = [&](const char* name, const char* unit, auto value) {
    write_each(out, rows, &MetricRow::smi, {name, "As nvidia-smi names it.", unit}, value);
  };
  const auto sample = [](const MetricRow& row) -> const GpuSample& { return row.gpu->sample; };
  write("nvidia_smi_memory_total_bytes", "bytes",
        [&](const MetricRow& row) { return memory_of(row, &GpuMemory::total); });
  write("nvidia_smi_memory_used_bytes", "bytes",
        [&](const MetricRow& row) { return memory_of(row, &GpuMemory::used); });
  write("nvidia_smi_memory_free_bytes", "bytes",
        [&](const MetricRow& row) { return memory_of(row, &GpuMemory::free); });
  write("nvidia_smi_utilization_gpu_ratio", "ratio",
        [&](const MetricRow& row) { return sample(row).utilization; });
  write("nvidia_smi_utilization_memory_ratio", "ratio",
        [&](const MetricRow& row) { return sample(row).memory_utilization; });
  write("nvidia_smi_temperature_gpu", "",
        [&](const MetricRow& row) { return sample(row).temperature; });
  write("nvidia_smi_power_draw_watts", "watts",
        [&](const MetricRow& row) { return sample(row).power; });
  write("nvidia_smi_enforced_power_limit_watts", "watts",
        [&](const MetricRow& row) { return row.gpu->identity.power_limit; });
  write("nvidia_smi_power_default_limit_watts", "watts",
        [&](const MetricRow& row) { return row.gpu->identity.power_limit_default; });
  write("nvidia_smi_clocks_current_sm_clock_hz", "",
        [&](const MetricRow& row) { return sample(row).sm_clock; });
  write("nvidia_smi_clocks_current_memory_clock_hz", "",
        [&](const MetricRow& row) { return sample(row).memory_clock; });
  write("nvidia_smi_fan_speed_ratio", "ratio",
        [&](const MetricRow& row) { return sample(row).fan; });
  write("nvidia_smi_pstate", "",
        [&](const MetricRow& row) { return sample(row).performance_state; });
  write("nvidia_smi_pcie_link_gen_current", "",
        [&](const MetricRow& row) { return sample(row).pcie_generation; });
  write("nvidia_smi_pcie_link_width_current", "",
        [&](const MetricRow& row) { return sample(row).pcie_width; });
  write_each(out, rows, &MetricRow::smi,
             {"nvidia_smi_ecc_errors_uncorrected_volatile", "Since the driver was loaded.", "",
              MetricType::counter},
             [&](const MetricRow& row) { return sample(row).ecc_uncorrected; });
  write_each(out, rows, &MetricRow::smi,
             {"nvidia_smi_ecc_errors_uncorrected_aggregate", "In the card's life.", "",
              MetricType::counter},
             [](const MetricRow& row) { return row.gpu->wear.ecc_uncorrected_lifetime; });
  write("nvidia_smi_gpu_recovery_action", "",
        [](const MetricRow& row) { return row.gpu->wear.recovery_action; });
  write_clock_events(out, rows);
}

}  // namespace estiva::api
