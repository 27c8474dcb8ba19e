#include "observe/record_tree.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <unistd.h>

#include "base/messages/observe.h"
#include "format/cgroup.h"
#include "format/json_key.h"
#include "format/mounts.h"
#include "format/proc.h"
#include "observe/allow_list.h"

namespace estiva::observe {
namespace {

constexpr std::size_t kLargest = 1 << 20;
constexpr int kMostGenerations = 64;

using Filter = std::string (*)(const std::string& text, Redactor& redactor);

template <class Each>
std::string by_line(const std::string& text, Each each) {
  std::string out;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    out += each(text.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

std::string whole(const std::string& text, Redactor&) {
  return text;
}

std::string machine_id(const std::string& text, Redactor& redactor) {
  return redactor.keeps_names() ? text : "00000000000000000000000000000001\n";
}

std::string boot_id(const std::string& text, Redactor& redactor) {
  return redactor.keeps_names() ? text : "00000000-0000-4000-8000-000000000001\n";
}

std::string host_name(const std::string& text, Redactor& redactor) {
  return redactor.keeps_names() ? text : "recorded\n";
}

std::string docker_settings(const std::string& text, Redactor& redactor) {
  const auto folder = format::top_level_string(text, "data-root");
  return folder ? fmt::format("{{\"data-root\":\"{}\"}}\n", redactor.path(*folder)) : "{}\n";
}

std::string release(const std::string& text, Redactor& redactor) {
  constexpr std::array<std::string_view, 18> kSystems = {
      "debian",    "ubuntu", "fedora",   "rhel",  "centos", "rocky",
      "almalinux", "arch",   "manjaro",  "nixos", "gentoo", "opensuse",
      "linuxmint", "pop",    "raspbian", "amzn",  "ol",     "alpine"};
  if (redactor.keeps_names()) return text;
  return by_line(text, [&](const std::string& line) {
    const std::size_t equals = line.find('=');
    std::string_view value(line);
    value.remove_prefix(equals == line.npos ? line.size() : equals + 1);
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    const bool is_number = !value.empty() && value.find_first_not_of("0123456789.") == value.npos;
    const bool is_kept = (line.starts_with("ID=") && is_one_of(kSystems, value)) ||
                         (line.starts_with("VERSION_ID=") && is_number);
    return is_kept ? line + "\n" : std::string();
  });
}

// "6.1.0-18-amd64": numbers, and flavours that distributions build. Whoever builds a kernel may
// call it after anything.
std::string kernel_release(const std::string& text, Redactor& redactor) {
  constexpr std::array<std::string_view, 18> kFlavours = {
      "amd64", "arm64", "generic", "cloud", "lowlatency", "azure",   "aws",     "gcp", "oracle",
      "tegra", "arch1", "arch2",   "pve",   "x86_64",     "aarch64", "default", "lts", "zen1"};
  if (redactor.keeps_names()) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of("-.\n", at), text.size());
    const std::string piece = text.substr(at, end - at);
    const bool is_number = piece.find_first_not_of("0123456789") == piece.npos;
    out += is_number || is_one_of(kFlavours, piece) ? piece : redactor.name("flavour", piece);
    if (end < text.size()) out += text[end];
    at = end + 1;
  }
  return out;
}

constexpr std::array<std::string_view, 10> kGpuModules = {
    "nvidia",  "nvidia_uvm", "nvidia_modeset", "nvidia_drm", "nvidia_peermem",
    "nouveau", "amdgpu",     "i915",           "xe",         "nvidia_vgpu_vfio"};

// Of "nvidia_uvm,nvidia_modeset," those that are on the list; "-" where none is.
std::string gpu_users(const std::string& users) {
  std::string kept;
  for (std::size_t from = 0; from < users.size();) {
    const std::size_t comma = std::min(users.find(',', from), users.size());
    const std::string user = users.substr(from, comma - from);
    if (is_one_of(kGpuModules, user)) kept += user + ",";
    from = comma + 1;
  }
  return kept.empty() ? "-" : kept;
}

// "nvidia 54000 4 nvidia_uvm,nvidia_modeset, Live 0x0 (POE)": who uses it is filtered, too.
std::string gpu_modules(const std::string& text, Redactor& redactor) {
  return by_line(text, [&](const std::string& line) {
    std::array<std::string, 4> words;
    std::size_t at = 0;
    for (std::string& word : words) {
      const std::size_t end = std::min(line.find(' ', at), line.size());
      word = line.substr(at, end - at);
      at = std::min(end + 1, line.size());
    }
    if (!is_one_of(kGpuModules, words[0])) return std::string();
    if (redactor.keeps_names()) return line + "\n";
    return fmt::format("{} {} {} {} {}\n", words[0], words[1], words[2], gpu_users(words[3]),
                       line.substr(at));
  });
}

// "195 nvidia": numbers that the drivers of GPUs have.
std::string gpu_devices(const std::string& text, Redactor& redactor) {
  constexpr std::array<std::string_view, 9> kDevices = {
      "nvidia",      "nvidia-uvm",    "nvidia-modeset",  "nvidia-frontend",
      "nvidia-caps", "nvidia-nvlink", "nvidia-nvswitch", "nvidia-caps-imex-channels",
      "drm"};
  if (redactor.keeps_names()) return text;
  return by_line(text, [&](const std::string& line) {
    const std::size_t name = line.rfind(' ') == line.npos ? 0 : line.rfind(' ') + 1;
    return is_one_of(kDevices, std::string_view(line).substr(name)) ? line + "\n" : std::string();
  });
}

// Whoever built an open module is in its line: "(bob@host)".
std::string driver_version(const std::string& text, Redactor& redactor) {
  if (redactor.keeps_names()) return text;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t close = text[at] == '(' ? text.find(')', at) : text.npos;
    const bool is_builder =
        close != text.npos && text.substr(at, close - at).find('@') != std::string::npos;
    if (is_builder) {
      out += "(builder)";
      at = close + 1;
    } else {
      out += text[at++];
    }
  }
  return out;
}

std::string gpu_information(const std::string& text, Redactor& redactor) {
  return by_line(text, [&](const std::string& line) {
    constexpr std::string_view kUuid = "GPU UUID:";
    if (!line.starts_with(kUuid)) return line + "\n";
    const std::size_t at = line.find_first_not_of(" \t", kUuid.size());
    if (at == line.npos) return line + "\n";
    return line.substr(0, at) + redactor.uuid(line.substr(at)) + "\n";
  });
}

// Fields after the first of several are kept, but for those that name: options of a mount hold
// users, servers and folders.
std::string filesystem(const std::string& type, Redactor& redactor) {
  constexpr std::array<std::string_view, 38> kTypes = {
      "ext2",       "ext3",       "ext4",        "xfs",     "btrfs",     "zfs",      "f2fs",
      "vfat",       "exfat",      "ntfs3",       "iso9660", "squashfs",  "erofs",    "overlay",
      "tmpfs",      "devtmpfs",   "devpts",      "proc",    "sysfs",     "cgroup",   "cgroup2",
      "nfs",        "nfs4",       "cifs",        "smb3",    "9p",        "virtiofs", "fuse",
      "fuseblk",    "fuse.sshfs", "fuse.rclone", "mqueue",  "hugetlbfs", "debugfs",  "tracefs",
      "securityfs", "pstore",     "bpf"};
  return is_one_of(kTypes, type) ? type : redactor.name("filesystem", type);
}

std::string mounts(const std::string& text, Redactor& redactor) {
  if (redactor.keeps_names()) return text;
  std::string out;
  for (const format::Mount& mount : format::parse_mountinfo(text)) {
    const bool is_network = format::is_network_filesystem(mount.filesystem);
    const bool is_device = mount.source.starts_with("/dev/");
    const std::string source = is_network  ? "server:/export"
                               : is_device ? redactor.path(mount.source)
                                           : filesystem(mount.filesystem, redactor);
    out += fmt::format("{} {} 0:{} {} {} rw - {} {} rw\n", mount.id, mount.parent, mount.id,
                       redactor.path(mount.root), redactor.path(mount.point),
                       filesystem(mount.filesystem, redactor), source);
  }
  return out;
}

std::string swaps(const std::string& text, Redactor& redactor) {
  if (redactor.keeps_names()) return text;
  bool is_first = true;
  return by_line(text, [&](const std::string& line) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    if (std::exchange(is_first, false)) return line + "\n";
    return redactor.path(line.substr(0, end)) + line.substr(end) + "\n";
  });
}

