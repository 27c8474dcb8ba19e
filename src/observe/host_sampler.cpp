#include "observe/host_sampler.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <fmt/format.h>
#include <system_error>

#include "base/messages/observe.h"
#include "format/proc.h"
#include "format/psi.h"
#include "host/disks.h"
#include "host/machine.h"
#include "observe/process_table.h"

namespace estiva::observe {
namespace {

using std::chrono::seconds;
constexpr Nanoseconds kDisksEvery = seconds(10);
constexpr Nanoseconds kShortestScanGap = seconds(10);
constexpr Nanoseconds kLongestScanGap = seconds(120);
constexpr Nanoseconds kSecondScanAfter = seconds(2);  // so that shares of CPU are known soon
constexpr std::int64_t kScanShare =
    10000;  // a scan may cost 1 / kScanShare of the time until the next
constexpr std::size_t kBufferSize = 64 << 10;  // /proc/stat of 512 cores with its interrupts

Nanoseconds thread_cpu_time() {
  timespec ts{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return seconds(ts.tv_sec) + Nanoseconds(ts.tv_nsec);
}

Missing why_missing(int number) {
  switch (number) {
    case ENOENT:
    case EOPNOTSUPP:
      return Missing::not_supported;  // the kernel was built or started without it
    case EACCES:
    case EPERM:
      return Missing::not_permitted;
    default:
      return Missing::failed;
  }
}

}  // namespace

Nanoseconds next_process_scan(Nanoseconds cost) {
  return std::clamp(cost * kScanShare, kShortestScanGap, kLongestScanGap);
}

struct HostSampler::State {
  HostOptions options;
  host::Root root;
  std::vector<char> buffer = std::vector<char>(kBufferSize);
  std::vector<std::string> trouble, disk_trouble;
  std::string docker_root;
  HostSample last;
  std::optional<format::CpuTicks> ticks;
  ProcessTable table;
  std::uint64_t scans = 0;
  SteadyTime disks_due, scan_due;

  // The text of a small file, or the errno why not.
  std::string_view read(const char* path, int& number) {
    const ssize_t size = host::read_into(root, path, buffer);
    number = size < 0 ? static_cast<int>(-size) : 0;
    return size < 0 ? std::string_view()
                    : std::string_view(buffer.data(), static_cast<std::size_t>(size));
  }

  void complain(const char* path, int number) {
    trouble.push_back(
        fmt::format(msg::kNotSampled, root.shown(path), std::generic_category().message(number)));
  }

  void sample_cpu() {
    int number = 0;
    const auto now = format::parse_proc_stat(read("/proc/stat", number));
    if (!now) {
      last.cpu = number == 0 ? Missing::failed : why_missing(number);
      ticks.reset();
      return complain("/proc/stat", number == 0 ? EBADMSG : number);
    }
    last.cores = now->cores;
    if (!ticks) {
      last.cpu = Missing::not_read;
    } else if (const auto share = format::busy_share(*ticks, *now)) {
      last.cpu = *share;
    }  // no tick has passed: the last value stands
    ticks = now;
  }

  void sample_memory() {
    int number = 0;
    const auto memory = format::parse_meminfo(read("/proc/meminfo", number));
    if (memory) {
      last.memory = *memory;
    } else {
      last.memory = number == 0 ? Missing::failed : why_missing(number);
      complain("/proc/meminfo", number == 0 ? EBADMSG : number);
    }
    const auto load = format::parse_loadavg(read("/proc/loadavg", number));
    last.load1 = load          ? Reading<double>(*load)
                 : number == 0 ? Missing::failed
                               : why_missing(number);
  }

  Pressure sample_pressure(const char* path) {
    int number = 0;
    const auto text = read(path, number);
    if (number == 0) return format::parse_pressure(text);
    return {why_missing(number), why_missing(number)};
  }

  void sample_disks(SteadyTime now) {
    disks_due = now + kDisksEvery;
    disk_trouble.clear();
    last.disks = host::read_disks(root, docker_root, options.model_folders, &disk_trouble);
    last.swaps = host::read_swap_areas(root);
  }

  void sample_processes() {
    // The disks before may have taken their time, and shares of CPU hang on this moment.
    const SteadyTime now = steady_now();
    const Nanoseconds before = thread_cpu_time();
    if (table.scan(root, now)) {
      last.top_cpu = table.top_cpu();
      last.top_memory = table.top_memory();
    } else {
      last.top_cpu.clear();
      last.top_memory.clear();
    }
    const Nanoseconds gap = next_process_scan(thread_cpu_time() - before);
    scan_due = now + (scans++ == 0 ? kSecondScanAfter : gap);
  }
};

HostSampler::HostSampler(std::unique_ptr<State> state) : state_(std::move(state)) {}
HostSampler::HostSampler(HostSampler&&) noexcept = default;
HostSampler& HostSampler::operator=(HostSampler&&) noexcept = default;
HostSampler::~HostSampler() = default;

Result<HostSampler> HostSampler::open(HostOptions options) {
  auto root = host::Root::open(options.root);
  if (!root) return Failure(std::move(root.error()));
  auto state = std::make_unique<State>();
  state->root = std::move(*root);
  state->docker_root = host::docker_root(state->root, options.docker_root);
  state->last.cgroup_layout = host::detect_cgroup_layout(state->root);
  state->options = std::move(options);
  return HostSampler(std::move(state));
}

HostSample HostSampler::sample(WantedParts wanted) {
  State& state = *state_;
  const SteadyTime now = steady_now();
  state.trouble.clear();
  state.last.read_at = now;
  state.sample_cpu();
  state.sample_memory();
  state.last.cpu_pressure = state.sample_pressure("/proc/pressure/cpu");
  state.last.memory_pressure = state.sample_pressure("/proc/pressure/memory");
  state.last.io_pressure = state.sample_pressure("/proc/pressure/io");
  if (wanted.disks || now >= state.disks_due) state.sample_disks(now);
  if (wanted.processes || now >= state.scan_due) state.sample_processes();
  state.trouble.insert(state.trouble.end(), state.disk_trouble.begin(), state.disk_trouble.end());
  if (state.table.cut()) {
    state.trouble.push_back(fmt::format(msg::kProcessTableCut, kMaxProcesses));
  }
  return state.last;
}

const std::vector<std::string>& HostSampler::trouble() const {
  return state_->trouble;
}

}  // namespace estiva::observe
