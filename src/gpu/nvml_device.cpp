#include "gpu/nvml_device.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "gpu/small_file.h"

namespace estiva::gpu::nvml {
namespace {

template <std::size_t N>
std::string text_of(int code, const char (&buffer)[N]) {
  return code == kSuccess ? printable({buffer, strnlen(buffer, N)}) : std::string();
}

template <class Function>
std::string ask_text(const Device& device, Function function) {
  char buffer[97] = {};
  if (function == nullptr) return {};
  return text_of(function(device.handle, buffer, 96U), buffer);
}

template <class Function>
Reading<unsigned> ask_number(const Device& device, Function function) {
  U32 value = 0;
  const int code = function == nullptr ? kFunctionNotFound : function(device.handle, &value);
  return reading(code, value);
}

Reading<Watts> ask_milliwatts(const Device& device, int (*function)(Handle, U32*)) {
  const Reading<unsigned> value = ask_number(device, function);
  return value ? Reading<Watts>(Watts{*value / 1000.0}) : Reading<Watts>(value.why());
}

Reading<Celsius> ask_threshold(const Asker& asker, const Device& device, Threshold which) {
  U32 value = 0;
  const int code = asker.f.threshold == nullptr ? kFunctionNotFound
                                                : asker.f.threshold(device.handle, which, &value);
  return reading(code, Celsius{static_cast<double>(value)});
}

Reading<Ratio> percent(int code, U32 value) {
  if (code == kSuccess && value > 100) return Missing::failed;
  return reading(code, Ratio{value / 100.0});
}

// nvmlDeviceArchitecture_t, in order of appearance.
const char* architecture_name(unsigned number) {
  static constexpr const char* kNames[] = {"",       "",       "Kepler",   "Maxwell",
                                           "Pascal", "Volta",  "Turing",   "Ampere",
                                           "Ada",    "Hopper", "Blackwell"};
  return number < std::size(kNames) ? kNames[number] : "";
}

void read_limits(const Asker& asker, const Device& device, GpuIdentity& identity) {
  identity.shutdown_at = ask_threshold(asker, device, kShutdown);
  identity.slowdown_at = ask_threshold(asker, device, kSlowdown);
  identity.max_operating = ask_threshold(asker, device, kGpuMax);
  identity.memory_max = ask_threshold(asker, device, kMemoryMax);
  identity.power_limit = ask_milliwatts(device, asker.f.power_limit);
  identity.power_limit_default = ask_milliwatts(device, asker.f.power_default);
  U32 lowest = 0;
  U32 highest = 0;
  const int code = asker.f.power_constraints == nullptr
                       ? kFunctionNotFound
                       : asker.f.power_constraints(device.handle, &lowest, &highest);
  identity.power_limit_min = reading(code, Watts{lowest / 1000.0});
  identity.power_limit_max = reading(code, Watts{highest / 1000.0});
}

// "MemAvailable:   12345 kB"
Reading<Bytes> meminfo(const std::string& text, std::string_view key) {
  std::size_t at = text.find(key);
  if (at == std::string::npos) return Missing::failed;
  at = text.find_first_not_of(' ', at + key.size());
  std::uint64_t kilobytes = 0;
  if (at == std::string::npos ||
      std::from_chars(text.data() + at, text.data() + text.size(), kilobytes).ec != std::errc{}) {
    return Missing::failed;
  }
  return kib(kilobytes);
}

// A GPU that shares the machine's RAM has no memory of its own to report: what is free for it is
// what is available to a program, what it uses is the sum of its processes, and the rest of the
// machine's use is shown as reserved.
Reading<GpuMemory> unified_memory(const GpuSample& sample, const std::string& root) {
  const std::string text = read_small_file(root + "/proc/meminfo");
  const Reading<Bytes> total = meminfo(text, "MemTotal:");
  const Reading<Bytes> available = meminfo(text, "MemAvailable:");
  if (!total || !available || *available > *total) return Missing::failed;
  GpuMemory memory{
      .total = *total, .used = {}, .free = *available, .reserved = {}, .reserved_known = true};
  if (sample.processes) {
    for (const GpuProcess& process : *sample.processes) memory.used += process.used.value_or({});
  }
  memory.used = std::min(memory.used, memory.total - memory.free);
  memory.reserved = memory.total - memory.free - memory.used;
  return memory;
}

// The identity used + free + reserved == total decides which of two documented meanings `used`
// has; where it does not hold, reserved is not shown apart.
GpuMemory from_v2(const MemoryV2& m) {
  GpuMemory memory{{m.total}, {m.used}, {m.free}, {m.reserved}, true};
  if (memory.used + memory.free + memory.reserved != memory.total) {
    memory.reserved = {};
    memory.reserved_known = false;
  }
  return memory;
}

bool is_off(int code) {
  return code == kNotSupported || code == kFunctionNotFound || code == kArgumentVersionMismatch ||
         code == kInvalidArgument;
}

double field_number(const FieldValue& field) {
  switch (field.type) {
    case kDouble:
      return field.value.real;
    case kWord:
      return field.value.word;
    case kSignedWord:
      return field.value.signed_word;
    case kSignedWide:
      return static_cast<double>(field.value.signed_wide);
    case kShort:
      return static_cast<double>(field.value.word & 0xffffU);
    default:
      return static_cast<double>(field.value.wide);
  }
}

// FieldValues succeeds when any value was filled: each has a code of its own.
int read_field(Asker& asker, Device& device, Metric metric, FieldId which, double& value) {
  FieldValue field{};
  field.field = which;
  const int code = asker.ask(device, metric, asker.f.field_values, 1, &field);
  value = field_number(field);
  return code == kSuccess ? static_cast<int>(field.code) : code;
}

Reading<Celsius> read_memory_temperature(Asker& asker, Device& device) {
  double celsius = 0;
  const int code =
      read_field(asker, device, Metric::memory_temperature, kFieldMemoryTemperature, celsius);
  // A board without the probe answers 0 with success.
  if (code == kSuccess && celsius <= 0) return Missing::not_supported;
  return reading(code, Celsius{celsius});
}

Reading<Celsius> read_temperature(Asker& asker, Device& device) {
  TemperatureV1 versioned{version_word<TemperatureV1>(1), 0, 0};
  int code = asker.ask(device, Metric::temperature_v, asker.f.temperature_v, &versioned);
  if (code == kSuccess) return Celsius{static_cast<double>(versioned.celsius)};
  if (!is_off(code)) return missing_of(code);
  U32 celsius = 0;
  code = asker.ask(device, Metric::temperature, asker.f.temperature, 0, &celsius);
  return reading(code, Celsius{static_cast<double>(celsius)});
}

Reading<Hertz> read_clock(Asker& asker, Device& device, Metric metric, Clock clock) {
  U32 megahertz = 0;
  const int code = asker.ask(device, metric, asker.f.clock, static_cast<int>(clock), &megahertz);
  return reading(code, Hertz{std::uint64_t{megahertz} * 1'000'000});
}

Reading<Ratio> read_engine(Asker& asker, Device& device, Metric metric,
                           int (*function)(Handle, U32*, U32*)) {
  U32 value = 0;
  U32 period = 0;
  const int code = asker.ask(device, metric, function, &value, &period);
  return percent(code, value);
}

constexpr int kCorrected = 0, kUncorrected = 1;
constexpr int kSinceLoad = 0;

Reading<std::uint64_t> read_ecc(Asker& asker, Device& device, Metric metric, int type,
                                int counter) {
  U64 value = 0;
  const int code = asker.ask(device, metric, asker.f.ecc_total, type, counter, &value);
  return reading(code, std::uint64_t{value});
}

}  // namespace

Reading<unsigned> read_number(Asker& asker, Device& device, Metric metric,
                              int (*function)(Handle, U32*)) {
  U32 value = 0;
  const int code = asker.ask(device, metric, function, &value);
  return reading(code, value);
}

Missing missing_of(int code) {
  switch (code) {
    case kNotSupported:
    case kFunctionNotFound:
    case kArgumentVersionMismatch:
    case kInvalidArgument:
      return Missing::not_supported;
    case kNoPermission:
      return Missing::not_permitted;
    case kNotFound:
    case kNoData:
      return Missing::no_sample;
    case kGpuIsLost:
    case kResetRequired:
      return Missing::lost;
    case kTimeout:
      return Missing::unresponsive;
    default:
      return Missing::failed;
  }
}

bool ends_session(int code) {
  return code == kUninitialized || code == kDriverNotLoaded || code == kLibRmVersionMismatch;
}

// In the order of Metric.
constexpr std::array<std::string_view, static_cast<std::size_t>(Metric::count)> kFunctions = {
    "nvmlDeviceGetMemoryInfo_v2",
    "nvmlDeviceGetMemoryInfo",
    "nvmlDeviceGetUtilizationRates",
    "nvmlDeviceGetTemperatureV",
    "nvmlDeviceGetTemperature",
    "nvmlDeviceGetPowerUsage",
    "nvmlDeviceGetCurrentClocksEventReasons",
    "nvmlDeviceGetClockInfo",
    "nvmlDeviceGetClockInfo",
    "nvmlDeviceGetPerformanceState",
    "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetComputeRunningProcesses_v3",
    "nvmlDeviceGetGraphicsRunningProcesses_v3",
    "nvmlDeviceGetMPSComputeRunningProcesses_v3",
    "nvmlDeviceGetProcessesUtilizationInfo",
    "nvmlDeviceGetProcessUtilization",
    "nvmlDeviceGetEncoderUtilization",
    "nvmlDeviceGetDecoderUtilization",
    "nvmlDeviceGetFanSpeed",
    "nvmlDeviceGetCurrPcieLinkGeneration",
    "nvmlDeviceGetCurrPcieLinkWidth",
    "nvmlDeviceGetEnforcedPowerLimit",
    "nvmlDeviceGetTotalEccErrors",
    "nvmlDeviceGetTotalEccErrors",
    "nvmlDeviceGetPcieReplayCounter",
    "nvmlDeviceGetMigMode",
    "nvmlDeviceGetTotalEccErrors",
    "nvmlDeviceGetRemappedRows",
    "nvmlDeviceGetRetiredPages",
    "nvmlDeviceGetRetiredPagesPendingStatus",
    "nvmlDeviceGetFieldValues",
    "nvmlDeviceGetPersistenceMode",
    "nvmlDeviceGetNvLinkState",
    "nvmlDeviceGetNvLinkErrorCounter",
    "nvmlDeviceGetGpuFabricInfoV",
};

std::string_view function_of(Metric metric) {
  return kFunctions[static_cast<std::size_t>(metric)];
}

void Asker::add_cost(Device& device, Metric metric, int code, Nanoseconds took) {
  AskCost& cost = (*device.costs)[static_cast<std::size_t>(metric)];
  cost.code = static_cast<std::int16_t>(code);
  ++cost.count;
  cost.total += took;
  cost.longest = std::max(cost.longest, took);
}

void Asker::note(Device& device, std::int16_t& refused, int code) {
  if (is_off(code) || code == kNoPermission) refused = static_cast<std::int16_t>(code);
  if (code == kGpuIsLost || code == kResetRequired) device.lost = code;
  if (ends_session(code)) session_error = code;
}

bool read_identity(Asker& asker, Device& device, GpuIdentity& identity) {
  identity.id.uuid = ask_text(device, asker.f.uuid);
  PciInfo pci{};
  const int code =
      asker.f.pci_info == nullptr ? kFunctionNotFound : asker.f.pci_info(device.handle, &pci);
  identity.pci_bus_id = text_of(code, pci.bus_id);
  if (identity.id.uuid.empty()) return false;
  identity.name = ask_text(device, asker.f.name);
  identity.serial = ask_text(device, asker.f.serial);
  identity.vbios = ask_text(device, asker.f.vbios);
  identity.minor_number = ask_number(device, asker.f.minor_number);
  const Reading<unsigned> architecture = ask_number(device, asker.f.architecture);
  identity.architecture = architecture ? architecture_name(*architecture) : "";
  int major = 0;
  int minor = 0;
  const int capability = asker.f.compute_capability == nullptr
                             ? kFunctionNotFound
                             : asker.f.compute_capability(device.handle, &major, &minor);
  identity.compute_capability = reading(capability, static_cast<unsigned>(major * 10 + minor));
  identity.pcie_max_generation = ask_number(device, asker.f.max_pcie_generation);
  identity.pcie_max_width = ask_number(device, asker.f.max_pcie_width);
  if (device.is_instance) {
    identity.gpu_instance = ask_number(device, asker.f.gpu_instance);
    identity.compute_instance = ask_number(device, asker.f.compute_instance);
  }
  read_limits(asker, device, identity);
  return true;
}

bool has_moved(Asker& asker, const GpuIdentity& identity) {
  Device now;
  const int code = asker.f.handle_by_index(identity.index, &now.handle);
  if (ends_session(code)) asker.session_error = code;
  if (code != kSuccess) return false;
  const std::string uuid = ask_text(now, asker.f.uuid);
  return !uuid.empty() && uuid != identity.id.uuid;
}

bool has_mig(Asker& asker, Device& device) {
  U32 current = 0;
  U32 pending = 0;
  return asker.ask(device, Metric::mig_mode, asker.f.mig_mode, &current, &pending) == kSuccess &&
         current == 1;
}

void read_memory(Asker& asker, Device& device, Gpu& gpu, const std::string& root) {
  MemoryV2 second{};
  second.version = version_word<MemoryV2>(2);
  int code = asker.ask(device, Metric::memory_v2, asker.f.memory_v2, &second);
  if (code == kSuccess) {
    gpu.sample.memory = from_v2(second);
    return;
  }
  if (!is_off(code)) {
    gpu.sample.memory = missing_of(code);
    return;
  }
  MemoryV1 first{};
  code = asker.ask(device, Metric::memory_v1, asker.f.memory_v1, &first);
  if (code == kSuccess) {
    gpu.sample.memory = GpuMemory{{first.total}, {first.used}, {first.free}, {}, false};
  } else if (code == kNotSupported && !device.is_instance) {
    gpu.identity.unified_memory = true;
    gpu.sample.memory = unified_memory(gpu.sample, root);
  } else {
    gpu.sample.memory = missing_of(code);
  }
}

void read_fast(Asker& asker, Device& device, GpuSample& sample) {
  Utilization busy{};
  int code = asker.ask(device, Metric::utilization, asker.f.utilization, &busy);
  sample.utilization = percent(code, busy.gpu);
  sample.memory_utilization = percent(code, busy.memory);
  sample.temperature = read_temperature(asker, device);
  sample.memory_temperature = read_memory_temperature(asker, device);
  U32 milliwatts = 0;
  code = asker.ask(device, Metric::power, asker.f.power, &milliwatts);
  sample.power = reading(code, Watts{milliwatts / 1000.0});
  U64 reasons = 0;
  code = asker.ask(device, Metric::clock_reasons, asker.f.clock_reasons, &reasons);
  sample.clock_event_reasons = reading(code, std::uint64_t{reasons});
  sample.sm_clock = read_clock(asker, device, Metric::sm_clock, kClockSm);
  sample.memory_clock = read_clock(asker, device, Metric::memory_clock, kClockMemory);
  sample.performance_state =
      read_number(asker, device, Metric::performance_state, asker.f.performance_state);
  // P0..P15; 32 is NVML's word for unknown.
  if (sample.performance_state && *sample.performance_state > 15) {
    sample.performance_state = Missing::no_sample;
  }
}

void read_energy(Asker& asker, Device& device, GpuSample& sample) {
  double millijoules = 0;
  const int code = read_field(asker, device, Metric::energy, kFieldEnergy, millijoules);
  sample.energy_joules = reading(code, millijoules / 1000.0);
}

void read_steady(Asker& asker, Device& device, Gpu& gpu) {
  GpuSample& sample = gpu.sample;
  sample.encoder_utilization = read_engine(asker, device, Metric::encoder, asker.f.encoder);
  sample.decoder_utilization = read_engine(asker, device, Metric::decoder, asker.f.decoder);
  U32 speed = 0;
  const int code = asker.ask(device, Metric::fan, asker.f.fan, &speed);
  sample.fan =
      reading(code, Ratio{std::min(speed, 1000U) / 100.0});  // may exceed 100 % by contract
  sample.pcie_generation =
      read_number(asker, device, Metric::pcie_generation, asker.f.pcie_generation);
  sample.pcie_width = read_number(asker, device, Metric::pcie_width, asker.f.pcie_width);
  const Reading<unsigned> limit =
      read_number(asker, device, Metric::power_limit, asker.f.power_limit);
  if (limit) gpu.identity.power_limit = Watts{*limit / 1000.0};
}

void read_slow(Asker& asker, Device& device, GpuSample& sample) {
  sample.ecc_corrected = read_ecc(asker, device, Metric::ecc_corrected, kCorrected, kSinceLoad);
  sample.ecc_uncorrected =
      read_ecc(asker, device, Metric::ecc_uncorrected, kUncorrected, kSinceLoad);
  const Reading<unsigned> replays =
      read_number(asker, device, Metric::pcie_replays, asker.f.pcie_replays);
  sample.pcie_replays = replays ? Reading<std::uint64_t>(std::uint64_t{*replays})
                                : Reading<std::uint64_t>(replays.why());
}

void blank(Gpu& gpu, Missing why) {
  GpuSample empty;
  empty.state = gpu.sample.state;
  empty.read_at = gpu.sample.read_at;
  empty.memory = why;
  empty.utilization = empty.memory_utilization = why;
  empty.encoder_utilization = empty.decoder_utilization = why;
  empty.temperature = empty.memory_temperature = why;
  empty.power = why;
  empty.sm_clock = empty.memory_clock = why;
  empty.performance_state = empty.pcie_generation = empty.pcie_width = why;
  empty.clock_event_reasons = empty.ecc_corrected = empty.ecc_uncorrected = why;
  empty.pcie_replays = why;
  empty.fan = why;
  empty.energy_joules = why;
  empty.processes = why;
  gpu.sample = std::move(empty);
  GpuWear& wear = gpu.wear;
  wear.ecc_uncorrected_lifetime = wear.nvlink_errors = wear.nvlink_crc_errors = why;
  for (Reading<unsigned>* number :
       {&wear.remapped_corrected, &wear.remapped_uncorrected, &wear.remap_pending,
        &wear.remap_failed, &wear.retired_pages, &wear.retired_pending, &wear.recovery_action,
        &wear.persistence_mode, &wear.nvlinks, &wear.nvlinks_active, &wear.fabric_state,
        &wear.fabric_error}) {
    *number = why;
  }
}

}  // namespace estiva::gpu::nvml
