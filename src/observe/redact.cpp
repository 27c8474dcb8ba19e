#include "observe/redact.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "format/cgroup.h"
#include "observe/allow_list.h"

namespace estiva::observe {
namespace {

// Programs that run on GPUs or beside them on many machines. As the kernel has them: 15 bytes.
constexpr std::array<std::string_view, 60> kPrograms = {"python",
                                                        "python3",
                                                        "python3.8",
                                                        "python3.9",
                                                        "python3.10",
                                                        "python3.11",
                                                        "python3.12",
                                                        "python3.13",
                                                        "ollama",
                                                        "ollama_llama_se",
                                                        "ollama_runner",
                                                        "llama-server",
                                                        "llama-cli",
                                                        "llama-bench",
                                                        "vllm",
                                                        "VLLM::EngineCor",
                                                        "VLLM::Worker",
                                                        "tritonserver",
                                                        "text-generation",
                                                        "koboldcpp",
                                                        "comfyui",
                                                        "whisper-server",
                                                        "whisper-cli",
                                                        "sd-server",
                                                        "dask-worker",
                                                        "dask-scheduler",
                                                        "node",
                                                        "n8n",
                                                        "java",
                                                        "ffmpeg",
                                                        "Xorg",
                                                        "Xwayland",
                                                        "gnome-shell",
                                                        "gnome-remote-de",
                                                        "kwin_x11",
                                                        "kwin_wayland",
                                                        "plasmashell",
                                                        "sway",
                                                        "Hyprland",
                                                        "mutter-x11-fram",
                                                        "firefox",
                                                        "firefox-esr",
                                                        "chrome",
                                                        "chromium",
                                                        "nvidia-smi",
                                                        "nvidia-persiste",
                                                        "nvtop",
                                                        "dcgm",
                                                        "nv-hostengine",
                                                        "cuda-gdb",
                                                        "systemd",
                                                        "systemd-journal",
                                                        "dockerd",
                                                        "containerd",
                                                        "containerd-shim",
                                                        "podman",
                                                        "postgres",
                                                        "redis-server",
                                                        "estivad",
                                                        "estiva-sensor"};

// The parts of an image's name before its tag that are kept. Registries in front are dropped.
constexpr std::array<std::string_view, 24> kImages = {"ollama/ollama",
                                                      "ggml-org/llama.cpp",
                                                      "ggerganov/llama.cpp",
                                                      "vllm/vllm-openai",
                                                      "nvidia/cuda",
                                                      "nvidia/tritonserver",
                                                      "nvidia/pytorch",
                                                      "pytorch/pytorch",
                                                      "tensorflow/tensorflow",
                                                      "huggingface/text-generation-inference",
                                                      "huggingface/text-embeddings-inference",
                                                      "open-webui/open-webui",
                                                      "n8nio/n8n",
                                                      "pgvector/pgvector",
                                                      "postgres",
                                                      "redis",
                                                      "supabase/postgres",
                                                      "supabase/studio",
                                                      "daskdev/dask",
                                                      "qdrant/qdrant",
                                                      "python",
                                                      "ubuntu",
                                                      "debian",
                                                      "busybox"};

constexpr std::array<std::string_view, 19> kPaths = {"/",
                                                     "/boot",
                                                     "/dev",
                                                     "/dev/kmsg",
                                                     "/dev/shm",
                                                     "/home",
                                                     "/opt",
                                                     "/proc",
                                                     "/root",
                                                     "/run",
                                                     "/srv",
                                                     "/sys",
                                                     "/tmp",
                                                     "/usr",
                                                     "/var",
                                                     "/var/lib",
                                                     "/var/lib/docker",
                                                     "/mnt",
                                                     "/data"};

// What tags of the images above are made of, beside numbers.
constexpr std::array<std::string_view, 30> kTagWords = {
    "latest", "cuda",    "cuda12", "cuda13",   "server",   "runtime", "devel",    "base",
    "cudnn",  "ubuntu",  "debian", "slim",     "alpine",   "rocm",    "main",     "light",
    "full",   "nightly", "py3",    "openai",   "gpu",      "cpu",     "bookworm", "bullseye",
    "trixie", "jammy",   "noble",  "ubuntu22", "ubuntu24", "stable"};

bool is_container_id(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "/dev/nvme0n1p2". Not /dev/mapper: volume groups are named after machines and people.
bool is_plain_device(std::string_view path) {
  constexpr std::array<std::string_view, 15> kKinds = {
      "sd", "vd",  "xvd", "hd",  "nvme",   "mmcblk",    "loop", "zram",
      "md", "dm-", "pts", "shm", "mqueue", "hugepages", "nbd"};
  if (!path.starts_with("/dev/")) return false;
  path.remove_prefix(5);
  const bool is_known = std::any_of(kKinds.begin(), kKinds.end(),
                                    [&](std::string_view kind) { return path.starts_with(kind); });
  return is_known && path.size() <= 16 && path.find('/') == path.npos;
}

// "docker-<id>.scope" -> its three parts; nothing where no id is in it.
struct WithId {
  std::string_view before, id, after;
};
std::optional<WithId> split_id(std::string_view level) {
  for (std::size_t i = 0; i + 64 <= level.size(); ++i) {
    const std::string_view id = level.substr(i, 64);
    if (is_container_id(id)) return WithId{level.substr(0, i), id, level.substr(i + 64)};
  }
  return std::nullopt;
}

// "12.4.1-cudnn-runtime-ubuntu22.04", "pg17", "v0.8.0": numbers, and words that many tags have.
bool is_public_tag(std::string_view tag) {
  while (!tag.empty()) {
    const std::size_t end = std::min(tag.find_first_of("-._"), tag.size());
    std::string_view piece = tag.substr(0, end);
    tag.remove_prefix(std::min(end + 1, tag.size()));
    if (is_one_of(kTagWords, piece)) continue;
    for (const std::string_view letter : {"v", "b", "pg", "py"}) {
      if (piece.starts_with(letter)) piece.remove_prefix(letter.size());
    }
    if (!is_number(piece)) return false;
  }
  return true;
}

// Levels that say what kind of group it is, and nothing of who uses the machine for what.
bool is_plain_level(std::string_view level) {
  constexpr std::array<std::string_view, 14> kLevels = {
      "docker",    "system.slice",   "user.slice", "init.scope",    "machine.slice",
      "kubepods",  "kubepods.slice", "libpod",     "libpod_parent", "default",
      "app.slice", "session.slice",  "buildkit",   "docker.service"};
  if (is_one_of(kLevels, level)) return true;
  for (const auto& [before, after] :
       {std::pair<std::string_view, std::string_view>{"user-", ".slice"}, {"user@", ".service"}}) {
    if (level.size() <= before.size() + after.size()) continue;
    if (level.starts_with(before) && level.ends_with(after) &&
        is_number(level.substr(before.size(), level.size() - before.size() - after.size()))) {
      return true;
    }
  }
  return false;
}

}  // namespace

unsigned Redactor::number(std::string_view kind, const std::string& name) {
  auto& names = numbers_[std::string(kind)];
  return names.try_emplace(name, static_cast<unsigned>(names.size() + 1)).first->second;
}

std::string Redactor::numbered(std::string_view kind, const std::string& name,
                               std::string_view separator) {
  if (keeps_ || name.empty()) return name;
  return fmt::format("{}{}{}", kind, separator, number(kind, name));
}

std::string Redactor::uuid(const std::string& uuid) {
  if (keeps_ || uuid.empty()) return uuid;
  // A GPU that was never initialised is called by its place: no secret.
  if (uuid.starts_with("PCI-")) return uuid;
  const std::string_view kind = uuid.starts_with("MIG-") ? "MIG" : "GPU";
  return fmt::format("{}-00000000-0000-4000-8000-{:012x}", kind, number(kind, uuid));
}

std::string Redactor::container_id(const std::string& id) {
  if (keeps_ || id.empty()) return id;
  return fmt::format("{:064x}", number("container-id", id));
}

std::string Redactor::program(const std::string& name) {
  return is_one_of(kPrograms, name) ? name : numbered("program", name, "-");
}

std::string Redactor::name(std::string_view kind, const std::string& name) {
  return numbered(kind, name, "-");
}

std::string Redactor::image(const std::string& image) {
  if (keeps_) return image;
  for (const std::string_view known : kImages) {
    const std::size_t at = image.find(known);
    if (at == image.npos || (at > 0 && image[at - 1] != '/')) continue;
    const std::string rest = image.substr(at + known.size());
    if (rest.empty() || (rest[0] == ':' && is_public_tag(rest.substr(1)))) {
      return std::string(known) + rest;
    }
    if (rest[0] == ':') return fmt::format("{}:tag-{}", known, number("tag", rest));
  }
  return numbered("image", image, "-");
}

std::string Redactor::path(const std::string& path) {
  if (is_one_of(kPaths, path) || path.starts_with("/sys/") || is_plain_device(path)) return path;
  return numbered("/path", path, "-");
}

std::string Redactor::cgroup(std::string_view path) {
  if (keeps_) return std::string(path);
  std::string out;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view level = path.substr(0, std::min(path.find('/'), path.size()));
    path.remove_prefix(level.size());
    out += '/';
    if (const auto split = split_id(level)) {
      constexpr std::array<std::string_view, 8> kAround = {
          "",      "docker-",  "libpod-", "libpod-payload-", "cri-containerd-",
          "crio-", "nerdctl-", ".scope"};
      const auto around = [&](std::string_view text) {
        return is_one_of(kAround, text) ? std::string(text) : name("group", std::string(text));
      };
      out += around(split->before);
      out += container_id(std::string(split->id));
      out += around(split->after);
    } else if (level.empty() || is_plain_level(level)) {
      out += level;
    } else {
      out += name("group", std::string(level));
    }
  }
  return out;
}

std::string Redactor::sentence(const std::string& text) {
  if (keeps_) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" ,:;()'\"", at), text.size());
    const std::string word = text.substr(at, end - at);
    // A path may have blanks in it, so nobody knows where it ends.
    if (word.find('/') != word.npos) return out + path(text.substr(at));
    const bool is_device = word.starts_with("GPU-") || word.starts_with("MIG-");
    out += is_device ? uuid(word) : word;
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return out;
}

