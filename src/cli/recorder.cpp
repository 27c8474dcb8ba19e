#include "cli/recorder.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/log.h"
#include "base/messages/cli.h"
#include "container/engine.h"
#include "format/cgroup.h"
#include "format/kernel_log.h"
#include "gpu/read_once.h"
#include "host/machine.h"
#include "host/process.h"
#include "net/loop.h"
#include "observe/host_sampler.h"

namespace estiva::cli {
namespace {

using observe::MachineRecording;
using std::chrono::milliseconds;

namespace m = msg::cli;

constexpr milliseconds kReadLimit{10'000};
constexpr Nanoseconds kEngineLimit = std::chrono::seconds(5);
constexpr std::size_t kMostXids = 10'000;

// The engine's containers, once it told of them or said that it won't.
void ask_engine(const std::string& host, MachineRecording& recording) {
  if (host == "off") return;
  set_log_level(LogLevel::error);  // what it would say is told by its status
  net::Loop loop;
  container::Engine engine(loop, container::EngineSearch::of_this_process(host), [] {});
  engine.start();
  const SteadyTime until = steady_now() + kEngineLimit;
  while (steady_now() < until) {
    loop.run_for(milliseconds(20));
    const EngineState state = engine.status().state;
    if (state != EngineState::connecting) break;
  }
  recording.engine = engine.status();
  recording.containers = *engine.containers();
  if (recording.engine.state != EngineState::ready &&
      recording.engine.state != EngineState::absent) {
    recording.left_out.push_back(
        fmt::format(m::kRecordEngine, to_name(recording.engine.state), recording.engine.reason));
  }
}

void find_containers(const host::Root& root, MachineRecording& recording) {
  for (const pid_t pid : gpu::processes_in(recording.gpus)) {
    const std::string path = host::cgroup_of(root, pid);
    const auto id = format::container_id_of(path);
    if (!id) continue;
    const format::ContainerKind kind = format::container_kind_of(path);
    recording.processes.push_back({pid, *id, std::string(kind.runtime), kind.rootless});
  }
}

// What the kernel log holds of errors of GPUs, up to now.
void read_kernel_log(const host::Root& root, MachineRecording& recording) {
  const int fd = root.open_at("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    if (fd != -ENOENT) recording.left_out.push_back(fail_errno("/dev/kmsg", -fd).value().what);
    return;
  }
  const UniqueFd log(fd);
  std::string buffer(16384, '\0');
  while (recording.xids.size() < kMostXids) {
    const ssize_t n = ::read(log.get(), buffer.data(), buffer.size());
    if (n < 0 && (errno == EPIPE || errno == EINTR)) continue;
    if (n <= 0) return;
    const auto record = format::parse_kernel_record(
        std::string_view(buffer).substr(0, static_cast<std::size_t>(n)));
    if (!record || record->facility != 0) continue;
    if (auto report = format::parse_xid_line(record->text)) {
      report->at = host::time_of_printk(record->microseconds);
      recording.xids.push_back(std::move(*report));
    }
  }
}

}  // namespace

Result<MachineRecording> gather_recording(const RecordOptions& options) {
  auto root = host::Root::open(options.sources.root);
  if (!root) return Failure(root.error());
  auto sampler = observe::HostSampler::open({options.sources.root, {}, {}});
  if (!sampler) return Failure(sampler.error());
  MachineRecording recording;
  recording.version = ESTIVA_VERSION;
  recording.node_id = host::read_node_id(*root);
  gpu::SensorOptions sensor = sensor_options(options.sources);
  sensor.measures = true;
  const auto on_view = [&](const gpu::SensorView& view) {
    if (recording.gpus.readings.empty()) recording.wall = wall_now();
    recording.gpus.readings.push_back({view.read_at, view.driver, view.gpus});
    recording.host.push_back(sampler->sample({.processes = true}));
    const std::size_t n = recording.gpus.readings.size();
    options.on_reading(n);
    return n < options.readings;
  };
  auto calls = gpu::read_series(sensor, gpu::Tiers::all(), options.interval, kReadLimit, on_view,
                                options.wait);
  if (calls) {
    recording.gpus.calls = std::move(*calls);
  } else if (recording.gpus.readings.empty()) {
    return Failure(calls.error());
  } else {
    recording.left_out.push_back(calls.error().what);
  }
  ask_engine(options.engine_host, recording);
  find_containers(*root, recording);
  read_kernel_log(*root, recording);
  return recording;
}

}  // namespace estiva::cli