// "4242 (name) S 1 ...": the name in its brackets, which may hold brackets itself.
std::string process_stat(const std::string& text, Redactor& redactor) {
  const std::size_t open = text.find('('), close = text.rfind(')');
  if (open == text.npos || close == text.npos || close < open) return {};
  return text.substr(0, open + 1) + redactor.program(text.substr(open + 1, close - open - 1)) +
         text.substr(close);
}

std::string program_name(const std::string& text, Redactor& redactor) {
  return redactor.program(text.substr(0, text.find('\n'))) + "\n";
}

std::string groups(const std::string& text, Redactor& redactor) {
  std::string out;
  for (const auto& line : format::parse_cgroup_memberships(text)) {
    out += fmt::format("{}:{}:{}\n", line.hierarchy, line.controllers, redactor.cgroup(line.path));
  }
  return out;
}

struct Entry {
  std::string_view path;
  Filter filter;
  std::string_view note;  // for a person; empty: it is kept as it is
};

constexpr std::array<Entry, 20> kFiles = {{
    {"/proc/stat", whole, {}},
    {"/proc/meminfo", whole, {}},
    {"/proc/loadavg", whole, {}},
    {"/proc/pressure/cpu", whole, {}},
    {"/proc/pressure/memory", whole, {}},
    {"/proc/pressure/io", whole, {}},
    {"/proc/swaps", swaps, msg::kRecordPaths},
    {"/proc/self/mountinfo", mounts, msg::kRecordMounts},
    {"/proc/modules", gpu_modules, msg::kRecordModules},
    {"/proc/devices", gpu_devices, msg::kRecordModules},
    {"/proc/driver/nvidia/version", driver_version, msg::kRecordBuilder},
    {"/proc/sys/kernel/osrelease", kernel_release, msg::kRecordRelease},
    {"/proc/sys/kernel/hostname", host_name, msg::kRecordReplaced},
    {"/proc/sys/kernel/random/boot_id", boot_id, msg::kRecordReplaced},
    {"/etc/machine-id", machine_id, msg::kRecordReplaced},
    {"/etc/os-release", release, msg::kRecordRelease},
    {"/etc/docker/daemon.json", docker_settings, msg::kRecordDataRoot},
    {"/sys/module/nvidia/version", whole, {}},
    {"/sys/fs/cgroup/cgroup.controllers", whole, {}},
    {"/sys/fs/cgroup/unified/cgroup.controllers", whole, {}},
}};

