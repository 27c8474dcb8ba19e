#include "gpu/recording.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/messages/format.h"
#include "base/messages/gpu.h"
#include "format/driver_fields.h"
#include "format/json_device.h"
#include "gpu/sensor_protocol.h"
#include "host/files.h"

// The members of what is recorded, each list for both directions.
namespace estiva {

template <class Io>
static void fields(Io& io, GpuIdentity& identity) {
  io("id", identity.id);
  io("index", identity.index);
  io("name", identity.name);
  io("pci_bus_id", identity.pci_bus_id);
  io("minor_number", identity.minor_number);
  io("serial", identity.serial);
  io("vbios", identity.vbios);
  io("architecture", identity.architecture);
  io("compute_capability", identity.compute_capability);
  io("slowdown_celsius", identity.slowdown_at);
  io("shutdown_celsius", identity.shutdown_at);
  io("max_operating_celsius", identity.max_operating);
  io("memory_max_celsius", identity.memory_max);
  io("power_limit_watts", identity.power_limit);
  io("power_limit_min_watts", identity.power_limit_min);
  io("power_limit_max_watts", identity.power_limit_max);
  io("power_limit_default_watts", identity.power_limit_default);
  io("pcie_max_generation", identity.pcie_max_generation);
  io("pcie_max_width", identity.pcie_max_width);
  io("unified_memory", identity.unified_memory);
  io("mig_enabled", identity.mig_enabled);
  io("gpu_instance", identity.gpu_instance);
  io("compute_instance", identity.compute_instance);
}
template <class Io>
static void fields(Io& io, GpuMemory& memory) {
  io("total_bytes", memory.total);
  io("used_bytes", memory.used);
  io("free_bytes", memory.free);
  io("reserved_bytes", memory.reserved);
  io("reserved_known", memory.reserved_known);
}
template <class Io>
static void fields(Io& io, GpuProcess& process) {
  io("pid", process.pid);
  io("used_bytes", process.used);
  io("compute", process.compute);
  io("graphics", process.graphics);
  io("mps", process.mps);
  io("sm_ratio", process.sm_utilization);
  io("name", process.name);
}
template <class Io>
static void fields(Io& io, GpuSample& sample) {
  io.named("state", sample.state, GpuState::failed);
  io("read_at_ns", sample.read_at);
  io("memory", sample.memory);
  io("utilization_ratio", sample.utilization);
  io("memory_utilization_ratio", sample.memory_utilization);
  io("encoder_ratio", sample.encoder_utilization);
  io("decoder_ratio", sample.decoder_utilization);
  io("temperature_celsius", sample.temperature);
  io("memory_temperature_celsius", sample.memory_temperature);
  io("power_watts", sample.power);
  io("sm_clock_hertz", sample.sm_clock);
  io("memory_clock_hertz", sample.memory_clock);
  io("performance_state", sample.performance_state);
  io("clock_event_reasons", sample.clock_event_reasons);
  io("fan_ratio", sample.fan);
  io("pcie_generation", sample.pcie_generation);
  io("pcie_width", sample.pcie_width);
  io("energy_joules", sample.energy_joules);
  io("ecc_corrected", sample.ecc_corrected);
  io("ecc_uncorrected", sample.ecc_uncorrected);
  io("pcie_replays", sample.pcie_replays);
  io("processes", sample.processes);
}
template <class Io>
static void fields(Io& io, GpuWear& wear) {
  io("read_at_ns", wear.read_at);
  io("ecc_uncorrected_lifetime", wear.ecc_uncorrected_lifetime);
  io("remapped_corrected", wear.remapped_corrected);
  io("remapped_uncorrected", wear.remapped_uncorrected);
  io("remap_pending", wear.remap_pending);
  io("remap_failed", wear.remap_failed);
  io("retired_pages", wear.retired_pages);
  io("retired_pending", wear.retired_pending);
  io("recovery_action", wear.recovery_action);
  io("persistence_mode", wear.persistence_mode);
  io("nvlinks", wear.nvlinks);
  io("nvlinks_active", wear.nvlinks_active);
  io("nvlink_errors", wear.nvlink_errors);
  io("nvlink_crc_errors", wear.nvlink_crc_errors);
  io("fabric_state", wear.fabric_state);
  io("fabric_error", wear.fabric_error);
}
template <class Io>
static void fields(Io& io, Gpu& gpu) {
  io("identity", gpu.identity);
  io("sample", gpu.sample, GpuSample{});
  io("wear", gpu.wear);
}

namespace gpu {

template <class Io>
static void fields(Io& io, RecordedReading& reading) {
  io("at_ns", reading.at);
  io("driver", reading.driver, DriverStatus{});
  io("gpus", reading.gpus);
}
template <class Io>
static void fields(Io& io, CallCost& cost) {
  io("call", cost.call);
  io("device", cost.device);
  io("code", cost.code);
  io("count", cost.count);
  io("total_ns", cost.total);
  io("longest_ns", cost.longest);
}
template <class Io>
static void fields(Io& io, GpuRecording& recording) {
  io("readings", recording.readings);
  io("calls", recording.calls);
}

namespace {

constexpr std::string_view kSchema = "estiva/recorded-gpus/1";

bool is_bounded(const RecordedReading& reading) {
  return reading.gpus.size() <= kMaxDevices &&
         std::all_of(reading.gpus.begin(), reading.gpus.end(), [](const Gpu& gpu) {
           return !gpu.sample.processes || gpu.sample.processes->size() <= kMaxProcesses;
         });
}

// Answers from a file, reading after reading; the last one stays. A lost GPU stays lost.
class RecordedBackend final : public Backend {
 public:
  explicit RecordedBackend(std::string machine) : machine_(std::move(machine)) {}

