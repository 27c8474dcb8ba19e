// What a machine is like where GPUs are to reach containers: everything that doctor's rules look
// at, gathered once (observe/readiness) and judged by pure functions (decide/readiness). Unknown is
// not zero: a Reading says why it is missing, and a rule that needs it then says nothing.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

#include "base/clock.h"
#include "model/cdi.h"
#include "model/container.h"
#include "model/driver_files.h"
#include "model/gpu.h"
#include "model/reading.h"

namespace estiva {

// One line of a file, for evidence.
struct SourceLine {
  std::string path;
  unsigned line = 0;  // from 1; 0: the whole file
  std::string text;
  friend bool operator==(const SourceLine&, const SourceLine&) = default;
};

// A text file that is there, may not be read, or is absent (not_supported).
struct TextFile {
  std::string path;
  Reading<std::string> text = Missing::not_supported;
  std::int64_t modified_at = 0;  // seconds of the Unix epoch
  bool exists() const { return text.known() || text.why() == Missing::not_permitted; }
};

struct PciFact {
  std::string bus_id;                              // "0000:01:00.0"
  unsigned vendor = 0, device = 0, pci_class = 0;  // 0x10de, ..., 0x030200
  std::string driver;                   // bound: "nvidia", "nouveau", "vfio-pci"; empty: none
  bool answers = true;                  // false: its configuration space reads 0xff
  Reading<bool> boot_vga;               // drives the firmware's display
  std::string power_control;            // "auto", "on"
  std::string power_state;              // runtime_status: "active", "suspended"
  std::vector<std::string> connectors;  // of its DRM card, that have a screen: "eDP-1"
};

// A folder of /lib/modules.
struct KernelFact {
  std::string release;
  bool is_running = false;
  bool has_nvidia = false;  // modules.dep lists nvidia.ko
  bool has_nvidia_uvm = false;
  Reading<std::string> nvidia_version;  // of the file on the disk
  Reading<bool> is_signed;              // the file ends with a signature
  // It can be booted: /boot/vmlinuz-RELEASE or /lib/modules/RELEASE/vmlinuz is there. A folder that
  // was left behind by a removed kernel can't.
  Reading<bool> is_bootable;
};

struct ModuleFact {
  std::string name;
  unsigned users = 0;  // reference count
};

// The kernel, its modules and what it said.
struct KernelFacts {
  std::vector<PciFact> pci;         // NVIDIA's display and bridge devices, and other displays
  std::vector<KernelFact> kernels;  // by release, the newest last
  std::vector<ModuleFact> modules;  // loaded: nvidia*, nouveau, vfio_pci
  std::string module_version;       // /proc/driver/nvidia/version; empty: not loaded
  bool is_open_module = false;
  std::map<std::string, std::string> nvidia_params;  // /proc/driver/nvidia/params
  std::vector<SourceLine> modprobe_lines;  // options and blacklists of NVIDIA's modules and nouveau
  std::vector<SourceLine> load_lines;      // modules-load.d lines of NVIDIA's modules
  std::string command_line;
  Reading<bool> secure_boot;
  std::map<std::string, unsigned> majors;  // /proc/devices, character
  Reading<std::vector<std::string>> log;   // kernel log, oldest first, the last 5,000 lines
  Reading<unsigned> overcommit_memory;
  Reading<std::string> selinux;  // "enforcing", "permissive", "disabled"
  // /sys/fs/selinux/booleans/container_use_devices or container_use_xserver_devices: either is
  // enough for /dev/nvidia*.
  Reading<bool> container_use_devices;
  // The narrower of the two that this policy has, by name; empty: neither.
  std::string device_boolean;
  bool in_container = false, in_wsl = false;
  // Where in_container: "lxc", "docker", "podman" and so on, from /run/systemd/container,
  // /.dockerenv, /run/.containerenv or "container=" of process 1; empty: not known.
  std::string container_manager;
  bool is_tegra = false;      // /etc/nv_tegra_release, or "tegra" in /proc/device-tree/compatible
  std::string root_fs;        // type of "/" in /proc/self/mountinfo: "ext4", "rootfs"
  bool has_dxg = false;       // /dev/dxg
  std::string cgroup_layout;  // host::detect_cgroup_layout
  Reading<bool> slept_since_module;  // the machine was suspended after the module was loaded
};

// A process that has device nodes open.
struct DeviceUser {
  pid_t pid = 0;
  std::string name;
  std::vector<std::string> devices;  // "/dev/nvidia0", "/dev/dri/card1"; sorted, each once
  friend bool operator==(const DeviceUser&, const DeviceUser&) = default;
};

struct DeviceUsers {
  std::vector<DeviceUser> users;  // by pid
  unsigned hidden = 0;            // processes whose open files this user may not see
  friend bool operator==(const DeviceUsers&, const DeviceUsers&) = default;
};

// The driver in user space.
struct DriverFacts {
  DriverFiles files;
  std::vector<DeviceNode>
      odd_nodes;  // of /dev/nvidia*: also those that no file of the tree explains
  std::vector<std::string> missing_nodes;  // that CUDA needs and that are not there
  std::vector<std::string> char_links;     // /dev/char/195:* that exist
  DriverStatus status;                     // as NVML says, or why it was not asked
  std::vector<Gpu> gpus;                   // as NVML says
  Reading<int> cuda_init;                  // what cuInit answered, in a child process
  Reading<unsigned>
      compute_mode;  // of any GPU: 0 default, 1 exclusive thread, 2 prohibited, 3 exclusive
  bool persistence_running = false;
  DeviceUsers users;  // who has a node of a GPU open (host/device_users)
  bool has_nvswitch = false;
  Reading<std::string> fabric_manager_version;  // of its package or program
  bool fabric_manager_running = false;
  bool mps_folder = false, mps_running = false;  // /tmp/nvidia-mps; its control daemon
  std::map<std::string, std::string> packages;   // dpkg/rpm/pacman: NVIDIA's -> version
  std::vector<std::string> held_packages;        // that no upgrade, or no automatic one, touches
  bool upgrades_itself = false;                  // unattended-upgrades, dnf-automatic
};

struct UnitFact {
  std::string name;                   // "docker.service"
  std::string path;                   // of its main file
  std::string text;                   // the file and its drop-ins, one after the other
  std::vector<std::string> drop_ins;  // paths
  bool is_enabled = false;
  bool is_masked = false;  // a link to /dev/null, or an empty file
  Reading<bool> is_active;
};

// A program on the host.
struct ProgramFact {
  std::string path;             // resolved
  std::int64_t changed_at = 0;  // ctime, seconds
  std::string version;          // empty: not asked or not said
};

// What a path that a CDI spec or daemon.json names is on the host.
struct HostPath {
  bool exists = false, is_executable = false, is_device = false, is_socket = false;
  unsigned major = 0, minor = 0;
  mode_t mode = 0;  // permission bits
  uid_t uid = 0;
  gid_t gid = 0;
};

enum class EngineKind : std::uint8_t { none, docker, podman, docker_desktop, docker_snap };

struct EngineFacts {
  EngineKind kind = EngineKind::none;
  EngineState state = EngineState::absent;  // ready: it answered
  bool is_rootless = false;
  bool cli_is_podman = false;  // "docker" is Podman in Docker's clothes
  std::string version;         // "28.5.2"
  std::string api_error;       // why it could not be asked; empty: it answered
  std::string info;            // the /info document as it was
  std::string cgroup_driver;   // "systemd", "cgroupfs"
  std::vector<std::string> runtimes;
  std::string default_runtime;
  std::vector<std::string> cdi_dirs;    // that it reads; empty: CDI is off, or not known
  bool cdi_known = false;               // the engine said whether CDI is on
  std::vector<std::string> discovered;  // CDI devices that it lists
  std::vector<std::string> warnings;
  Reading<std::int64_t> started_at;    // dockerd, seconds of the Unix epoch
  std::vector<std::string> arguments;  // of dockerd's process
  std::string search_path;             // PATH of dockerd's process
  TextFile daemon_json;
  // daemon.json before it was last changed: estiva's copy of it from before its set-up, else a
  // backup beside the file (daemon.json.bak, daemon.json~); not_read where there is none.
  TextFile daemon_json_before;
  // Each "path" of a runtime in daemon.json, as it is written there: what it is on the host, looked
  // up on search_path where it has no slash. A path that is not in the map was not looked for.
  std::map<std::string, HostPath> runtime_paths;
  Reading<std::string> compose_version;
};

// NVIDIA's container toolkit.
struct ToolkitFacts {
  std::map<std::string, ProgramFact> programs;  // by name: nvidia-ctk, nvidia-cdi-hook, ...
  TextFile config;                              // /etc/nvidia-container-runtime/config.toml
  // The program that config.toml's "ldconfig" names with an '@', on the host, is there.
  Reading<bool> ldconfig_exists;
  // The host's own, as NVIDIA's toolkit picks it: Ubuntu's ldconfig is a script, and its program is
  // /sbin/ldconfig.real. Empty: there is none.
  std::string ldconfig;
};

struct CdiFacts {
  std::vector<std::string> dirs;  // that were looked into, by rising priority
  std::vector<CdiFile> files;     // in them, and in the usual ones that the engine does not read
  // Each host path and hook that a valid file names, and each of the files.
  std::map<std::string, HostPath> hosts;
  // Paths of specs that the engine's user may not read: by mode and owner of the file and of the
  // folders above it (a rootless engine, or Podman run by a user).
  std::vector<std::string> unreadable;
};

struct DeviceRequest {
  std::string driver;  // "cdi", "nvidia", ""
  std::int64_t count = 0;
  std::vector<std::string> ids;
  std::vector<std::string> capabilities;
};

struct ContainerFact {
  std::string id, name, image, image_id, project, service, runtime, restart_policy, state;
  std::vector<std::string> compose_files;
  // How Compose made it: the project's folder, the env files named on its command line, its hash of
  // the service as the files described it, and whether it was 'run' and not 'up'.
  std::string compose_dir;
  std::vector<std::string> compose_env_files;
  std::string compose_hash;
  bool is_one_off = false;
  pid_t pid = 0;  // of its first process; 0: it does not run
  std::vector<std::string>
      gone_mounts;  // files on the host that are mounted in it and were removed
  std::vector<std::string> environment;  // only names that concern a GPU: NVIDIA_*, CUDA_*, __NV_*
  std::vector<DeviceRequest> requests;
  std::vector<std::string> device_paths;        // HostConfig.Devices
  std::int64_t created_at = 0, started_at = 0;  // seconds of the Unix epoch; 0: never
  int exit_code = 0;
  std::string error;  // State.Error
  std::uint64_t shm_bytes = 0;
  bool env_file_is_newer = false;  // an env file of it was changed after it was made
  std::vector<std::string> log;    // the lines that the catalogue knows, and "inference compute"
};

struct ImageFact {
  std::string id, name;
  std::vector<std::string> environment;  // NVIDIA_*, CUDA_*, NV_CUDA_COMPAT_PACKAGE
  std::string cuda_version;              // "12.4.1"; empty: not said
};

// A Compose file that a container came from, or that was named.
struct ComposeFact {
  std::string path, project;
  Reading<std::string> text;
};

struct HostRelease {
  std::string id, version, like;  // os-release: "debian", "12", ""
  std::string machine;            // "x86_64"
};

struct ReadinessFacts {
  HostRelease release;
  KernelFacts kernel;
  DriverFacts driver;
  std::vector<UnitFact> units;  // docker, containerd, nvidia-*, estiva-*, and what they name
  EngineFacts engine;
  ToolkitFacts toolkit;
  CdiFacts cdi;
  std::vector<ContainerFact> containers;
  std::vector<ImageFact> images;
  std::vector<ComposeFact> compose;
  std::int64_t now = 0;               // seconds of the Unix epoch
  std::vector<std::string> not_seen;  // sentences: what could not be looked at, and why
};

}  // namespace estiva