constexpr std::array<Entry, 3> kOfProcess = {{
    {"stat", process_stat, msg::kRecordProgram},
    {"comm", program_name, msg::kRecordProgram},
    {"cgroup", groups, msg::kRecordGroups},
}};

constexpr std::array<std::string_view, 13> kOfDevice = {"vendor",
                                                        "device",
                                                        "class",
                                                        "revision",
                                                        "numa_node",
                                                        "current_link_speed",
                                                        "current_link_width",
                                                        "max_link_speed",
                                                        "max_link_width",
                                                        "subsystem_vendor",
                                                        "subsystem_device",
                                                        "power/runtime_status",
                                                        "power/control"};

constexpr const char* kPciDevices = "/sys/bus/pci/devices";
constexpr const char* kDriverGpus = "/proc/driver/nvidia/gpus";

class TreeRecorder {
 public:
  TreeRecorder(const host::Root& root, const std::string& dir, Redactor& redactor,
               std::vector<std::string>& left_out)
      : root_(root), dir_(dir), redactor_(redactor), left_out_(left_out) {}

  Result<void> copy(const std::string& path, Filter filter) {
    const int fd = root_.open_at(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd == -ENOENT || fd == -ENOTDIR) return {};
    const auto text =
        fd < 0 ? fail_errno("open", -fd) : host::read_open_file(UniqueFd(fd), path, kLargest);
    if (!text) {
      left_out_.push_back(fmt::format("{}: {}", path, text.error().what));
      return {};
    }
    const std::string kept = filter(*text, redactor_);
    const std::string to = dir_ + path;
    if (auto ok = host::ensure_dir(to.substr(0, to.rfind('/')), 0755); !ok) return ok;
    if (auto ok = host::write_file_atomic(to, kept); !ok) return ok;
    files_.push_back({path.substr(1), kept.size()});
    return {};
  }