  void open(Snapshot& snapshot) override {
    auto recording = read_recording(machine_);
    next_ = 0;
    ++inventory_;
    if (recording) {
      recording_ = std::move(*recording);
      show(recording_.readings.front(), snapshot);
      return;
    }
    snapshot = {};
    snapshot.driver.state = DriverState::failed;
    snapshot.driver.reason = recording.error().what;
    snapshot.driver.remedy = recording.error().remedy;
    snapshot.driver.source = "recorded";
    snapshot.inventory = inventory_;
  }
  void read(Tiers, Snapshot& snapshot) override {
    const RecordedReading& reading = recording_.readings[next_];
    if (next_ + 1 < recording_.readings.size()) ++next_;
    show(reading, snapshot);
  }
  void close() override {}

 private:
  void show(const RecordedReading& reading, Snapshot& snapshot) {
    const bool is_same = std::equal(
        snapshot.gpus.begin(), snapshot.gpus.end(), reading.gpus.begin(), reading.gpus.end(),
        [](const Gpu& a, const Gpu& b) { return a.identity == b.identity; });
    if (!is_same) ++inventory_;
    snapshot.driver = reading.driver;
    snapshot.driver.source = "recorded";
    snapshot.gpus = reading.gpus;
    snapshot.inventory = inventory_;
    for (Gpu& gpu : snapshot.gpus) {
      gpu.sample.read_at = steady_now();
      if (gpu.wear.read_at.ns != 0) gpu.wear.read_at = gpu.sample.read_at;
    }
  }

  std::string machine_;
  GpuRecording recording_;
  std::size_t next_ = 0;
  std::uint64_t inventory_ = 0;
};

}  // namespace

std::set<pid_t> processes_in(const GpuRecording& recording) {
  std::set<pid_t> pids;
  for (const RecordedReading& reading : recording.readings) {
    for (const Gpu& gpu : reading.gpus) {
      if (!gpu.sample.processes) continue;
      for (const GpuProcess& process : *gpu.sample.processes) pids.insert(process.pid);
    }
  }
  return pids;
}

std::string format_recording(const GpuRecording& recording) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("schema", kSchema);
  format::FieldWriter writer(json);
  fields(writer, const_cast<GpuRecording&>(recording));
  json.end_object();
  return text + "\n";
}

Result<GpuRecording> parse_recording(std::string_view text) {
  const auto tree = format::JsonTree::parse(text);
  if (!tree) return Failure(tree.error());
  if (tree->root()["schema"].text() != kSchema) return fail(std::string(msg::kGpuNoRecording));
  GpuRecording recording;
  if (auto problem = format::read_fields(tree->root(), recording); !problem.empty()) {
    return fail(fmt::format(msg::kMemberNotOurs, problem));
  }
  const auto& readings = recording.readings;
  if (readings.empty() || readings.size() > kMaxRecorded ||
      !std::all_of(readings.begin(), readings.end(), is_bounded)) {
    return fail(fmt::format(msg::kMemberNotOurs, "readings"));
  }
  return recording;
}

Result<GpuRecording> read_recording(const std::string& machine) {
  const std::string path = machine + "/" + kRecordingFile;
  auto recording = host::read_local_file(path, kMaxRecording).and_then(parse_recording);
  if (recording) return recording;
  return fail(recording.error().kind,
              fmt::format(fmt::runtime(msg::kGpuRecordingBad), path, recording.error().what),
              std::string(msg::kGpuRecordingRemedy));
}

std::unique_ptr<Backend> make_recorded_backend(const BackendOptions& options) {
  return std::make_unique<RecordedBackend>(options.machine);
}

}  // namespace gpu
}  // namespace estiva
