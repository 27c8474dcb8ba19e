#include "cli/local_world.h"

#include <chrono>
#include <fmt/format.h>
#include <thread>

#include "base/messages/cli.h"
#include "cli/recorded_world.h"
#include "decide/health/tracker.h"
#include "gpu/read_once.h"
#include "host/machine.h"
#include "observe/assemble.h"
#include "observe/host_sampler.h"

namespace estiva::cli {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kReadLimit{5000};
constexpr milliseconds kBetweenSamples{150};

}  // namespace

gpu::SensorOptions sensor_options(const LocalSources& from) {
  gpu::SensorOptions options;
  options.nvml_file = from.nvml_file;
  options.root = from.root;
  options.machine = from.machine;
  if (!from.machine.empty()) options.source = "recorded";
  return options;
}

namespace {

// A driver that hangs is something to report beside the machine's memory and disk, not a reason to
// show nothing.
Result<gpu::SensorView> read_gpus(const LocalSources& from) {
  auto view = gpu::read_once(sensor_options(from), gpu::Tiers::all(), kReadLimit);
  if (view || view.error().kind != ErrorKind::timed_out) return view;
  gpu::SensorView silent;
  silent.driver.state = DriverState::unresponsive;
  silent.driver.reason = view.error().what;
  silent.driver.remedy = view.error().remedy;
  return silent;
}

Result<std::shared_ptr<const HostSample>> read_host(const LocalSources& from, bool cpu_shares) {
  auto sampler = observe::HostSampler::open({from.root, {}, {}});
  if (!sampler) return Failure(sampler.error());
  HostSample sample = sampler->sample();
  if (cpu_shares) {
    std::this_thread::sleep_for(kBetweenSamples);
    sample = sampler->sample({.processes = true});
  }
  return std::make_shared<const HostSample>(std::move(sample));
}

}  // namespace

bool names_sources(const Arguments& args) {
  return args.has("--nvml") || args.has("--root") || args.has("--machine");
}

LocalSources sources_of(const Arguments& args) {
  LocalSources sources;
  if (const auto file = args.value("--nvml")) sources.nvml_file = *file;
  if (const auto dir = args.value("--root")) sources.root = *dir;
  if (const auto dir = args.value("--machine")) sources.machine = *dir;
  return sources;
}

Result<World> read_local_world(const LocalSources& from, HostPart host) {
  if (is_recording(from.machine)) return last_recorded_world(from.machine);
  if (!from.machine.empty() && !has_recorded_gpus(from.machine)) {
    return fail(ErrorKind::not_found, fmt::format(msg::cli::kNoRecordingThere, from.machine),
                std::string(msg::cli::kNoRecordingThereRemedy));
  }
  auto view = read_gpus(from);
  if (!view) return Failure(view.error());
  observe::Sources sources;
  sources.simulated = view->driver.source == "simulated";
  const bool shows_host =
      host == HostPart::with_cpu_shares || (host == HostPart::without_gpu && view->gpus.empty());
  sources.gpus = std::make_shared<const gpu::SensorView>(std::move(*view));
  if (shows_host) {
    auto sample = read_host(from, host == HostPart::with_cpu_shares);
    if (!sample) return Failure(sample.error());
    sources.host = std::move(*sample);
  }
  if (host == HostPart::with_cpu_shares)
    if (auto root = host::Root::open(from.root)) sources.node_id = host::read_node_id(*root);
  sources.wall = wall_now();
  sources.now = steady_now();
  sources.interval = std::chrono::seconds(10);  // one reading, just made: never stale
  World world = observe::assemble(std::move(sources));
  // One reading shows what counts at once; what takes time only a daemon knows.
  decide::HealthTracker health;
  health.observe(world.driver, world.gpus, world.gpus_read_at);
  world.health = health.health();
  return world;
}

}  // namespace estiva::cli
