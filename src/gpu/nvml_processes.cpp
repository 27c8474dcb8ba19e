#include "gpu/nvml_processes.h"

#include <algorithm>

#include "gpu/sensor_protocol.h"
#include "gpu/small_file.h"

namespace estiva::gpu::nvml {
namespace {

constexpr std::uint32_t kPidLimit = 4'194'304;  // PID_MAX_LIMIT on 64 bit, proc_sys_kernel(5)
constexpr U32 kFirstRows = 32;
constexpr U32 kMostRows = kMaxProcesses;
constexpr int kMostTries = 4;  // a list may grow between two calls

bool is_possible(std::uint32_t pid) {
  return pid > 0 && pid <= kPidLimit;
}

// Asks `call(count, rows)` with a buffer that grows on INSUFFICIENT_SIZE up to kMostRows. The
// driver's count is never believed beyond the buffer.
template <class Row, class Call>
int fill(std::vector<Row>& rows, std::size_t& count, const Call& call) {
  if (rows.empty()) rows.resize(kFirstRows);
  count = 0;
  for (int attempt = 0; attempt < kMostTries; ++attempt) {
    U32 n = static_cast<U32>(rows.size());
    const int code = call(&n, rows.data());
    if (code != kInsufficientSize) {
      if (code == kSuccess) count = std::min<std::size_t>(n, rows.size());
      return code;
    }
    if (rows.size() >= kMostRows) return code;
    const std::size_t wanted = std::max<std::size_t>(std::size_t{n} + 8, rows.size() * 2);
    rows.resize(std::min<std::size_t>(wanted, kMostRows));
  }
  return kInsufficientSize;
}

// This driver or device has no such list, or keeps it from us for good.
bool does_not_exist(int code) {
  const Missing why = missing_of(code);
  return why == Missing::not_supported || why == Missing::not_permitted;
}

template <class Processes>
auto* find(Processes& processes, std::uint32_t pid) {
  const auto at = std::lower_bound(
      processes.begin(), processes.end(), static_cast<pid_t>(pid),
      [](const GpuProcess& process, pid_t wanted) { return process.pid < wanted; });
  return at != processes.end() && at->pid == static_cast<pid_t>(pid) ? std::to_address(at)
                                                                     : nullptr;
}

// What the last list knew of the same processes; a new one is unknown until it is asked for.
void keep_activity(const GpuSample& before, std::vector<GpuProcess>& processes) {
  for (GpuProcess& process : processes) {
    process.sm_utilization = Missing::not_read;
    if (!before.processes) continue;
    if (const GpuProcess* known =
            find(*before.processes, static_cast<std::uint32_t>(process.pid))) {
      process.sm_utilization = known->sm_utilization;
    }
  }
}

}  // namespace

std::string NameCache::name_of(pid_t pid) {
  auto at = std::lower_bound(rows_.begin(), rows_.end(), pid,
                             [](const Row& row, pid_t wanted) { return row.pid < wanted; });
  if (at == rows_.end() || at->pid != pid) {
    std::string name = printable(read_line(root_ + "/proc/" + std::to_string(pid) + "/comm"));
    name.resize(std::min(name.size(), kNameLength));
    at = rows_.insert(at, {pid, true, std::move(name)});
  }
  at->used = true;
  return at->name;
}

void NameCache::end_sweep(bool refresh) {
  std::erase_if(rows_, [refresh](const Row& row) { return refresh || !row.used; });
  for (Row& row : rows_) row.used = false;
}

int ProcessReader::list(Asker& asker, Device& device, Metric metric,
                        int (*function)(Handle, U32*, ProcessInfo*)) {
  return fill(rows_, row_count_, [&](U32* count, ProcessInfo* rows) {
    return asker.ask(device, metric, function, count, rows);
  });
}

void ProcessReader::merge(Bytes most, bool GpuProcess::*kind, std::vector<GpuProcess>& into) const {
  for (std::size_t i = 0; i < row_count_; ++i) {
    const ProcessInfo& row = rows_[i];
    if (!is_possible(row.pid)) continue;
    const bool is_known = row.used != kNotAvailable;
    const bool is_sane = is_known && (most.value == 0 || row.used <= most.value);
    GpuProcess* known = nullptr;
    for (GpuProcess& process : into) {
      if (process.pid == static_cast<pid_t>(row.pid)) known = &process;
    }
    if (known == nullptr) {
      known = &into.emplace_back();
      known->pid = static_cast<pid_t>(row.pid);
      known->used = is_known ? Missing::failed : Missing::not_supported;
    }
    if (is_sane && row.used >= known->used.value_or({}).value) known->used = Bytes{row.used};
    known->*kind = true;
  }
}

int ProcessReader::read_new_rows(Asker& asker, Device& device) {
  return fill(busy_, busy_count_, [&](U32* count, ProcessUtilizationRow* rows) {
    ProcessesUtilization request{version_word<ProcessesUtilization>(1), *count,
                                 device.last_process_sample, rows};
    const int code =
        asker.ask(device, Metric::processes_utilization, asker.f.processes_utilization, &request);
    *count = request.count;
    return code;
  });
}

int ProcessReader::read_old_rows(Asker& asker, Device& device) {
  std::size_t count = 0;
  const int code = fill(samples_, count, [&](U32* n, ProcessSample* rows) {
    return asker.ask(device, Metric::process_samples, asker.f.process_samples, rows, n,
                     device.last_process_sample);
  });
  busy_.resize(std::max(busy_.size(), count));
  busy_count_ = count;
  for (std::size_t i = 0; i < count; ++i) {
    busy_[i] = {samples_[i].timestamp, samples_[i].pid, samples_[i].sm, 0, 0, 0, 0, 0};
  }
  return code;
}

// One process may have several samples since the last time; the newest of them counts. The time
// is kept per device, not per process: the driver returns only what is newer than it.
void ProcessReader::read_utilization(Asker& asker, Device& device,
                                     std::vector<GpuProcess>& processes) {
  busy_count_ = 0;
  int code = read_new_rows(asker, device);
  if (missing_of(code) == Missing::not_supported) code = read_old_rows(asker, device);
  const Missing why = code == kSuccess ? Missing::no_sample : missing_of(code);
  for (GpuProcess& process : processes) process.sm_utilization = why;
  std::sort(busy_.begin(), busy_.begin() + static_cast<std::ptrdiff_t>(busy_count_),
            [](const auto& a, const auto& b) { return a.timestamp < b.timestamp; });
  for (std::size_t i = 0; i < busy_count_; ++i) {
    const ProcessUtilizationRow& row = busy_[i];
    device.last_process_sample = std::max(device.last_process_sample, row.timestamp);
    GpuProcess* process = find(processes, row.pid);
    if (process != nullptr && row.sm <= 100) process->sm_utilization = Ratio{row.sm / 100.0};
  }
}

void ProcessReader::read(Asker& asker, Device& device, Gpu& gpu, bool with_activity) {
  std::vector<GpuProcess> processes;
  // A device whose memory was not read yet gives no bound.
  const Bytes most = gpu.sample.memory ? gpu.sample.memory->total : Bytes{};
  const int compute = list(asker, device, Metric::compute, asker.f.compute_processes);
  merge(most, &GpuProcess::compute, processes);
  const int graphics = list(asker, device, Metric::graphics, asker.f.graphics_processes);
  merge(most, &GpuProcess::graphics, processes);
  const int mps = list(asker, device, Metric::mps, asker.f.mps_processes);
  merge(most, &GpuProcess::mps, processes);
  // A process that is missing from the list counts as gone. So the list is known only where every
  // kind of it was read, or does not exist here.
  int fault = compute != kSuccess && graphics != kSuccess ? compute : kSuccess;
  for (const int code : {compute, graphics, mps})
    if (code != kSuccess && !does_not_exist(code)) fault = code;
  if (fault != kSuccess) {
    gpu.sample.processes = missing_of(fault);
    return;
  }
  std::sort(processes.begin(), processes.end(),
            [](const GpuProcess& a, const GpuProcess& b) { return a.pid < b.pid; });
  if (with_activity && !processes.empty())
    read_utilization(asker, device, processes);
  else
    keep_activity(gpu.sample, processes);
  for (GpuProcess& process : processes) process.name = names_.name_of(process.pid);
  gpu.sample.processes = std::move(processes);
}

}  // namespace estiva::gpu::nvml