void Redactor::apply(gpu::GpuRecording& recording) {
  if (keeps_) return;
  for (gpu::RecordedReading& reading : recording.readings) {
    reading.driver.reason = sentence(reading.driver.reason);
    reading.driver.remedy = sentence(reading.driver.remedy);
    for (Gpu& gpu : reading.gpus) {
      gpu.identity.id.uuid = uuid(gpu.identity.id.uuid);
      gpu.identity.id.instance = uuid(gpu.identity.id.instance);
      gpu.identity.serial.clear();
      if (!gpu.sample.processes) continue;
      std::vector<GpuProcess> processes = *gpu.sample.processes;
      for (GpuProcess& process : processes) process.name = program(process.name);
      gpu.sample.processes = std::move(processes);
    }
  }
}

void Redactor::apply(HostSample& sample) {
  if (keeps_) return;
  for (Disk& disk : sample.disks) disk.path = path(disk.path);
  for (SwapArea& swap : sample.swaps) swap.path = path(swap.path);
  for (auto* list : {&sample.top_cpu, &sample.top_memory}) {
    for (ProcessUse& process : *list) process.name = program(process.name);
  }
}

void Redactor::apply(Container& container) {
  if (keeps_) return;
  container.id = container_id(container.id);
  container.name = name("container", container.name);
  container.image = image(container.image);
  container.project = name("project", container.project);
  container.service = name("service", container.service);
  container.model = name("model", container.model);
}

void Redactor::apply(XidReport& report) {
  if (keeps_) return;
  report.process = program(report.process);
  report.container.clear();
  report.victim.clear();
}

}  // namespace estiva::observe
