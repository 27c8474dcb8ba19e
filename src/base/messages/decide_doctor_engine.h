// Doctor's signatures of the container engine and NVIDIA's toolkit, K1 to K21 and K28 to K32: the
// words of each row, then the titles for one machine.
#pragma once
#include "base/messages/decide_doctor.h"

namespace estiva::msg {

inline constexpr DoctorWords kK1{
    "Docker has no GPU driver",
    "could not select device driver \"\" with capabilities: [[gpu]]",
    "nvidia-container-runtime-hook and nvidia-cdi-hook on the PATH of dockerd",
    "Install NVIDIA's container toolkit and restart Docker; or ask for the GPU by CDI (devices: "
    "nvidia.com/gpu=all), which needs no toolkit from Docker 28.2 on.",
    "Remove the package nvidia-container-toolkit.",
    "moby/moby, daemon/devices_nvidia_linux.go; NVIDIA/nvidia-docker #1034 and #1243, "
    "NVIDIA/nvidia-container-toolkit #854 and #871"};
inline constexpr DoctorWords kK2{
    "the toolkit came after Docker's start",
    "could not select device driver \"\" with capabilities: [[gpu]]",
    "the change time of NVIDIA's hook, its configuration's age, and the start time of dockerd",
    "sudo systemctl restart docker",
    "Nothing to undo: Docker is started anew.",
    "moby/moby, daemon/devices_nvidia_linux.go: the hook is looked up once, at the start"};
inline constexpr DoctorWords kK3{
    "Docker has no CDI",
    "could not select device driver \"cdi\" with capabilities: []",
    "Docker's version, its CDI directories, and features.cdi and cdi-spec-dirs in daemon.json",
    "Switch CDI on (\"features\": {\"cdi\": true} in daemon.json) and restart Docker: sudo "
    "systemctl restart docker; a reload is not enough.",
    "Restore daemon.json and restart Docker.",
    "moby/moby, daemon/cdi.go; NVIDIA/nvidia-container-toolkit #434, NixOS/nixpkgs #305312"};
inline constexpr DoctorWords kK4{
    "CDI containers don't survive a restart of Docker",
    "could not select device driver \"cdi\" with capabilities: [[]]",
    "Docker's version, and containers with a CDI device and a restart policy",
    "Upgrade Docker to 28.2 or newer; until then start them by a unit that is ordered after "
    "docker.service.",
    "Disable and remove that unit.",
    "moby/moby #49989 (28.2.0 registers CDI before containers are restored), NixOS/nixpkgs "
    "#353059"};
inline constexpr DoctorWords kK5{
    "Docker may start before the CDI spec is made",
    "unresolvable CDI devices nvidia.com/gpu=all",
    "the unit that makes the spec, and whether it is ordered before docker.service",
    "Order it before Docker: a drop-in with [Unit] Before=docker.service, then sudo systemctl "
    "daemon-reload",
    "Remove the drop-in and run sudo systemctl daemon-reload.",
    "NVIDIA/nvidia-container-toolkit pull requests #1979 and #2019"};
inline constexpr DoctorWords kK6{
    "units wait for each other",
    "Found ordering cycle on docker.service/start",
    "After=, Before= and WantedBy= of docker's, NVIDIA's and estiva's units",
    "Take After=multi-user.target out of the unit that makes the CDI spec, and order it before "
    "docker.service instead; then sudo systemctl daemon-reload",
    "Put the unit's file back and run sudo systemctl daemon-reload.",
    "NVIDIA/nvidia-container-toolkit #1735; systemd.unit(5), default dependencies of targets; "
    "measured with systemd-analyze verify"};
inline constexpr DoctorWords kK7{
    "daemon.json can't be read",
    "unable to configure the Docker daemon with file /etc/docker/daemon.json",
    "daemon.json, as strictly as dockerd reads it",
    "Mend the file; 'dockerd --validate --config-file PATH' checks it.",
    "Put the former file back.",
    "moby/moby, daemon/config/config.go (empty and with a BOM are fine); NVIDIA/nvidia-docker "
    "#1420, #542 and #761"};
inline constexpr DoctorWords kK8{
    "a setting stands in daemon.json and on the command line",
    "the following directives are specified both as a flag and in the configuration file",
    "ExecStart of docker.service, the arguments of dockerd, and the keys of daemon.json",
    "Remove one of the two: the key in daemon.json, or the flag by sudo systemctl edit docker",
    "Put the key back into daemon.json.",
    "moby/moby, daemon/config/config.go, findConfigurationConflicts (\"runtimes\" alone may be in "
    "both); NVIDIA/nvidia-docker #761"};
inline constexpr DoctorWords kK9{
    "Docker does not know the runtime",
    "unknown or invalid runtime name: nvidia",
    "the runtimes of containers and of daemon.json, and those that Docker lists",
    "Write the runtime into daemon.json and reload Docker: sudo systemctl reload docker",
    "Restore daemon.json and reload Docker.",
    "NVIDIA/nvidia-container-toolkit #150, NVIDIA/nvidia-docker #838 and #951"};
inline constexpr DoctorWords kK10{
    "a feature was lost from daemon.json",
    "images that were there are not listed any more after a restart of Docker",
    "features in daemon.json, as they were before it was last changed, and the image store in use",
    "Put the lost features back into daemon.json and restart Docker when it suits you.",
    "The file that was there is kept beside it.",
    "measured with nvidia-ctk 1.20.0: runtime configure --cdi.enabled replaces \"features\""};
inline constexpr DoctorWords kK11{
    "a runtime's program is not found",
    "exec: \"nvidia-container-runtime\": executable file not found in $PATH",
    "the paths of the runtimes in daemon.json, on dockerd's PATH",
    "Write the program's whole path into daemon.json and reload Docker, or remove the runtime.",
    "Restore daemon.json and reload Docker.",
    "NVIDIA/nvidia-docker #542"};
inline constexpr DoctorWords kK12{
    "Docker from a snap",
    "could not select device driver \"\" with capabilities: [[gpu]]",
    "the program behind Docker's socket, its runtimes and CDI devices",
    "Replace the snap by Docker's own packages: sudo snap remove docker, then install docker-ce "
    "(docs.docker.com/engine/install); volumes of the snap are not carried over by themselves.",
    "",
    "NVIDIA/nvidia-docker #1642, #1637, #1311 and #1470"};
inline constexpr DoctorWords kK13{
    "Docker Desktop has no GPU on Linux",
    "could not select device driver \"\" with capabilities: [[gpu]]",
    "what the engine says of its operating system",
    "Use the native engine: docker context use default, with docker-ce installed.",
    "",
    "docker/roadmap #497: Docker Desktop for Linux runs in a virtual machine without the GPU"};
inline constexpr DoctorWords kK14{
    "'docker' is Podman",
    "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.",
    "the version that the docker command tells",
    "Ask for the GPU by CDI: --device nvidia.com/gpu=all, in Compose devices: - "
    "nvidia.com/gpu=all.",
    "",
    "NVIDIA/nvidia-container-runtime #190: a flag without effect in Podman 4; "
    "NVIDIA/nvidia-container-toolkit #126, warmshao/FasterLivePortrait #116"};
inline constexpr DoctorWords kK15{
    "rootless engine and device cgroups",
    "failed to add device rules: unable to find any existing device filters attached to the "
    "cgroup: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted",
    "whether the engine is rootless, no-cgroups in config.toml, and how containers ask for the GPU",
    "sudo nvidia-ctk config --set nvidia-container-cli.no-cgroups --in-place; or ask for the GPU "
    "by CDI.",
    "Set no-cgroups = false again.",
    "NVIDIA/libnvidia-container #154, NVIDIA/nvidia-container-toolkit #139 and #1487"};
inline constexpr DoctorWords kK16{
    "no-cgroups is set for a rootful engine",
    "Failed to initialize NVML: Unknown Error",
    "no-cgroups in config.toml, and whether the engine is rootless",
    "sudo nvidia-ctk config --set nvidia-container-cli.no-cgroups=false --in-place",
    "Set no-cgroups = true again.",
    "NVIDIA/nvidia-container-toolkit #580"};
inline constexpr DoctorWords kK17{
    "containers lose the GPU at systemctl daemon-reload",
    "Failed to initialize NVML: Unknown Error",
    "Docker's cgroup driver, how containers ask for the GPU, and /dev/char/195:*",
    "Make the links: sudo nvidia-ctk system create-dev-char-symlinks --create-all, at each boot; "
    "or "
    "ask for the GPU by CDI (devices: nvidia.com/gpu=all) and recreate the containers.",
    "Remove the links from /dev/char.",
    "NVIDIA/nvidia-container-toolkit #48, #251, #1227 and #381; NVIDIA/nvidia-docker #1730"};
inline constexpr DoctorWords kK18{
    "an old toolkit on cgroup v2",
    "failed to call BPF_PROG_ATTACH (BPF_CGROUP_DEVICE, ...): invalid argument",
    "the kernel's release, the cgroup layout, and the toolkit's version",
    "Upgrade the toolkit to 1.8.1 or newer, or ask for the GPU by CDI.",
    "",
    "NVIDIA/libnvidia-container #151; BPF_F_REPLACE is from Linux 5.6"};
inline constexpr DoctorWords kK19{
    "config.toml names an ldconfig that is not there",
    "ldcache error: open failed: /sbin/ldconfig.real: no such file or directory",
    "ldconfig in /etc/nvidia-container-runtime/config.toml",
    "sudo nvidia-ctk config --set nvidia-container-cli.ldconfig=@/sbin/ldconfig --in-place",
    "Put the old path back.",
    "NVIDIA/nvidia-docker #587, hekmak/Conf-net #5"};
inline constexpr DoctorWords kK20{
    "ldconfig fails inside the container",
    "ldcache error: process /sbin/ldconfig.real failed with error code: 1",
    "the errors with which containers did not start",
    "Ask for the GPU by CDI instead of --gpus (devices: nvidia.com/gpu=all) and recreate the "
    "container.",
    "Put the old request back and recreate the container.",
    "NVIDIA/nvidia-container-toolkit #147, NVIDIA/nvidia-docker #914 and #1616, "
    "NVIDIA/libnvidia-container #177"};
inline constexpr DoctorWords kK21{
    "toolkit 1.18.0 on a root file system in memory",
    "Error updating ldcache: error running pivot_root: pivot_root .: invalid argument",
    "the type of the root file system, and the toolkit's version",
    "Upgrade the toolkit to 1.19 or newer, or use a CDI spec without hooks: sudo estiva cdi "
    "generate -o /etc/cdi/estiva.json",
    "The spec that was there is kept beside the new one.",
    "NVIDIA/nvidia-container-toolkit #1385"};
inline constexpr DoctorWords kK28{
    "--gpus does not work on a Jetson",
    "invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker --gpus flag) "
    "is not supported",
    "whether this is a Tegra, mode in config.toml, and how containers ask for the GPU",
    "Use runtime: nvidia, or CDI (devices: nvidia.com/gpu=all), instead of --gpus. On a PC, set "
    "mode "
    "= \"auto\" in config.toml: csv is a Jetson's.",
    "Put the old request back.",
    "NVIDIA/TensorRT-LLM #799, dstackai/dstack #2306"};
inline constexpr DoctorWords kK29{
    "WSL shows no NVIDIA GPU",
    "WSL environment detected but no adapters were found",
    "/dev/dxg, and libcuda in the driver store",
    "Use WSL 2 ('wsl --set-version NAME 2') and install NVIDIA's driver in Windows; never one "
    "inside WSL.",
    "",
    "NVIDIA/nvidia-container-toolkit #155"};
inline constexpr DoctorWords kK30{
    "the GPU does not reach this LXC container",
    "Failed to initialize NVML: Insufficient Permissions",
    "whether this is an LXC container, /dev/nvidia*, and the driver's libraries",
    "On the host: pass each /dev/nvidia* node to the container (Proxmox: dev0: /dev/nvidia0 and so "
    "on in /etc/pve/lxc/ID.conf) and install in it the same driver without its kernel module.",
    "",
    "AbdBarho/stable-diffusion-webui-docker #48, dockserver/dockserver #525"};
inline constexpr DoctorWords kK31{
    "SELinux keeps containers from the GPU",
    "Failed to initialize NVML: Insufficient Permissions",
    "SELinux's mode and boolean, and whether the engine labels containers",
    "sudo setsebool -P container_use_devices on (newer policies: container_use_xserver_devices); "
    "or run the container with --security-opt label=disable.",
    "sudo setsebool -P container_use_devices off",
    "fedora-selinux/selinux-policy #1695, mudler/LocalAI #7412"};
inline constexpr DoctorWords kK32{
    "--gpus falls back to the old hook in silence",
    "Ignoring previous errors updating spec",
    "Docker's version, the CDI devices that it lists, and how containers ask for the GPU",
    "Make a CDI spec for NVIDIA's GPUs: sudo estiva cdi generate -o /etc/cdi/nvidia.yaml",
    "",
    "moby/moby, daemon/devices_nvidia_linux.go, firstSuccessfulUpdater (from 29.2.0)"};

// K1, K2
inline constexpr std::string_view kToolkitMissing =
    "NVIDIA's container toolkit is not installed: '--gpus' can't work";
inline constexpr std::string_view kToolkitMissingUsed =
    "NVIDIA's container toolkit is not installed: {} can't get a GPU";  // containers
inline constexpr std::string_view kHookOffPath =
    "{} is not on the PATH that dockerd has: '--gpus' can't work";  // program
inline constexpr std::string_view kDockerdPath = "PATH of dockerd";
inline constexpr std::string_view kHookLookedFor = "no nvidia-container-runtime-hook";
inline constexpr PerDistribution kInstallToolkit{
    "Install it from NVIDIA's repository and restart Docker: sudo apt install "
    "nvidia-container-toolkit && sudo systemctl restart docker",
    "Install it from NVIDIA's repository and restart Docker: sudo apt install "
    "nvidia-container-toolkit && sudo systemctl restart docker",
    "Install it from NVIDIA's repository and restart Docker: sudo dnf install "
    "nvidia-container-toolkit && sudo systemctl restart docker",
    "Install it and restart Docker: sudo pacman -S nvidia-container-toolkit && sudo systemctl "
    "restart docker",
    "Install NVIDIA's container toolkit and restart Docker."};
inline constexpr std::string_view kToolkitIsNewer =
    "{} was installed after Docker was started, so Docker does not know it yet";  // program
inline constexpr std::string_view kChangedAt = "changed at {} s, dockerd started at {} s";
// K3
inline constexpr std::string_view kDockerTooOld =
    "Docker {} does not know CDI; it came with 25.0, and is dependable from 28.2";  // version
inline constexpr std::string_view kCdiNotStarted =
    "{} switches CDI on, and Docker was not restarted since";                            // path
inline constexpr std::string_view kCdiSwitchedOff = "CDI is switched off in Docker {}";  // version
inline constexpr std::string_view kCdiOptIn =
    "CDI is not switched on in Docker {}; 28.2 and newer have it on";  // version
inline constexpr std::string_view kNoCdiDirs = "it lists no CDI directories";
inline constexpr std::string_view kUpgradeDocker =
    "Upgrade Docker to 28.2 or newer (docs.docker.com/engine/install).";
inline constexpr std::string_view kRestartDocker = "sudo systemctl restart docker";
inline constexpr std::string_view kRemoveCdiOff =
    "Remove \"cdi\": false from features, and \"cdi-spec-dirs\": [\"\"], in {}, then: sudo "
    "systemctl restart docker";  // path
// K4, K5, K6
inline constexpr std::string_view kWontRestart =
    "Docker {} can't start {} again by itself after a restart of Docker or the machine";
inline constexpr std::string_view kRestartPolicy = "restart policy {}";
inline constexpr std::string_view kNotBeforeDocker =
    "{} is not ordered before docker.service: a container that starts with the machine may not "
    "find the GPU";  // unit
inline constexpr std::string_view kOrderUnit =
    "printf '[Unit]\\nBefore=docker.service\\n' | sudo tee "
    "/etc/systemd/system/{0}.d/before-docker.conf after sudo mkdir -p /etc/systemd/system/{0}.d, "
    "then sudo systemctl daemon-reload";  // unit
// K7 to K11
inline constexpr std::string_view kDaemonJsonBroken =
    "{} is not valid: Docker will not start with it ({})";  // path, why
inline constexpr std::string_view kFlagAndFile =
    "\"{}\" is set in {} and by {} on dockerd's command line: Docker does not start with "
    "both";  // key, path, flag
inline constexpr std::string_view kRuntimeNotLoaded =
    "{} declares the runtime {}, and Docker has not read it yet";  // path, runtime
inline constexpr std::string_view kReloadDocker = "sudo systemctl reload docker";
inline constexpr std::string_view kRuntimeUnknown =
    "{} asks for the runtime {}, which Docker does not know";  // containers, runtime
inline constexpr std::string_view kDefaultRuntimeUnknown =
    "the default runtime {} is not declared in {}: Docker does not start with it";  // runtime, path
inline constexpr std::string_view kRuntimesAre = "runtimes: {}";
inline constexpr std::string_view kFeaturesLost =
    "{} has lost the features {}, which stood there before";  // path, names
inline constexpr std::string_view kSnapshotterLost =
    "Docker runs with the containerd image store, and {} does not say so any more: after a restart "
    "its images are not listed";  // path
inline constexpr std::string_view kSnapshotterInUse = "driver-type: io.containerd.snapshotter.v1";
inline constexpr std::string_view kRuntimeProgram =
    "the program of the runtime {} is not found: {}";  // runtime, path
// K12 to K14, K32
inline constexpr std::string_view kSnapWithoutGpu =
    "Docker {} is a snap, and offers no NVIDIA GPU";  // version
inline constexpr std::string_view kDesktopWithoutGpu =
    "Docker Desktop runs in a virtual machine that does not have the GPU";
inline constexpr std::string_view kPodmanIgnoresGpus =
    "'docker' is Podman {}, which ignores '--gpus'";  // version
inline constexpr std::string_view kFallsBack =
    "Docker {} looks for a CDI device first, finds none, and falls back to the old hook for {}";
inline constexpr std::string_view kNoCdiDevice = "it lists no nvidia.com/gpu device";
// K15 to K21
inline constexpr std::string_view kRootlessWithCgroups =
    "the engine is rootless and NVIDIA's hook wants to change device cgroups: {}";  // who
inline constexpr std::string_view kAnyWithGpus = "any container with '--gpus' fails";
inline constexpr std::string_view kTheyFail = "{} can't start";  // containers
inline constexpr std::string_view kNoCgroupsRootful =
    "no-cgroups is set, and the engine is not rootless: {}";                  // who
inline constexpr std::string_view kTheySeeNothing = "{} can't open the GPU";  // containers
inline constexpr std::string_view kAnySeesNothing = "a container with '--gpus' can't open the GPU";
inline constexpr std::string_view kLosesAtReload =
    "{} will lose the GPU when systemd reloads its units, as most package upgrades make it "
    "do";  // containers
inline constexpr std::string_view kCgroupDriver = "cgroup driver: {}";
inline constexpr std::string_view kNoCharLinks = "no link for /dev/nvidia* is there";
inline constexpr std::string_view kOldBpf =
    "toolkit {} can't set device rules with cgroup v2 on kernel {}";  // version, release
inline constexpr std::string_view kNoLdconfig = "{} names {}, which is not there";  // config, path
inline constexpr std::string_view kLdconfigFailed =
    "{} did not start: ldconfig failed inside it";  // container
inline constexpr std::string_view kPivotRoot =
    "toolkit {} can't prepare containers on a root file system of type {}";  // version, type
inline constexpr std::string_view kRootFs = "/proc/self/mountinfo";
// K28 to K31
inline constexpr std::string_view kTegraFlag =
    "{} asks for the GPU by '--gpus', which a Jetson's runtime refuses";  // containers
inline constexpr std::string_view kModeFlag =
    "{} asks for the GPU by '--gpus', which NVIDIA's hook refuses in its mode {}";  // containers,
                                                                                    // mode
inline constexpr std::string_view kWslNoDxg = "this is WSL without /dev/dxg: no GPU reaches it";
inline constexpr std::string_view kWslNoCuda =
    "this is WSL, and Windows gives it no CUDA library: its NVIDIA driver is missing or too old";
inline constexpr std::string_view kDxg = "/dev/dxg";
inline constexpr std::string_view kNodeIsNotThere = "it is not there";
inline constexpr std::string_view kWslStore = "/usr/lib/wsl/lib/libcuda.so.1";
inline constexpr std::string_view kLxcLacks =
    "the machine has an NVIDIA GPU, and this LXC container lacks {}";  // what
inline constexpr std::string_view kTheLibraries = "the driver's libraries";
inline constexpr std::string_view kSelinuxRefuses =
    "SELinux does not let containers of {} use /dev/nvidia*";  // engine
inline constexpr std::string_view kSelinuxBoolean = "container_use_devices";
inline constexpr std::string_view kSelinuxOff = "off, SELinux is {}";  // mode
inline constexpr std::string_view kDockerName = "Docker";
inline constexpr std::string_view kPodmanName = "Podman";

}  // namespace estiva::msg
