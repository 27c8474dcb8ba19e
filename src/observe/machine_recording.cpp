#include "observe/machine_recording.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include "base/messages/format.h"
#include "base/messages/observe.h"
#include "format/json_fields.h"
#include "observe/assemble.h"
#include "observe/scenario.h"

// The members of what is recorded, each list for both directions.
namespace estiva {

template <class Io>
static void fields(Io& io, HostMemory& memory) {
  io("total_bytes", memory.total);
  io("available_bytes", memory.available);
  io("free_bytes", memory.free);
  io("cached_bytes", memory.cached);
  io("dirty_bytes", memory.dirty);
  io("shmem_bytes", memory.shmem);
  io("swap_total_bytes", memory.swap_total);
  io("swap_free_bytes", memory.swap_free);
}
template <class Io>
static void fields(Io& io, PressureLine& line) {
  io("avg10_ratio", line.avg10);
  io("avg60_ratio", line.avg60);
  io("avg300_ratio", line.avg300);
  io("total_us", line.total_us);
}
template <class Io>
static void fields(Io& io, Pressure& pressure) {
  io("some", pressure.some);
  io("full", pressure.full);
}
template <class Io>
static void fields(Io& io, Disk& disk) {
  io("role", disk.role);
  io("path", disk.path);
  io("filesystem", disk.filesystem);
  io("total_bytes", disk.total);
  io("used_bytes", disk.used);
  io("available_bytes", disk.available);
  io("used_ratio", disk.used_ratio);
}
template <class Io>
static void fields(Io& io, SwapArea& swap) {
  io("path", swap.path);
  io("type", swap.type);
  io("size_bytes", swap.size);
  io("used_bytes", swap.used);
  io("priority", swap.priority);
}
template <class Io>
static void fields(Io& io, ProcessUse& process) {
  io("pid", process.pid);
  io("start_ticks", process.start_ticks);
  io("name", process.name);
  io("cpu_ratio", process.cpu);
  io("resident_bytes", process.resident);
}
template <class Io>
static void fields(Io& io, HostSample& sample) {
  io("read_at_ns", sample.read_at);
  io("cores", sample.cores);
  io("cpu_ratio", sample.cpu);
  io("load1", sample.load1);
  io("memory", sample.memory);
  io("cpu_pressure", sample.cpu_pressure);
  io("memory_pressure", sample.memory_pressure);
  io("io_pressure", sample.io_pressure);
  io("disks", sample.disks);
  io("swaps", sample.swaps);
  io("top_cpu", sample.top_cpu);
  io("top_memory", sample.top_memory);
  io("cgroup_layout", sample.cgroup_layout);
}
template <class Io>
static void fields(Io& io, EngineStatus& engine) {
  io.named("state", engine.state, EngineState::unsupported);
  io("name", engine.name);
  io("version", engine.version);
  io("reason", engine.reason);
  io("remedy", engine.remedy);
}
template <class Io>
static void fields(Io& io, Container& container) {
  io("id", container.id);
  io("name", container.name);
  io("image", container.image);
  io("project", container.project);
  io("service", container.service);
  io("model", container.model);
  io.named("state", container.state, ContainerState::dead);
  io("health", container.health);
}
template <class Io>
static void fields(Io& io, ProcessContainer& process) {
  io("pid", process.pid);
  io("container", process.id);
  io("runtime", process.runtime);
  io("rootless", process.rootless);
}
static std::string_view to_name(XidSource source) {
  constexpr std::string_view kNames[] = {"event", "kernel_log", "kernel_text"};
  return kNames[static_cast<int>(source)];
}
template <class Io>
static void fields(Io& io, XidReport& report) {
  io("slot", report.slot);
  io("code", report.code);
  io("count", report.count, std::uint64_t{1});
  io("at_ns", report.at);
  io.named("source", report.source, XidSource::kernel_text);
  io("fatal", report.is_fatal);
  io("recovery_action", report.recovery_action);
  io("pid", report.pid);
  io("process", report.process);
}

namespace observe {

template <class Io>
static void fields(Io& io, RecordedFile& file) {
  io("path", file.path);
  io("bytes", file.bytes);
}

namespace {

constexpr const char* kManifest = "recording.json";
constexpr const char* kMachine = "machine.json";
constexpr const char* kScenario = "machine.scenario";
constexpr std::string_view kManifestSchema = "estiva/recording/1";
constexpr std::string_view kMachineSchema = "estiva/recorded-machine/1";
constexpr std::size_t kLargest = 64U << 20;

// machine.json.
struct MachinePart {
  std::vector<HostSample> host;
  EngineStatus engine;
  std::vector<Container> containers;
  std::vector<ProcessContainer> processes;
  std::vector<XidReport> xids;
};
template <class Io>
static void fields(Io& io, MachinePart& part) {
  io("host", part.host);
  io("engine", part.engine, EngineStatus{});
  io("containers", part.containers);
  io("processes", part.processes);
  io("xids", part.xids);
}

// recording.json.
struct Manifest {
  std::string version;
  WallTime wall;
  bool names_kept = false;
  std::string node_id;
  std::uint64_t readings = 0;
  std::vector<RecordedFile> files;
  std::vector<std::string> left_out;
};
template <class Io>
static void fields(Io& io, Manifest& manifest) {
  io("estiva", manifest.version);
  io("wall_ns", manifest.wall);
  io("names_kept", manifest.names_kept);
  io("node_id", manifest.node_id);
  io("readings", manifest.readings);
  io.list("files", manifest.files);
  io("left_out", manifest.left_out);
}

template <class T>
std::string document(std::string_view schema, T& value) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("schema", schema);
  format::FieldWriter writer(json);
  fields(writer, value);
  json.end_object();
  return text + "\n";
}

Failure not_whole(const std::string& dir, std::string_view file, const std::string& how) {
  return fail(fmt::format(msg::kRecordingCut, dir, file, how),
              std::string(msg::kRecordingCutRemedy));
}

template <class T>
Result<T> read_document(const std::string& dir, const char* file, std::string_view schema) {
  const auto text = host::read_local_file(fmt::format("{}/{}", dir, file), kLargest);
  if (!text) return Failure(text.error());
  const auto tree = format::JsonTree::parse(*text);
  if (!tree) return not_whole(dir, file, tree.error().what);
  T value{};
  std::string problem = "schema";
  if (tree->root()["schema"].text() == schema) problem = format::read_fields(tree->root(), value);
  if (!problem.empty()) return not_whole(dir, file, fmt::format(msg::kMemberNotOurs, problem));
  return value;
}

// A folder beside the place that it is for, which nobody had before and which does not stay unless
// it is finished.
class Draft {
 public:
  static Result<std::unique_ptr<Draft>> beside(const std::string& place) {
    std::string name = place + ".partial-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) return fail_errno("make " + name, errno);
    auto draft = std::make_unique<Draft>(std::move(name));
    if (::chmod(draft->dir().c_str(), 0755) != 0) return fail_errno("open " + draft->dir(), errno);
    return draft;
  }
  explicit Draft(std::string dir) : dir_(std::move(dir)) {}
  ~Draft() {
    std::error_code ignored;
    if (!is_done_) std::filesystem::remove_all(dir_, ignored);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  const std::string& dir() const { return dir_; }
  Result<void> move_to(const std::string& place) {
    if (::rename(dir_.c_str(), place.c_str()) != 0) return fail_errno("move to " + place, errno);
    is_done_ = true;
    return {};
  }

 private:
  std::string dir_;
  bool is_done_ = false;
};

Result<void> check_place(const std::string& dir) {
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::absolute(dir).parent_path();
  if (!std::filesystem::is_directory(folder, error)) {
    return fail(fmt::format(msg::kNoFolderThere, folder.string()),
                std::string(msg::kNoFolderThereRemedy));
  }
  if (!std::filesystem::exists(dir, error)) return {};
  if (std::filesystem::is_directory(dir, error) && std::filesystem::is_empty(dir, error)) return {};
  return fail(ErrorKind::refused, fmt::format(msg::kRecordingThere, dir),
              std::string(msg::kRecordingThereRemedy));
}

void redact(MachineRecording& recording, Redactor& redactor) {
  redactor.apply(recording.gpus);
  for (HostSample& sample : recording.host) redactor.apply(sample);
  for (Container& container : recording.containers) redactor.apply(container);
  std::sort(recording.containers.begin(), recording.containers.end(),
            [](const Container& a, const Container& b) { return a.id < b.id; });
  for (ProcessContainer& process : recording.processes) {
    process.id = redactor.container_id(process.id);
  }
  for (XidReport& report : recording.xids) redactor.apply(report);
  if (redactor.keeps_names()) return;
  recording.node_id = "00000000-0000-4000-8000-000000000001";
  // Reasons name sockets and users.
  recording.engine.reason.clear();
  recording.engine.remedy.clear();
  for (std::string& line : recording.left_out) line = redactor.sentence(line);
}

Result<void> check_files(const std::string& dir, const std::vector<RecordedFile>& files) {
  for (const RecordedFile& file : files) {
    struct stat found {};
    if (::stat(fmt::format("{}/{}", dir, file.path).c_str(), &found) != 0) {
      return not_whole(dir, file.path, std::string(msg::kIsMissing));
    }
    const auto size = static_cast<std::uint64_t>(found.st_size);
    if (size != file.bytes) {
      return not_whole(dir, file.path, fmt::format(msg::kHasOtherSize, size, file.bytes));
    }
  }
  return {};
}

}  // namespace

Result<std::vector<RecordedFile>> write_machine(const std::string& named,
                                                MachineRecording recording, const host::Root& root,
                                                Redactor& redactor) {
  std::string dir = named;
  while (dir.size() > 1 && dir.ends_with('/')) dir.pop_back();
  if (auto ok = check_place(dir); !ok) return Failure(ok.error());
  const auto made = Draft::beside(dir);
  if (!made) return Failure(made.error());
  Draft& draft = **made;
  const std::set<pid_t> pids = gpu::processes_in(recording.gpus);
  redact(recording, redactor);
  auto files = record_tree(root, draft.dir(), pids, redactor, recording.left_out);
  if (!files) return files;
  MachinePart part{recording.host, recording.engine, recording.containers, recording.processes,
                   recording.xids};
  const std::pair<const char*, std::string> documents[] = {
      {gpu::kRecordingFile, gpu::format_recording(recording.gpus)},
      {kMachine, document(kMachineSchema, part)},
      {kScenario, scenario_of(recording.gpus)}};
  for (const auto& [name, text] : documents) {
    if (auto ok = host::write_file_atomic(fmt::format("{}/{}", draft.dir(), name), text); !ok) {
      return Failure(ok.error());
    }
    files->push_back({name, text.size()});
  }
  Manifest manifest{recording.version,
                    recording.wall,
                    redactor.keeps_names(),
                    recording.node_id,
                    recording.gpus.readings.size(),
                    *files,
                    recording.left_out};
  const std::string text = document(kManifestSchema, manifest);
  if (auto ok = host::write_file_atomic(fmt::format("{}/{}", draft.dir(), kManifest), text); !ok) {
    return Failure(ok.error());
  }
  files->push_back({kManifest, text.size()});
  if (auto ok = draft.move_to(dir); !ok) return Failure(ok.error());
  return files;
}

Result<MachineRecording> read_machine(const std::string& dir) {
  auto manifest = read_document<Manifest>(dir, kManifest, kManifestSchema);
  if (!manifest) {
    return fail(manifest.error().kind, fmt::format(msg::kNoRecording, dir, manifest.error().what),
                std::string(msg::kNoRecordingRemedy));
  }
  if (auto ok = check_files(dir, manifest->files); !ok) return Failure(ok.error());
  auto gpus = gpu::read_recording(dir);
  if (!gpus) return Failure(gpus.error());
  auto part = read_document<MachinePart>(dir, kMachine, kMachineSchema);
  if (!part) return Failure(part.error());
  if (gpus->readings.size() != manifest->readings || part->host.size() > gpus->readings.size()) {
    return not_whole(dir, kMachine, fmt::format(msg::kMemberNotOurs, "host"));
  }
  MachineRecording recording;
  recording.version = manifest->version;
  recording.wall = manifest->wall;
  recording.names_kept = manifest->names_kept;
  recording.node_id = manifest->node_id;
  recording.gpus = std::move(*gpus);
  recording.host = std::move(part->host);
  recording.engine = std::move(part->engine);
  recording.containers = std::move(part->containers);
  recording.processes = std::move(part->processes);
  recording.xids = std::move(part->xids);
  recording.left_out = manifest->left_out;
  return recording;
}

World world_at(const MachineRecording& recording, std::size_t i) {
  const gpu::RecordedReading& reading = recording.gpus.readings[i];
  auto view = std::make_shared<gpu::SensorView>();
  view->driver = reading.driver;
  view->driver.source = "recorded";
  view->gpus = reading.gpus;
  view->read_at = reading.at;
  view->tiers = gpu::Tiers::all();
  view->sequence = i + 1;
  Sources sources;
  sources.node_id = recording.node_id;
  sources.sequence = i + 1;
  sources.now = reading.at;
  sources.wall = {recording.wall.ns + (reading.at - recording.gpus.readings[0].at).count()};
  sources.gpus = std::move(view);
  if (!recording.host.empty()) {
    const HostSample& sample = recording.host[std::min(i, recording.host.size() - 1)];
    sources.host = std::make_shared<const HostSample>(sample);
    sources.now = std::max(sources.now, sample.read_at);
  }
  World world = assemble(std::move(sources));
  world.engine = recording.engine;
  world.containers = std::make_shared<const std::vector<Container>>(recording.containers);
  world.process_containers = recording.processes;
  return world;
}

}  // namespace observe
}  // namespace estiva
