#include "observe/readiness/collect.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <future>

#include "base/messages/observe.h"
#include "format/yaml_tree.h"
#include "gpu/presence.h"
#include "gpu/read_once.h"
#include "gpu/recording.h"
#include "host/device_users.h"
#include "observe/readiness/compose.h"
#include "observe/readiness/engine_process.h"
#include "observe/readiness/gone_mounts.h"
#include "observe/readiness/kernels.h"
#include "observe/readiness/log.h"
#include "observe/readiness/modules.h"
#include "observe/readiness/nodes.h"
#include "observe/readiness/packages.h"
#include "observe/readiness/pci.h"
#include "observe/readiness/processes.h"
#include "observe/readiness/programs.h"
#include "observe/readiness/system.h"
#include "observe/readiness/units.h"

namespace estiva::observe {
namespace {

struct DriverWord {
  DriverStatus status;
  std::vector<Gpu> gpus;
};

// In a folder nobody is asked: what was recorded, else what its files foretell.
DriverWord recorded_driver(const Tree& tree) {
  DriverWord word;
  if (const auto text = tree.text(std::string("/") + gpu::kRecordingFile, gpu::kMaxRecording)) {
    auto recording = gpu::parse_recording(*text);
    if (recording) {
      gpu::RecordedReading& last = recording->readings.back();
      return {std::move(last.driver), std::move(last.gpus)};
    }
    word.status.state = DriverState::failed;
    word.status.reason = recording.error().what;
    return word;
  }
  const auto presence = gpu::look_for_gpus(tree.root().dir());
  if (const auto reason = gpu::reason_to_stay_out(presence)) word.status = *reason;
  return word;
}

DriverWord ask_driver(const Tree& tree, const ReadinessSources& sources) {
  const bool is_named = !sources.gpus.nvml_file.empty() || !sources.gpus.machine.empty();
  if (!tree.is_real() && !is_named) return recorded_driver(tree);
  gpu::SensorOptions options = sources.gpus;
  options.root = sources.root;
  auto view = gpu::read_once(options, gpu::Tiers::all(), sources.gpu_time);
  if (view) return {std::move(view->driver), std::move(view->gpus)};
  DriverWord silent;
  const bool is_slow = view.error().kind == ErrorKind::timed_out;
  silent.status.state = is_slow ? DriverState::unresponsive : DriverState::failed;
  silent.status.reason = view.error().what;
  silent.status.remedy = view.error().remedy;
  return silent;
}

// A sleeping GPU would be woken; without a module there is nothing that could answer.
gpu::CudaAnswer ask_cuda(const Tree& tree, const ReadinessSources& sources,
                         const KernelFacts& kernel) {
  const auto same = [](Missing why) { return gpu::CudaAnswer{why, why}; };
  if (!sources.asks_cuda) return same(Missing::not_read);
  if (!tree.is_real()) {
    const auto said = tree.text("/cuda");
    return said ? gpu::parse_cuda_answer(*said) : same(Missing::not_read);
  }
  const auto sleeps = [](const PciFact& card) {
    return card.driver == "nvidia" && card.power_state == "suspended";
  };
  if (kernel.module_version.empty() && !kernel.has_dxg) return same(Missing::not_supported);
  if (std::any_of(kernel.pci.begin(), kernel.pci.end(), sleeps)) return same(Missing::asleep);
  return gpu::probe_cuda(sources.cuda);
}

container::EngineReport ask_engine(const Tree& tree, const ReadinessSources& sources) {
  container::EngineReport word;
  Error error;
  EngineFacts& engine = word.engine;
  net::Endpoint endpoint;
  container::EngineAsk ask;
  if (!tree.is_real()) {
    if (!tree.exists("/docker")) {
      engine.api_error = msg::kNoRecordedEngine;
      return word;
    }
    ask = container::ask_recorded_engine(tree.root(), "/docker");
  } else {
    auto address = container::find_engine(sources.engine);
    if (!address) {
      engine.state = EngineState::unsupported;
      engine.api_error = address.error().sentence();
      return word;
    }
    endpoint = address->endpoint;
    ask = container::ask_engine(endpoint, sources.engine_time);
  }
  word = container::read_engine(ask, sources.questions, error);
  if (engine.state == EngineState::ready) return word;
  engine.state = container::state_of(error, endpoint);
  engine.api_error = tree.is_real()
                         ? container::explain_state(engine.state, error, net::to_text(endpoint))
                         : error.sentence();
  return word;
}

// Of a module that is compressed and not DKMS': the package that brought it says its version.
void complete_versions(const Packages& packages, std::vector<KernelFact>& kernels) {
  constexpr std::array<std::string_view, 8> kSources = {"nvidia-kernel-dkms",
                                                        "nvidia-kernel-open-dkms",
                                                        "nvidia-open-kernel-dkms",
                                                        "nvidia-dkms",
                                                        "nvidia-open",
                                                        "nvidia",
                                                        "akmod-nvidia",
                                                        "kmod-nvidia"};
  const auto brings_module = [&](std::string_view name) {
    return std::find(kSources.begin(), kSources.end(), name) != kSources.end() ||
           name.starts_with("nvidia-dkms-") || name.starts_with("nvidia-kernel-common-") ||
           name.starts_with("kmod-nvidia-");
  };
  std::string version;
  for (const auto& [name, full] : packages.versions) {
    if (version.empty() && brings_module(name)) version = upstream_version(full);
  }
  for (KernelFact& kernel : kernels) {
    const bool is_open = kernel.has_nvidia && !kernel.nvidia_version &&
                         kernel.nvidia_version.why() == Missing::not_supported;
    if (is_open && !version.empty()) kernel.nvidia_version = version;
  }
}

Reading<std::string> fabric_manager_version(const Packages& packages) {
  for (const auto& [name, version] : packages.versions) {
    if (name.find("nvidia-fabricmanager") != name.npos ||
        name.find("nvidia-fabric-manager") != name.npos) {
      return upstream_version(version);
    }
  }
  return Missing::not_supported;
}

void read_driver_files(const Tree& tree, const ReadinessSources& sources, const Packages& packages,
                       ReadinessFacts& facts) {
  DriverFacts& driver = facts.driver;
  if (sources.driver_files) driver.files = sources.driver_files(tree.root(), driver.gpus);
  constexpr std::string_view kGpuNodes[] = {"/dev/nvidia", "/dev/dri/"};
  driver.users = host::find_device_users(tree.root(), kGpuNodes);
  driver.odd_nodes = read_nodes(tree);
  driver.missing_nodes = missing_nodes(facts.kernel, driver.odd_nodes, read_minors(tree));
  driver.char_links = read_char_links(tree, facts.kernel);
  driver.has_nvswitch = has_nvswitch(facts.kernel.pci);
  driver.fabric_manager_version = fabric_manager_version(packages);
  driver.mps_folder = tree.exists("/tmp/nvidia-mps");
  driver.packages = packages.versions;
  driver.held_packages = packages.held;
  driver.upgrades_itself = packages.upgrades_itself;
}

void read_running(const std::vector<FoundProcess>& processes, DriverFacts& driver) {
  driver.persistence_running = is_running(processes, "nvidia-persistenced");
  driver.fabric_manager_running = is_running(processes, "nv-fabricmanager");
  driver.mps_running = is_running(processes, "nvidia-cuda-mps-control");
}

// What the files of the machine say; takes a few milliseconds.
void read_files(const Tree& tree, ReadinessFacts& facts, std::vector<FoundProcess>& processes) {
  facts.release = read_release(tree);
  facts.kernel.kernels = read_kernels(tree);
  facts.kernel.modprobe_lines = read_modprobe_lines(tree);
  facts.kernel.load_lines = read_load_lines(tree);
  read_system(tree, facts.kernel);
  facts.units = read_units(tree);
  processes = find_processes(tree);
  read_running(processes, facts.driver);
}

void read_stack(const Tree& tree, const ReadinessSources& sources, const Packages& packages,
                const EngineUser& user, ReadinessFacts& facts) {
  EngineFacts& engine = facts.engine;
  find_settings_before(tree, sources.settings_before, engine);
  find_runtimes(tree, engine);
  const std::string_view path = engine.search_path.empty() ? kServicePath : engine.search_path;
  facts.toolkit = read_toolkit(tree, path, packages);
  const auto dirs = engine.cdi_known ? engine.cdi_dirs : cdi_dirs_of(engine.daemon_json);
  facts.cdi = read_cdi(tree, dirs, user, sources.parse_cdi);
  find_gone_mounts(tree, facts.containers);
  facts.compose = read_compose(tree, facts.containers, sources.compose_files);
  compare_env_files(tree, facts.compose, facts.containers);
  for (const ComposeFact& file : facts.compose) {
    if (!file.text) continue;
    const auto parsed = format::YamlTree::parse(*file.text);
    if (!parsed) facts.not_seen.push_back(fmt::format("{}: {}", file.path, parsed.error().what));
  }
}

struct Installed {
  Packages packages;
  Reading<std::string> compose_version;
};

Installed read_installed(const Tree& tree) {
  Installed installed{read_packages(tree), {}};
  installed.compose_version = read_compose_version(tree, installed.packages);
  return installed;
}

void take_engine(container::EngineReport word, ReadinessFacts& facts) {
  facts.engine = std::move(word.engine);
  facts.containers = std::move(word.containers);
  facts.images = std::move(word.images);
  for (std::string& trouble : word.trouble) facts.not_seen.push_back(std::move(trouble));
  if (!facts.engine.api_error.empty()) facts.not_seen.push_back(facts.engine.api_error);
}

void take_driver(DriverWord word, const gpu::CudaAnswer& cuda, DriverFacts& driver) {
  driver.status = std::move(word.status);
  driver.gpus = std::move(word.gpus);
  driver.cuda_init = cuda.init;
  driver.compute_mode = cuda.compute_mode;
}

// A thread of its own; where there are none left, when it is asked for.
template <class Call>
auto beside(Call call) {
  return std::async(std::launch::async | std::launch::deferred, std::move(call));
}

}  // namespace

ReadinessSources ReadinessSources::of_this_process(std::string root) {
  ReadinessSources sources;
  sources.root = std::move(root);
  sources.engine = container::EngineSearch::of_this_process("");
  sources.questions.keeps_line = [](std::string_view line) {
    return line.find("inference compute") != line.npos;
  };
  return sources;
}

Result<ReadinessFacts> collect_readiness(const ReadinessSources& sources) {
  const auto root = host::Root::open(sources.root);
  if (!root) return Failure(root.error());
  const Tree tree(*root);
  ReadinessFacts facts;
  facts.now = tree.now();
  KernelFacts& kernel = facts.kernel;
  kernel.pci = read_pci(tree);
  read_modules(tree, kernel);
  kernel.has_dxg = tree.exists("/dev/dxg");

  auto engine = beside([&] { return ask_engine(tree, sources); });
  auto driver = beside([&] { return ask_driver(tree, sources); });
  auto cuda = beside([&tree, &sources, shown = kernel] { return ask_cuda(tree, sources, shown); });
  auto log = beside([&] { return read_kernel_log(tree); });
  auto installed_read = beside([&] { return read_installed(tree); });

  std::vector<FoundProcess> processes;
  read_files(tree, facts, processes);
  kernel.log = log.get();
  kernel.slept_since_module = has_slept(kernel.log, tree.text("/sys/power/suspend_stats/success"));
  const Installed installed = installed_read.get();
  complete_versions(installed.packages, kernel.kernels);
  take_engine(engine.get(), facts);
  const EngineUser user = read_engine_process(tree, processes, facts.engine);
  facts.engine.compose_version = installed.compose_version;
  read_stack(tree, sources, installed.packages, user, facts);
  take_driver(driver.get(), cuda.get(), facts.driver);
  read_driver_files(tree, sources, installed.packages, facts);
  if (!installed.packages.trouble.empty()) facts.not_seen.push_back(installed.packages.trouble);
  return facts;
}

}  // namespace estiva::observe
