#include "unit/decide/log_mutator.h"

#include <array>
#include <fmt/format.h>

namespace estiva::decide {
namespace {

std::string quoted_for_logfmt(std::string_view text) {
  std::string out = "level=error msg=\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string in_json(std::string_view text) {
  std::string out = "{\"log\":\"";
  for (const char c : text) {
    if (c == '"') {
      out += "\\\"";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + "\\n\",\"stream\":\"stderr\",\"time\":\"2026-03-04T05:06:07.891011121Z\"}";
}

std::vector<std::string> wrapped(std::string_view line, std::size_t width, bool at_blanks) {
  std::vector<std::string> lines;
  while (line.size() > width) {
    std::size_t cut = width;
    if (at_blanks) {
      const std::size_t blank = line.rfind(' ', width);
      if (blank != std::string_view::npos && blank > 0) cut = blank;
    }
    lines.emplace_back(line.substr(0, cut));
    line.remove_prefix(cut);
    if (at_blanks && !line.empty() && line[0] == ' ') line.remove_prefix(1);
  }
  lines.emplace_back(line);
  return lines;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> lines;
  std::size_t at = 0;
  while (at <= text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace

std::string LogMutator::version() {
  constexpr std::array<unsigned, 7> kBranches = {470, 535, 550, 570, 580, 590, 610};
  const unsigned branch = kBranches.at(pick(kBranches.size()));
  if (pick(3) == 0) return fmt::format("{}.{}", branch, 40 + pick(200));
  return fmt::format("{}.{}.{:02}", branch, 10 + pick(240), pick(20));
}

std::string LogMutator::hex(std::size_t digits) {
  std::string text;
  while (text.size() < digits) text += "0123456789abcdef"[pick(16)];
  return text;
}

std::string LogMutator::uuid() {
  return fmt::format("GPU-{}-{}-{}-{}-{}", hex(8), hex(4), hex(4), hex(4), hex(12));
}

std::string LogMutator::fill(std::string_view text) {
  constexpr std::array<std::string_view, 6> kFolders = {"/usr/lib/x86_64-linux-gnu",
                                                        "/usr/lib64",
                                                        "/usr/lib",
                                                        "/usr/lib/aarch64-linux-gnu",
                                                        "/run/opengl-driver/lib",
                                                        "/usr/lib/x86_64-linux-gnu/nvidia"};
  const std::string_view folder = kFolders.at(pick(kFolders.size()));
  const std::string one = version();
  std::string filled;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_place = i + 2 < text.size() && text[i] == '{' && text[i + 2] == '}';
    if (!is_place) {
      filled += text[i];
      continue;
    }
    switch (text[i + 1]) {
      case 'V':
        filled += one;
        break;
      case 'W':
        filled += version();
        break;
      case 'U':
        filled += uuid();
        break;
      case 'L':
        filled += folder;
        break;
      case 'N':
        filled += std::to_string(1 + pick(99'999));
        break;
      case 'B':
        filled += fmt::format("0000:{:02x}:00.0", pick(256));
        break;
      default:
        filled += hex(64);
        break;
    }
    i += 2;
  }
  return filled;
}

std::string LogMutator::place(std::string_view name) {
  if (name == "v") return version();
  if (name == "#") return {};
  std::size_t most = 200;
  if (name == "p") {
    const std::string path = fill("/opt/driver_{N}/lib64/so-{V}.x86_64/");
    return pick(4) == 0 ? " " : path.substr(0, pick(static_cast<std::uint32_t>(path.size())));
  }
  if (!name.empty()) most = std::stoul(std::string(name));
  std::string text;
  // Words that no pattern has; a UUID or a path where there is room.
  while (text.size() + 45 < most) text += pick(2) == 0 ? " " + uuid() : fill(" {L}/{V}/");
  while (text.size() + 3 < most) text += fmt::format(" {}q", pick(10));
  return text.substr(0, most);
}

std::string LogMutator::meant_by(std::string_view pattern) {
  std::string text;
  while (!pattern.empty()) {
    const std::size_t open = std::min(pattern.find('{'), pattern.size());
    text += pattern.substr(0, open);
    if (open == pattern.size()) break;
    const std::size_t close = pattern.find('}', open);
    text += place(pattern.substr(open + 1, close - open - 1));
    pattern.remove_prefix(close + 1);
  }
  return text;
}

std::string LogMutator::prefix(Prefix kind) {
  const unsigned h = pick(24), m = pick(60), s = pick(60), pid = 100 + pick(60'000);
  switch (kind) {
    case Prefix::journal:
      return fmt::format("Mar {:02} {:02}:{:02}:{:02} gpu-{} dockerd[{}]: ", 1 + pick(28), h, m, s,
                         pick(9), pid);
    case Prefix::journal_iso:
      return fmt::format("2026-03-04T{:02}:{:02}:{:02}+0100 host.lan ollama[{}]: ", h, m, s, pid);
    case Prefix::syslog:
      return fmt::format("2026-03-04T{:02}:{:02}:{:02}.{:06}+00:00 box kernel: [{:5}.{:06}] ", h, m,
                         s, pick(999'999), pick(99'999), pick(999'999));
    case Prefix::compose:
      return pick(2) == 0 ? "ollama-1  | " : "\x1b[36mstack-vllm-1      |\x1b[0m ";
    case Prefix::docker_time:
      return fmt::format("2026-03-04T{:02}:{:02}:{:02}.{:09}Z ", h, m, s, pick(999'999'999));
    case Prefix::kernel:
      return fmt::format("[{:5}.{:06}] ", pick(99'999), pick(999'999));
    default:
      return {};
  }
}

std::string LogMutator::dress(std::string_view text, Wrap wrap, Prefix kind) {
  std::vector<std::string> lines = split(text);
  if (kind == Prefix::logfmt) lines = {quoted_for_logfmt(text)};
  if (kind == Prefix::json) return in_json(text) + "\n";
  std::string log;
  for (const std::string& line : lines) {
    const std::string whole = prefix(kind) + line;
    if (wrap == Wrap::with_prefix) {
      for (const std::string& part : wrapped(line, 50 + pick(30), pick(2) == 0)) {
        log += prefix(kind) + part + "\n";
      }
    } else if (wrap == Wrap::anywhere) {
      for (const std::string& part : wrapped(whole, 80, false)) log += part + "\n";
    } else if (wrap == Wrap::at_blanks || wrap == Wrap::with_indent) {
      std::string indent;
      for (const std::string& part : wrapped(whole, 60 + pick(60), true)) {
        log += indent + part + "\n";
        if (wrap == Wrap::with_indent) indent = std::string(2 + pick(30), ' ');
      }
    } else {
      log += whole + (pick(4) == 0 ? "\r\n" : "\n");
    }
  }
  return log;
}

std::string LogMutator::healthy(std::size_t count, unsigned kind) {
  std::string log;
  for (std::size_t i = 0; i < count; ++i) log += healthy_line(kind <= 8 ? kind : pick(9)) + "\n";
  return log;
}

std::string LogMutator::healthy_line(unsigned kind) {
  static const std::vector<std::vector<std::string_view>> kLines = {
      {// dockerd, containerd
       "time=\"2026-03-04T05:06:07.123456789Z\" level=info msg=\"Starting up\"",
       "time=\"2026-03-04T05:06:07.123456789Z\" level=info msg=\"Loading containers: start.\"",
       "time=\"2026-03-04T05:06:08.123456789Z\" level=info msg=\"Loading containers: done.\"",
       "time=\"2026-03-04T05:06:08Z\" level=info msg=\"Docker daemon\" commit={N} "
       "containerd-snapshotter=false storage-driver=overlay2 version=28.5.2",
       "time=\"2026-03-04T05:06:08Z\" level=info msg=\"API listen on /run/docker.sock\"",
       "time=\"2026-03-04T05:06:08Z\" level=info msg=\"CDI directory does not exist, skipping: "
       "failed to monitor for changes: no such file or directory\" dir=/etc/cdi",
       "time=\"2026-03-04T05:06:08Z\" level=info msg=\"ignoring event\" container={I} "
       "module=libcontainerd namespace=moby topic=/tasks/delete type=\"*events.TaskDelete\"",
       "time=\"2026-03-04T05:06:09Z\" level=warning msg=\"error locating sandbox id {I}: sandbox "
       "not found\"",
       "time=\"2026-03-04T05:06:09Z\" level=error msg=\"Handler for POST "
       "/v1.47/containers/{I}/kill "
       "returned error: container {I} is not running\"",
       "Error response from daemon: No such container: web",
       "time=\"2026-03-04T05:06:09Z\" level=info msg=\"parsed scheme: unix\" module=grpc"},
      {// ollama on a GPU
       "time=2026-03-04T05:06:07.891+01:00 level=INFO source=routes.go:1238 msg=\"server config\" "
       "env=\"map[CUDA_VISIBLE_DEVICES: GPU_DEVICE_ORDINAL: OLLAMA_DEBUG:false "
       "OLLAMA_LLM_LIBRARY: OLLAMA_NOPRUNE:false]\"",
       "time=2026-03-04T05:06:07.891+01:00 level=INFO source=gpu.go:226 msg=\"looking for "
       "compatible GPUs\"",
       "time=2026-03-04T05:06:08.891+01:00 level=INFO source=types.go:130 msg=\"inference "
       "compute\" "
       "id={U} library=cuda variant=v12 compute=8.6 driver=12.4 name=\"NVIDIA GeForce RTX 3060\" "
       "total=\"11.8 GiB\" available=\"11.6 GiB\"",
       "load_tensors: offloaded 33/33 layers to GPU",
       "load_tensors: offloading 32 repeating layers to GPU",
       "ggml_cuda_init: GGML_CUDA_FORCE_MMQ:    no", "ggml_cuda_init: found 1 CUDA devices:",
       "  Device 0: NVIDIA GeForce RTX 3060, compute capability 8.6, VMM: yes",
       "load_backend: loaded CPU backend from /usr/lib/ollama/libggml-cpu-haswell.so",
       "time=2026-03-04T05:06:07Z level=WARN source=amd_linux.go:61 msg=\"ollama recommends "
       "running "
       "the https://www.amd.com/en/support/linux-drivers\" error=\"amdgpu version file missing: "
       "/sys/module/amdgpu/version stat /sys/module/amdgpu/version: no such file or directory\"",
       "[GIN] 2026/03/04 - 05:06:07 | 200 |     {N}.4µs |       127.0.0.1 | GET      \"/api/tags\"",
       "time=2026-03-04T05:06:07Z level=DEBUG source=gpu.go:99 msg=\"searching for GPU discovery "
       "libraries for NVIDIA\"",
       "time=2026-03-04T05:06:07Z level=DEBUG msg=\"discovered GPU libraries\" "
       "paths=[{L}/libcuda.so.{V}]"},
      {// vllm, pytorch
       "INFO 03-04 05:06:07 [__init__.py:239] Automatically detected platform cuda.",
       "INFO 03-04 05:06:09 [config.py:717] This model supports multiple tasks: {'generate'}.",
       "INFO 03-04 05:06:12 [cuda.py:240] Using Flash Attention backend on V1 engine.",
       "(VllmWorker rank=0 pid={N}) INFO 03-04 05:06:13 [shm_broadcast.py:264] vLLM message queue "
       "communication handle: Handle(local_reader_ranks=[1])",
       "INFO 03-04 05:06:40 [worker.py:267] Memory profiling takes 6.02 seconds",
       "INFO:     127.0.0.1:{N} - \"POST /v1/chat/completions HTTP/1.1\" 200 OK",
       "UserWarning: The given NumPy array is not writable, and PyTorch does not support "
       "non-writable tensors.",
       "CUDA error check passed, 0 errors", "torch.cuda.is_available(): True",
       "NCCL version 2.21.5+cuda12.4"},
      {// postgres
       "2026-03-04 05:06:07.891 UTC [1] LOG:  starting PostgreSQL 16.4 on x86_64-pc-linux-musl",
       "2026-03-04 05:06:07.891 UTC [1] LOG:  listening on IPv4 address \"0.0.0.0\", port 5432",
       "2026-03-04 05:06:08.012 UTC [{N}] LOG:  database system was shut down at 2026-03-04",
       "2026-03-04 05:06:08.044 UTC [1] LOG:  database system is ready to accept connections",
       "2026-03-04 05:07:00.044 UTC [{N}] ERROR:  relation \"workflow\" does not exist at "
       "character 15",
       "2026-03-04 05:07:00.044 UTC [{N}] STATEMENT:  select * from workflow",
       "2026-03-04 05:07:01.044 UTC [{N}] FATAL:  password authentication failed for user \"n8n\"",
       "2026-03-04 05:11:08.145 UTC [27] LOG:  checkpoint complete: wrote {N} buffers (0.3%)"},
      {// n8n, node
       "n8n ready on ::, port 5678", "Initializing n8n process", "Version: 1.82.3",
       "Editor is now accessible via: http://localhost:5678",
       "Error: Request failed with status code 404",
       "    at createError (/usr/lib/node_modules/n8n/node_modules/axios/lib/core/createError.js)",
       "There is a deprecation related to your environment variables. Please take the recommended "
       "actions to update your configuration:",
       "Registered runner \"JS Task Runner\" ({N})", "error_count=0 warning_count=2"},
      {// nginx
       "10.0.0.{N} - - [04/Mar/2026:05:06:07 +0000] \"GET / HTTP/1.1\" 200 615 \"-\" \"curl/8.5\"",
       "10.0.0.7 - - [04/Mar/2026:05:06:07 +0000] \"GET /nvidia.com/gpu=0 HTTP/1.1\" 404 153",
       "2026/03/04 05:06:07 [error] 29#29: *{N} open() \"/usr/share/nginx/html/favicon.ico\" "
       "failed "
       "(2: No such file or directory), client: 10.0.0.2",
       "2026/03/04 05:06:07 [notice] 1#1: start worker process {N}",
       "2026/03/04 05:06:07 [warn] 29#29: *4 an upstream response is buffered to a temporary file",
       "2026/03/04 05:06:07 [error] 29#29: *9 connect() failed (111: Connection refused) while "
       "connecting to upstream"},
      {// kernel with the driver
       "[    8.805842] nvidia: loading out-of-tree module taints kernel.",
       "[    8.805899] nvidia: module verification failed: signature and/or required key missing - "
       "tainting kernel",
       "[    8.905842] nvidia-nvlink: Nvlink Core is being initialized, major device number {N}",
       "[    9.105842] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  {V}  Wed Jul 29 02:45:17 "
       "UTC "
       "2026",
       "[    9.205842] nvidia-modeset: Loading NVIDIA Kernel Mode Setting Driver for UNIX "
       "platforms "
       " {V}",
       "[    9.305842] [drm] [nvidia-drm] [GPU ID 0x00000100] Loading driver",
       "[    9.405842] [drm] Initialized nvidia-drm 0.0.0 20160202 for {B} on minor 1",
       "[   11.105842] nvidia-uvm: Loaded the UVM driver, major device number {N}.",
       "[   12.105842] nvidia {B}: vgaarb: VGA decodes changed: olddecodes=io+mem,decodes=none",
       "[   13.105842] docker0: port 1(veth{N}) entered blocking state",
       "[ 7386.259769] CPU3: Core temperature above threshold, cpu clock throttled (total events = "
       "{N})",
       "[ 7386.300000] vfio_pci: add [8086:1572[ffffffff:ffffffff]] class 0x000000/00000000",
       "[ 7400.300000] audit: type=1400 audit(1700000000.1:{N}): apparmor=\"DENIED\" "
       "operation=\"open\" profile=\"snap.firefox.firefox\""},
      {// systemd and its kin
       "Mar 04 05:06:07 gpu-1 systemd[1]: Starting docker.service - Docker Application Container "
       "Engine...",
       "Mar 04 05:06:09 gpu-1 systemd[1]: Started docker.service - Docker Application Container "
       "Engine.",
       "Mar 04 05:06:09 gpu-1 systemd[1]: Starting nvidia-persistenced.service - NVIDIA "
       "Persistence "
       "Daemon...",
       "Mar 04 05:06:09 gpu-1 nvidia-persistenced[{N}]: Started ({N})",
       "Mar 04 05:06:09 gpu-1 nvidia-ctk[{N}]: time=\"2026-03-04T05:06:09+01:00\" level=info "
       "msg=\"Using driver version {V}\"",
       "Mar 04 05:06:09 gpu-1 nvidia-ctk[{N}]: time=\"2026-03-04T05:06:09+01:00\" level=warning "
       "msg=\"Could not locate nvidia_drv.so: pattern nvidia_drv.so not found\"",
       "Mar 04 05:06:09 gpu-1 nvidia-ctk[{N}]: time=\"2026-03-04T05:06:09+01:00\" level=warning "
       "msg=\"Could not locate libnvidia-egl-gbm.so.*.*: pattern not found\"",
       "Mar 04 05:06:10 gpu-1 systemd[1]: foo.service: Found ordering cycle on bar.service/start",
       "Mar 04 05:06:10 gpu-1 sshd[{N}]: Accepted publickey for ops from 10.0.0.9 port {N} ssh2",
       "| NVIDIA-SMI 550.54.14              Driver Version: 550.54.14      CUDA Version: 12.4     "
       "|",
       "|   0  NVIDIA GeForce RTX 3060        Off |   00000000:01:00.0  On |                  N/A "
       "|",
       "    SW Power Cap                                  : Active",
       "    HW Thermal Slowdown                           : Not Active",
       "GPU 0: Tesla T4 (UUID: {U})", "NVML initialised, driver {V}, CUDA 12.4 driver 550"},
      {// comfyui
       "Total VRAM 12044 MB, total RAM 64211 MB", "pytorch version: 2.6.0+cu124",
       "Set vram state to: NORMAL_VRAM", "Device: cuda:0 NVIDIA GeForce RTX 3060 : cudaMallocAsync",
       "got prompt", "100%|##########| 20/20 [00:03<00:00,  5.93it/s]",
       "Prompt executed in {N}.31 seconds", "FETCH ComfyRegistry Data: 5/83",
       "Traceback (most recent call last):", "ModuleNotFoundError: No module named 'insightface'",
       "Using pytorch attention in VAE"},
  };
  const auto& lines = kLines.at(kind);
  return fill(lines.at(pick(static_cast<std::uint32_t>(lines.size()))));
}

}  // namespace estiva::decide
