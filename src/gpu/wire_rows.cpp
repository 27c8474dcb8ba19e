#include "gpu/wire_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "gpu/small_file.h"

namespace estiva::gpu {
namespace {

constexpr auto kLastMissing = static_cast<std::uint8_t>(Missing::failed);

std::uint8_t why_byte(Missing why) {
  return static_cast<std::uint8_t>(1 + static_cast<unsigned>(why));
}
bool is_why(std::uint8_t byte) {
  return byte <= kLastMissing + 1;
}

std::uint64_t to_bits(Hertz v) {
  return v.value;
}
std::uint64_t to_bits(std::uint64_t v) {
  return v;
}
std::uint64_t to_bits(unsigned v) {
  return v;
}
std::uint64_t to_bits(double v) {
  return std::bit_cast<std::uint64_t>(v);
}
std::uint64_t to_bits(Ratio v) {
  return to_bits(v.value);
}
std::uint64_t to_bits(Celsius v) {
  return to_bits(v.value);
}
std::uint64_t to_bits(Watts v) {
  return to_bits(v.value);
}

bool from_bits(std::uint64_t bits, Hertz& v) {
  return v.value = bits, true;
}
bool from_bits(std::uint64_t bits, std::uint64_t& v) {
  return v = bits, true;
}
bool from_bits(std::uint64_t bits, unsigned& v) {
  v = static_cast<unsigned>(bits);
  return bits <= UINT32_MAX;
}
bool from_bits(std::uint64_t bits, double& v) {
  v = std::bit_cast<double>(bits);
  return std::isfinite(v) && std::abs(v) < 1e18;
}
bool from_bits(std::uint64_t bits, Ratio& v) {
  return from_bits(bits, v.value) && v.value >= 0;
}
bool from_bits(std::uint64_t bits, Celsius& v) {
  return from_bits(bits, v.value);
}
bool from_bits(std::uint64_t bits, Watts& v) {
  return from_bits(bits, v.value) && v.value >= 0;
}

// Visits the readings in their order on the wire: the one list of them for both directions.
template <class Sample, class Visitor>
void each_reading(Sample& s, Visitor&& visit) {
  visit(s.utilization), visit(s.memory_utilization), visit(s.encoder_utilization);
  visit(s.decoder_utilization), visit(s.temperature), visit(s.memory_temperature);
  visit(s.power), visit(s.sm_clock), visit(s.memory_clock);
  visit(s.performance_state), visit(s.clock_event_reasons), visit(s.fan);
  visit(s.pcie_generation), visit(s.pcie_width), visit(s.energy_joules);
  visit(s.ecc_corrected), visit(s.ecc_uncorrected), visit(s.pcie_replays);
}
template <class Identity, class Visitor>
void each_identity_reading(Identity& i, Visitor&& visit) {
  visit(i.minor_number), visit(i.compute_capability), visit(i.slowdown_at), visit(i.shutdown_at);
  visit(i.max_operating), visit(i.power_limit), visit(i.power_limit_min);
  visit(i.power_limit_max), visit(i.power_limit_default), visit(i.pcie_max_generation);
  visit(i.pcie_max_width), visit(i.memory_max);
  visit(i.gpu_instance), visit(i.compute_instance);
}
template <class Wear, class Visitor>
void each_wear_reading(Wear& w, Visitor&& visit) {
  visit(w.ecc_uncorrected_lifetime), visit(w.remapped_corrected), visit(w.remapped_uncorrected);
  visit(w.remap_pending), visit(w.remap_failed), visit(w.retired_pages);
  visit(w.retired_pending), visit(w.recovery_action), visit(w.persistence_mode);
  visit(w.nvlinks), visit(w.nvlinks_active), visit(w.nvlink_errors);
  visit(w.nvlink_crc_errors), visit(w.fabric_state), visit(w.fabric_error);
}

// Writes or reads the n-th reading of a row's two arrays.
struct Writer {
  std::uint64_t* values;
  std::uint8_t* why;
  template <class T>
  void operator()(const Reading<T>& reading) {
    *values++ = reading ? to_bits(*reading) : 0;
    *why++ = reading ? 0 : why_byte(reading.why());
  }
};
struct Reader {
  const std::uint64_t* values;
  const std::uint8_t* why;
  bool good = true;
  template <class T>
  void operator()(Reading<T>& reading) {
    const std::uint64_t bits = *values++;
    const std::uint8_t reason = *why++;
    T value{};
    if (reason == 0 && from_bits(bits, value)) {
      reading = value;
    } else if (reason != 0 && is_why(reason)) {
      reading = static_cast<Missing>(reason - 1);
    } else {
      good = false;
    }
  }
};

template <std::size_t N>
void put(char (&field)[N], const std::string& text) {
  std::memcpy(field, text.data(), std::min(text.size(), N - 1));
}
template <std::size_t N>
bool get(const char (&field)[N], std::string& text) {
  const std::size_t length = strnlen(field, N);
  text.assign(field, std::min(length, N - 1));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return length < N;
}

}  // namespace

StateRow to_row(const DriverStatus& driver) {
  StateRow row{};
  row.state = static_cast<std::uint8_t>(driver.state);
  row.cuda = driver.cuda_version.value_or(0);
  row.cuda_why = driver.cuda_version ? 0 : why_byte(driver.cuda_version.why());
  put(row.source, driver.source);
  put(row.version, driver.version);
  put(row.nvml_version, driver.nvml_version);
  put(row.installed_version, driver.installed_version);
  put(row.reason, driver.reason);
  put(row.remedy, driver.remedy);
  return row;
}

bool from_row(const StateRow& row, DriverStatus& driver) {
  if (row.state > static_cast<std::uint8_t>(DriverState::failed) || !is_why(row.cuda_why)) {
    return false;
  }
  driver.state = static_cast<DriverState>(row.state);
  Reader reader{&row.cuda, &row.cuda_why};
  reader(driver.cuda_version);
  return reader.good && get(row.source, driver.source) && get(row.version, driver.version) &&
         get(row.installed_version, driver.installed_version) &&
         get(row.nvml_version, driver.nvml_version) && get(row.reason, driver.reason) &&
         get(row.remedy, driver.remedy);
}

InventoryRow to_row(std::uint32_t device, const GpuIdentity& identity) {
  InventoryRow row{};
  row.device = device;
  row.index = identity.index;
  row.unified_memory = identity.unified_memory;
  row.mig_enabled = identity.mig_enabled;
  put(row.vendor, identity.id.vendor);
  put(row.uuid, identity.id.uuid);
  put(row.instance, identity.id.instance);
  put(row.name, identity.name);
  put(row.pci_bus_id, identity.pci_bus_id);
  put(row.serial, identity.serial);
  put(row.vbios, identity.vbios);
  put(row.architecture, identity.architecture);
  each_identity_reading(identity, Writer{row.values, row.why});
  return row;
}

bool from_row(const InventoryRow& row, GpuIdentity& identity) {
  identity.index = row.index;
  identity.unified_memory = row.unified_memory != 0;
  identity.mig_enabled = row.mig_enabled != 0;
  Reader reader{row.values, row.why};
  each_identity_reading(identity, reader);
  const bool text = get(row.vendor, identity.id.vendor) && get(row.uuid, identity.id.uuid) &&
                    get(row.instance, identity.id.instance) && get(row.name, identity.name) &&
                    get(row.pci_bus_id, identity.pci_bus_id) && get(row.serial, identity.serial) &&
                    get(row.vbios, identity.vbios) && get(row.architecture, identity.architecture);
  return text && reader.good && row.index < kMaxDevices && !identity.id.uuid.empty();
}

SampleRow to_row(std::uint32_t device, const GpuSample& sample, bool processes_fresh) {
  SampleRow row{};
  row.device = device;
  row.state = static_cast<std::uint8_t>(sample.state);
  row.read_at = sample.read_at.ns;
  row.memory_why = sample.memory ? 0 : why_byte(sample.memory.why());
  if (sample.memory) {
    row.reserved_known = sample.memory->reserved_known;
    row.memory[0] = sample.memory->total.value;
    row.memory[1] = sample.memory->used.value;
    row.memory[2] = sample.memory->free.value;
    row.memory[3] = sample.memory->reserved.value;
  }
  each_reading(sample, Writer{row.values, row.why});
  row.processes_why = sample.processes ? 0 : why_byte(sample.processes.why());
  row.processes_fresh = processes_fresh;
  return row;
}

bool from_row(const SampleRow& row, GpuSample& sample) {
  if (row.state > static_cast<std::uint8_t>(GpuState::failed) || !is_why(row.memory_why) ||
      !is_why(row.processes_why) || row.read_at < 0) {
    return false;
  }
  sample.state = static_cast<GpuState>(row.state);
  sample.read_at = {row.read_at};
  if (row.memory_why != 0) {
    sample.memory = static_cast<Missing>(row.memory_why - 1);
  } else {
    sample.memory = GpuMemory{{row.memory[0]},
                              {row.memory[1]},
                              {row.memory[2]},
                              {row.memory[3]},
                              row.reserved_known != 0};
  }
  Reader reader{row.values, row.why};
  each_reading(sample, reader);
  if (row.processes_why != 0) {
    sample.processes = static_cast<Missing>(row.processes_why - 1);
  } else if (row.processes_fresh != 0) {
    sample.processes = std::vector<GpuProcess>();
  } else if (!sample.processes) {
    sample.processes = Missing::not_read;
  }
  return reader.good;
}

WearRow to_row(std::uint32_t device, const GpuWear& wear) {
  WearRow row{};
  row.device = device;
  row.read_at = wear.read_at.ns;
  each_wear_reading(wear, Writer{row.values, row.why});
  return row;
}

bool from_row(const WearRow& row, GpuWear& wear) {
  Reader reader{row.values, row.why};
  each_wear_reading(wear, reader);
  wear.read_at = {row.read_at};
  return reader.good && row.read_at >= 0;
}

XidRow to_row(const XidReport& report) {
  XidRow row{};
  row.code = report.code;
  row.count = report.count;
  row.at = report.at.ns;
  put(row.slot, report.slot);
  return row;
}

bool from_row(const XidRow& row, XidReport& report) {
  report.code = row.code;
  report.count = row.count;
  report.at = {row.at};
  report.source = XidSource::event;
  const bool is_text = get(row.slot, report.slot);
  return is_text && pci_slot(report.slot) == report.slot && !report.slot.empty() && row.code >= 1 &&
         row.code <= kMaxXid && row.count >= 1 && row.at >= 0;
}

CallRow to_row(const CallCost& cost) {
  CallRow row{};
  row.device = cost.device;
  row.code = cost.code;
  row.count = cost.count;
  row.total_ns = static_cast<std::uint64_t>(cost.total.count());
  row.longest_ns = static_cast<std::uint64_t>(cost.longest.count());
  put(row.call, cost.call);
  return row;
}

bool from_row(const CallRow& row, CallCost& cost) {
  cost.device = row.device;
  cost.code = row.code;
  cost.count = row.count;
  cost.total = Nanoseconds(static_cast<std::int64_t>(row.total_ns));
  cost.longest = Nanoseconds(static_cast<std::int64_t>(row.longest_ns));
  return get(row.call, cost.call) && cost.total.count() >= 0 && cost.longest.count() >= 0;
}

ProcessRow to_row(std::uint32_t device, const GpuProcess& process) {
  ProcessRow row{};
  row.device = device;
  row.pid = process.pid;
  row.used = process.used.value_or({}).value;
  row.used_why = process.used ? 0 : why_byte(process.used.why());
  row.sm = process.sm_utilization.value_or({}).value;
  row.sm_why = process.sm_utilization ? 0 : why_byte(process.sm_utilization.why());
  row.kinds = static_cast<std::uint8_t>((process.compute ? 1 : 0) | (process.graphics ? 2 : 0) |
                                        (process.mps ? 4 : 0));
  put(row.name, process.name);
  return row;
}

bool from_row(const ProcessRow& row, GpuProcess& process) {
  if (row.pid <= 0 || !is_why(row.used_why) || !is_why(row.sm_why) || row.kinds > 7 ||
      !(row.sm >= 0 && row.sm <= 1)) {
    return false;
  }
  process.pid = row.pid;
  if (row.used_why == 0)
    process.used = Bytes{row.used};
  else
    process.used = static_cast<Missing>(row.used_why - 1);
  if (row.sm_why == 0)
    process.sm_utilization = Ratio{row.sm};
  else
    process.sm_utilization = static_cast<Missing>(row.sm_why - 1);
  process.compute = (row.kinds & 1) != 0;
  process.graphics = (row.kinds & 2) != 0;
  process.mps = (row.kinds & 4) != 0;
  return get(row.name, process.name);
}

}  // namespace estiva::gpu
