#include "observe/readiness/system.h"

#include <sys/utsname.h>

#include "format/mounts.h"
#include "format/text.h"
#include "host/machine.h"

namespace estiva::observe {
namespace {

// Four bytes of attributes, then one of value (the kernel's Documentation/filesystems/efivarfs).
constexpr const char* kSecureBoot =
    "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";

std::string_view without_quotes(std::string_view value) {
  const bool is_quoted = value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
                         value.back() == value.front();
  return is_quoted ? value.substr(1, value.size() - 2) : value;
}

Reading<bool> read_secure_boot(const Tree& tree) {
  const auto value = tree.text(kSecureBoot, 64);
  if (value) return value->size() == 5 ? Reading<bool>(value->back() == 1) : Missing::failed;
  // Without the variable a machine with EFI has it off; one without EFI can't have it.
  if (value.why() == Missing::not_supported && tree.exists("/sys/firmware/efi/efivars")) {
    return false;
  }
  return value.why();
}

Reading<unsigned> read_number(const Tree& tree, const std::string& path) {
  const auto text = tree.text(path, 64);
  if (!text) return text.why();
  const auto number = format::parse_u64(format::trim(*text));
  if (!number) return Missing::failed;
  return static_cast<unsigned>(*number);
}

Reading<std::string> read_selinux(const Tree& tree) {
  const auto enforce = read_number(tree, "/sys/fs/selinux/enforce");
  if (enforce) return std::string(*enforce == 1 ? "enforcing" : "permissive");
  if (enforce.why() == Missing::not_supported) return std::string("disabled");
  return enforce.why();
}

// "1 1": its value, and the one it gets at the next commit.
Reading<bool> read_boolean(const Tree& tree, const std::string& name) {
  const auto text = tree.text("/sys/fs/selinux/booleans/" + name, 64);
  if (!text) return text.why();
  return text->starts_with('1');
}

// Either is enough for /dev/nvidia*.
Reading<bool> may_use_devices(const Tree& tree) {
  const auto devices = read_boolean(tree, "container_use_devices");
  const auto xserver = read_boolean(tree, "container_use_xserver_devices");
  if (xserver.value_or(false)) return true;
  return devices ? devices : xserver.known() ? xserver : devices;
}

// The X server's devices are what /dev/nvidia* is labelled as; the other one opens all.
std::string device_boolean(const Tree& tree) {
  for (const char* name : {"container_use_xserver_devices", "container_use_devices"})
    if (read_boolean(tree, name).known()) return name;
  return {};
}

// "lxc", "docker", "podman"; empty: in no container.
std::string container_of(const Tree& tree) {
  if (tree.exists("/.dockerenv")) return "docker";
  if (tree.exists("/run/.containerenv")) return "podman";
  if (std::string name = tree.line("/run/systemd/container"); !name.empty()) return name;
  const std::string environment = std::string(1, '\0') + tree.text("/proc/1/environ").value_or("");
  const std::string mark("\0container=", 11);
  const std::size_t at = environment.find(mark);
  if (at == environment.npos) return {};
  return environment.c_str() + at + mark.size();
}

bool is_tegra(const Tree& tree) {
  return tree.exists("/etc/nv_tegra_release") ||
         tree.text("/proc/device-tree/compatible").value_or("").find("tegra") != std::string::npos;
}

std::string root_file_system(const Tree& tree) {
  const auto mounts =
      format::parse_mountinfo(tree.text("/proc/self/mountinfo", 8 << 20).value_or(""));
  const auto* mount = format::mount_of(mounts, "/");
  return mount == nullptr ? std::string() : mount->filesystem;
}

bool runs_in_wsl(const Tree& tree) {
  const std::string release = tree.line("/proc/sys/kernel/osrelease");
  const std::string version = tree.line("/proc/version");
  return release.find("icrosoft") != release.npos || version.find("icrosoft") != version.npos;
}

}  // namespace

HostRelease parse_release(std::string_view text) {
  HostRelease release;
  for (std::string_view line; format::next_line(text, line);) {
    const std::size_t equals = line.find('=');
    if (equals == line.npos) continue;
    const std::string_view name = line.substr(0, equals);
    const std::string value(without_quotes(format::trim(line.substr(equals + 1))));
    if (name == "ID") release.id = value;
    if (name == "VERSION_ID") release.version = value;
    if (name == "ID_LIKE") release.like = value;
  }
  return release;
}

HostRelease read_release(const Tree& tree) {
  auto text = tree.text("/etc/os-release");
  if (!text) text = tree.text("/usr/lib/os-release");
  HostRelease release = parse_release(text.value_or(""));
  release.machine = tree.line("/proc/sys/kernel/arch");  // since Linux 6.1
  utsname name{};
  if (release.machine.empty() && tree.is_real() && ::uname(&name) == 0) {
    release.machine = name.machine;
  }
  return release;
}

void read_system(const Tree& tree, KernelFacts& kernel) {
  kernel.command_line = tree.line("/proc/cmdline");
  kernel.secure_boot = read_secure_boot(tree);
  kernel.overcommit_memory = read_number(tree, "/proc/sys/vm/overcommit_memory");
  kernel.selinux = read_selinux(tree);
  kernel.container_use_devices = may_use_devices(tree);
  kernel.device_boolean = device_boolean(tree);
  kernel.container_manager = container_of(tree);
  kernel.in_container = !kernel.container_manager.empty();
  kernel.is_tegra = is_tegra(tree);
  kernel.root_fs = root_file_system(tree);
  kernel.in_wsl = runs_in_wsl(tree);
  kernel.has_dxg = tree.exists("/dev/dxg");
  kernel.cgroup_layout = host::detect_cgroup_layout(tree.root());
}

}  // namespace estiva::observe
