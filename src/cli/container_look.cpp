#include "cli/container_look.h"

#include <algorithm>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

#include "base/messages/cli_doctor.h"
#include "base/unique_fd.h"
#include "cli/programs.h"
#include "container/ask_once.h"
#include "container/engine_facts.h"
#include "container/probe_container.h"
#include "container/run_inside.h"
#include "format/cgroup.h"
#include "format/json_tree.h"
#include "format/seen_text.h"
#include "format/text.h"
#include "host/files.h"
#include "host/process.h"
#include "host/program.h"
#include "net/target.h"

namespace estiva::cli {
namespace {

namespace m = msg::cli;
using std::chrono::milliseconds;

constexpr milliseconds kQuestions{5'000};
constexpr milliseconds kTorchTime{30'000};  // importing torch takes seconds
constexpr char kInside[] = "/estiva";

// --- a container of our own
// ------------------------------------------------------------------------

// The sensor program and the libraries that it needs, under /estiva, run by its own loader: so it
// needs nothing of the container, and what it finds of the driver is what was put there.
struct Kit {
  std::vector<std::pair<std::string, std::string>> mounts;
  std::vector<std::string> command;
};

// Of glibc's; the driver's libraries need them, and the container has no others.
constexpr std::string_view kDriverNeeds[] = {"libc.so.6", "libm.so.6", "libdl.so.2",
                                             "libpthread.so.0", "librt.so.1"};

std::string name_in(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

// Lines of the loader: "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x...)", and itself alone:
// "\t/lib64/ld-linux-x86-64.so.2 (0x...)".
struct Needed {
  std::string loader;
  std::vector<std::string> libraries;
};
Needed parse_needed(std::string_view text) {
  Needed needed;
  for (std::string_view line; format::next_line(text, line);) {
    const std::size_t from = line.find('/');
    if (from == std::string_view::npos) continue;
    std::string path(line.substr(from, line.find(" (", from) - from));
    const bool is_loader = line.find("=>") == std::string_view::npos;
    (is_loader ? needed.loader : needed.libraries.emplace_back()) = std::move(path);
  }
  return needed;
}

bool is_there(const std::string& path) {
  const auto root = host::Root::open();
  return root && UniqueFd(root->open_at(path.c_str(), O_PATH)).get() >= 0;
}

Result<Kit> pack_kit() {
  const auto sensor = find_program("estiva-sensor");
  if (!sensor) return Failure(sensor.error());
  const auto said = host::ask_program({"env", "LD_TRACE_LOADED_OBJECTS=1", *sensor}, {});
  if (!said) return Failure(said.error());
  Needed needed = parse_needed(said->output);
  if (needed.loader.empty()) return fail(fmt::format(m::kNoLoader, *sensor));
  Kit kit;
  std::string folder;
  for (const std::string& library : needed.libraries)
    if (name_in(library) == "libc.so.6") folder = library.substr(0, library.rfind('/'));
  for (const std::string_view name : kDriverNeeds) {
    std::string path = fmt::format("{}/{}", folder, name);
    if (std::find(needed.libraries.begin(), needed.libraries.end(), path) ==
            needed.libraries.end() &&
        is_there(path))
      needed.libraries.push_back(std::move(path));
  }
  kit.mounts = {{*sensor, fmt::format("{}/probe", kInside)},
                {needed.loader, fmt::format("{}/ld.so", kInside)}};
  for (const std::string& library : needed.libraries)
    kit.mounts.emplace_back(library, fmt::format("{}/lib/{}", kInside, name_in(library)));
  kit.command = {fmt::format("{}/ld.so", kInside), "--library-path", fmt::format("{}/lib", kInside),
                 fmt::format("{}/probe", kInside), "--seen",         "libcuda.so.1"};
  return kit;
}

bool has_cdi(const EngineFacts& engine) {
  return !engine.cdi_dirs.empty() || !engine.discovered.empty();
}

// NVIDIA's kind where any file declares it, else ours.
std::string device_of(const ReadinessFacts& facts, const ProbeWish& wish) {
  if (!wish.device.empty()) return wish.device;
  std::string kind = "nvidia.com/gpu";
  for (const CdiFile& file : facts.cdi.files) {
    if (!file.error.empty() || file.is_ignored) continue;
    if (file.spec.kind == "nvidia.com/gpu") return kind + "=all";
    if (file.spec.kind == "estiva.dev/gpu") kind = file.spec.kind;
  }
  return kind + "=all";
}

std::string choose_way(const ReadinessFacts& facts, const ProbeWish& wish) {
  if (wish.with != "auto") return wish.with;
  const EngineFacts& engine = facts.engine;
  if (has_cdi(engine) || engine.kind == EngineKind::podman || !wish.device.empty()) return "cdi";
  const auto& known = engine.runtimes;
  return std::find(known.begin(), known.end(), "nvidia") != known.end() ? "runtime" : "gpus";
}

// How the GPU is asked for, into `run`; the words are those of docker's command line.
std::string ask_for_gpu(const ReadinessFacts& facts, const ProbeWish& wish,
                        container::ProbeRun& run) {
  const std::string way = choose_way(facts, wish);
  run.is_podman = facts.engine.kind == EngineKind::podman;
  if (way == "cdi") {
    const std::string device = device_of(facts, wish);
    run.requests = {{"cdi", 0, {device}, {}}};
    return "--device " + device;
  }
  if (way == "gpus") {
    run.requests = {{"", -1, {}, {"gpu"}}};
    return "--gpus all";
  }
  run.runtime = "nvidia";
  run.environment = {"NVIDIA_VISIBLE_DEVICES=all", "NVIDIA_DRIVER_CAPABILITIES=compute,utility"};
  return "--runtime nvidia";
}

bool has_any_gpu(const ReadinessFacts& facts) {
  constexpr unsigned kNvidia = 0x10de;
  const auto& pci = facts.kernel.pci;
  return facts.kernel.has_dxg || !facts.driver.gpus.empty() || !facts.driver.files.nodes.empty() ||
         std::any_of(pci.begin(), pci.end(),
                     [](const PciFact& one) { return one.vendor == kNvidia; });
}

std::string asked_by(const ContainerFact& container) {
  std::vector<std::string> ways;
  for (const DeviceRequest& request : container.requests) {
    if (request.driver == "cdi")
      for (const std::string& id : request.ids) ways.push_back("--device " + id);
    else
      ways.push_back(
          request.ids.empty()
              ? fmt::format("--gpus {}", request.count < 0 ? "all" : std::to_string(request.count))
              : fmt::format("--gpus device={}", fmt::join(request.ids, ",")));
  }
  for (const std::string& path : container.device_paths) ways.push_back("--device " + path);
  if (container.runtime == "nvidia") ways.emplace_back("--runtime nvidia");
  return fmt::format("{}", fmt::join(ways, " "));
}

// --- one that runs
// -----------------------------------------------------------------------------------

struct Found {
  ContainerFact fact;
  pid_t pid = 0;
};

Result<Found> inspect(const container::EngineAsk& ask, const std::string& id) {
  const auto body = ask(fmt::format("/containers/{}/json", net::percent_encode(id)));
  if (!body) return Failure(body.error());
  auto fact = container::parse_inspect(*body);
  if (!fact) return Failure(fact.error());
  const auto tree = format::JsonTree::parse(*body);
  const auto pid = tree ? tree->root()["State"]["Pid"].signed_number() : std::nullopt;
  return Found{std::move(*fact), static_cast<pid_t>(pid.value_or(0))};
}

Result<Found> find_container(const container::EngineAsk& ask, const std::string& wanted) {
  auto by_name = inspect(ask, wanted);
  if (by_name || by_name.error().kind == ErrorKind::timed_out) return by_name;
  const std::string filter =
      net::percent_encode(fmt::format(R"({{"label":["com.docker.compose.service={}"]}})", wanted));
  const auto listed = ask("/containers/json?all=1&filters=" + filter);
  if (!listed) return Failure(listed.error());
  const auto tree = format::JsonTree::parse(*listed);
  std::vector<std::string> ids, names;
  for (std::size_t i = 0; tree && i < tree->root().size(); ++i) {
    const auto one = tree->root().at(i);
    ids.emplace_back(one["Id"].text().value_or(""));
    std::string_view name = one["Names"].at(0).text().value_or("");
    if (name.starts_with('/')) name.remove_prefix(1);
    names.emplace_back(name);
  }
  const std::string shown = format::escape_for_terminal(wanted);
  if (ids.size() == 1) return inspect(ask, ids.front());
  if (ids.empty())
    return fail(ErrorKind::not_found, fmt::format(m::kNoSuchContainer, shown),
                std::string(m::kNoSuchContainerRemedy));
  return fail(ErrorKind::usage, fmt::format(m::kSeveralContainers, shown, fmt::join(names, ", ")),
              std::string(m::kSeveralContainersRemedy));
}

// What stands in its /dev, seen from outside: its device group decides whether they open. Through
// the link root of /proc/PID, one of the kernel's own kind, which a fenced walk does not follow.
Reading<Seen> nodes_inside(pid_t pid) {
  const std::string folder = fmt::format("/proc/{}/{}", pid, "root/dev");
  const std::unique_ptr<DIR, int (*)(DIR*)> dev(::opendir(folder.c_str()), ::closedir);
  if (dev == nullptr) return errno == EACCES ? Missing::not_permitted : Missing::failed;
  Seen seen;
  while (const dirent* entry = ::readdir(dev.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with("nvidia") && entry->d_type != DT_DIR)
      seen.nodes.push_back({fmt::format("/dev/{}", name), 0});
  }
  std::ranges::sort(seen.nodes, {}, &SeenNode::path);
  return seen;
}

void add_processes(const ReadinessFacts& facts, const std::string& id,
                   decide::ContainerLook& look) {
  const auto root = host::Root::open();
  for (const Gpu& gpu : facts.driver.gpus) {
    if (!root || !gpu.sample.processes) continue;
    look.processes_known = true;
    for (const GpuProcess& process : *gpu.sample.processes) {
      const auto ids = format::container_ids_of(host::cgroup_of(*root, process.pid));
      if (std::find(ids.begin(), ids.end(), id) == ids.end()) continue;
      const std::string held = process.used ? to_text(*process.used) : std::string(m::kUnknownSize);
      look.gpu_processes.push_back(
          fmt::format(m::kProcessOn, process.name, process.pid, held, gpu.identity.index));
    }
  }
}

// "cuda NVIDIA ..." or "cpu"; empty where Python or torch is not there.
std::string ask_torch(const net::Endpoint& engine, const std::string& id) {
  constexpr char kScript[] =
      "import torch\n"
      "ok = torch.cuda.is_available()\n"
      "print('estiva-torch', 'cuda ' + torch.cuda.get_device_name(0) if ok else 'cpu')\n";
  for (const char* python : {"python3", "python"}) {
    const auto said = container::run_inside(engine, id, {python, "-c", kScript}, kTorchTime);
    if (!said) return {};
    std::string_view text = said->output;
    for (std::string_view line; format::next_line(text, line);) {
      constexpr std::string_view kMark = "estiva-torch ";
      if (line.starts_with(kMark)) return std::string(line.substr(kMark.size()));
    }
  }
  return {};
}

// The newest line that says where Ollama computes.
std::string compute_line_of(const container::EngineAsk& ask, const std::string& id) {
  constexpr std::string_view kWords = "inference compute";
  const auto logs = ask(fmt::format("/containers/{}/logs?stdout=1&stderr=1&tail=2000", id));
  if (!logs) return {};
  std::string found;
  for (const std::string& line : container::parse_log(*logs))
    if (line.find(kWords) != std::string::npos) found = line;
  return found;
}

}  // namespace

decide::ContainerLook try_container(const net::Endpoint& engine, const ReadinessFacts& facts,
                                    const ProbeWish& wish) {
  decide::ContainerLook look;
  if (!has_any_gpu(facts)) {
    look.why_not = m::kNothingToAskFor;
    return look;
  }
  auto kit = pack_kit();
  if (!kit) {
    look.why_not = kit.error().what;
    return look;
  }
  container::ProbeRun run;
  run.command = std::move(kit->command);
  run.mounts = std::move(kit->mounts);
  run.limit = wish.limit;
  look.asked_by = ask_for_gpu(facts, wish, run);
  const auto end = container::run_probe_container(engine, run);
  if (!end) {
    look.why_not = end.error().what;
    return look;
  }
  look.was_tried = true;
  look.error = end->error;
  look.is_running = end->error.empty();
  look.seen = Missing::failed;
  if (end->error.empty()) look.seen = format::parse_seen(end->output);
  return look;
}

Result<decide::ContainerLook> look_into(const net::Endpoint& engine, const ReadinessFacts& facts,
                                        const std::string& wanted) {
  const auto ask = container::ask_engine(engine, kQuestions);
  const auto found = find_container(ask, wanted);
  if (!found) return Failure(found.error());
  decide::ContainerLook look;
  look.was_tried = true;
  look.name = found->fact.name;
  look.asked_by = asked_by(found->fact);
  look.error = found->fact.state == "running" ? std::string() : found->fact.error;
  look.is_running = found->fact.state == "running";
  if (!look.is_running) return look;
  look.seen = nodes_inside(found->pid);
  add_processes(facts, found->fact.id, look);
  look.compute_line = compute_line_of(ask, found->fact.id);
  look.torch = ask_torch(engine, found->fact.id);
  return look;
}

}  // namespace estiva::cli