  std::vector<std::string> names_in(const char* path) const {
    std::vector<std::string> names;
    const int fd = root_.open_at(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return names;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(fd), ::closedir);
    while (const dirent* entry = dir ? ::readdir(dir.get()) : nullptr) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  bool is_nvidia(const std::string& device) const {
    const auto vendor = host::read_file(root_, device + "/vendor", 64);
    return vendor && vendor->starts_with("0x10de");
  }

  std::set<pid_t> with_ancestors(const std::set<pid_t>& pids) const {
    std::set<pid_t> all = {1};
    for (pid_t pid : pids) {
      for (int i = 0; i < kMostGenerations && pid > 1 && all.insert(pid).second; ++i) {
        const auto text = host::read_file(root_, fmt::format("/proc/{}/stat", pid), 4096);
        const auto stat = text ? format::parse_pid_stat(*text) : std::nullopt;
        if (!stat) break;
        pid = stat->parent;
      }
    }
    return all;
  }

  std::vector<RecordedFile> take_files() { return std::move(files_); }

 private:
  const host::Root& root_;
  const std::string& dir_;
  Redactor& redactor_;
  std::vector<std::string>& left_out_;
  std::vector<RecordedFile> files_;
};

}  // namespace

std::vector<std::string> tree_contents(bool names_kept) {
  std::vector<std::string> lines;
  const auto add = [&](const std::string& path, std::string_view note) {
    lines.push_back(note.empty() || names_kept ? path : fmt::format("{} ({})", path, note));
  };
  for (const Entry& entry : kFiles) add(std::string(entry.path), entry.note);
  add(fmt::format("{}/*/information", kDriverGpus), msg::kRecordReplaced);
  for (const std::string_view name : kOfDevice) add(fmt::format("{}/*/{}", kPciDevices, name), {});
  for (const Entry& entry : kOfProcess) add(fmt::format("/proc/PID/{}", entry.path), entry.note);
  return lines;
}

Result<std::vector<RecordedFile>> record_tree(const host::Root& root, const std::string& dir,
                                              const std::set<pid_t>& pids, Redactor& redactor,
                                              std::vector<std::string>& left_out) {
  TreeRecorder recorder(root, dir, redactor, left_out);
  std::vector<std::pair<std::string, Filter>> wanted;
  for (const Entry& entry : kFiles) wanted.emplace_back(entry.path, entry.filter);
  for (const std::string& gpu : recorder.names_in(kDriverGpus)) {
    wanted.emplace_back(fmt::format("{}/{}/information", kDriverGpus, gpu), gpu_information);
  }
  for (const std::string& name : recorder.names_in(kPciDevices)) {
    const std::string device = fmt::format("{}/{}", kPciDevices, name);
    if (!recorder.is_nvidia(device)) continue;
    for (const std::string_view file : kOfDevice) {
      wanted.emplace_back(fmt::format("{}/{}", device, file), whole);
    }
  }
  for (const pid_t pid : recorder.with_ancestors(pids)) {
    for (const Entry& entry : kOfProcess) {
      wanted.emplace_back(fmt::format("/proc/{}/{}", pid, entry.path), entry.filter);
    }
  }
  for (const auto& [path, filter] : wanted) {
    if (auto ok = recorder.copy(path, filter); !ok) return Failure(ok.error());
  }
  return recorder.take_files();
}

}  // namespace estiva::observe
