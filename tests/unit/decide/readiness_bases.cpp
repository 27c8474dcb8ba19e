#include "unit/decide/readiness_bases.h"

namespace estiva::decide::bases {
namespace {

constexpr std::int64_t kNow = 1'800'000'000, kBoot = kNow - 86'400;
constexpr unsigned kMajor = 195, kUvmMajor = 511;

DriverLibrary library(const std::string& folder, const std::string& stem,
                      const std::string& version) {
  const std::string base = folder + "/" + stem + ".so";
  return {base + "." + version, stem + ".so.1", {base + ".1"}, false};
}

void add_libraries(ReadinessFacts& facts, const std::string& folder, const std::string& version) {
  DriverFiles& files = facts.driver.files;
  files.library_version = version;
  for (const char* stem : {"libEGL_nvidia", "libcuda", "libnvidia-ml", "libnvidia-ptxjitcompiler"})
    files.libraries.push_back(library(folder, stem, version));
}

void add_nodes(ReadinessFacts& facts) {
  facts.kernel.majors = {{"nvidia", kMajor},
                         {"nvidiactl", kMajor},
                         {"nvidia-modeset", kMajor},
                         {"nvidia-uvm", kUvmMajor}};
  facts.driver.files.nodes = {{"/dev/nvidia-modeset", kMajor, 254, 0666, 0, 0},
                              {"/dev/nvidia-uvm", kUvmMajor, 0, 0666, 0, 0},
                              {"/dev/nvidia-uvm-tools", kUvmMajor, 1, 0666, 0, 0},
                              {"/dev/nvidia0", kMajor, 0, 0666, 0, 0},
                              {"/dev/nvidiactl", kMajor, 255, 0666, 0, 0}};
  facts.driver.odd_nodes = facts.driver.files.nodes;
  facts.driver.char_links = {"/dev/char/195:0", "/dev/char/195:255"};
}

Gpu make_gpu(const std::string& name, unsigned capability) {
  Gpu gpu;
  gpu.identity.id.uuid = "GPU-7f3a0000-1111-2222-3333-444455556666";
  gpu.identity.name = name;
  gpu.identity.pci_bus_id = "00000000:01:00.0";
  gpu.identity.minor_number = 0U;
  gpu.identity.compute_capability = capability;
  gpu.identity.slowdown_at = Celsius{98};
  gpu.sample.temperature = Celsius{54};
  gpu.sample.clock_event_reasons = std::uint64_t{1};  // idle
  gpu.wear.persistence_mode = 1U;
  return gpu;
}

void add_driver(ReadinessFacts& facts, unsigned device, const std::string& version,
                const Gpu& gpu) {
  KernelFacts& kernel = facts.kernel;
  kernel.pci.push_back(
      {"0000:01:00.0", 0x10de, device, 0x030000, "nvidia", true, true, "on", "active", {}});
  kernel.module_version = version;
  kernel.modules = {{"nvidia_uvm", 4}, {"nvidia_drm", 3}, {"nvidia_modeset", 2}, {"nvidia", 60}};
  kernel.nvidia_params = {{"PreserveVideoMemoryAllocations", "1"}, {"ModifyDeviceFiles", "1"}};
  kernel.modprobe_lines = {{"/etc/modprobe.d/nvidia.conf", 1, "blacklist nouveau"}};
  add_nodes(facts);
  DriverFacts& driver = facts.driver;
  driver.files.module_version = version;
  driver.files.gpus = {{"0000:01:00.0", 0, 0, gpu.identity.id.uuid, {}, {}, false, {}}};
  driver.status.state = DriverState::ready;
  driver.status.version = version;
  driver.status.cuda_version = 12040U;
  driver.gpus = {gpu};
  driver.cuda_init = 0;
  driver.compute_mode = 0U;
  driver.persistence_running = true;
}

void add_kernels(ReadinessFacts& facts, const std::string& release, const std::string& version) {
  KernelFact kernel{release, true, true, true, version, true, true};
  facts.kernel.kernels = {kernel};
  facts.kernel.command_line = "BOOT_IMAGE=/vmlinuz-" + release + " root=/dev/sda2 ro quiet";
  facts.kernel.secure_boot = false;
  facts.kernel.log = std::vector<std::string>{"Linux version " + release,
                                              "NVRM: loading NVIDIA UNIX Kernel Module " + version};
  facts.kernel.overcommit_memory = 0U;
  facts.kernel.selinux = std::string("disabled");
  facts.kernel.container_use_devices = Missing::not_supported;
  facts.kernel.cgroup_layout = "v2";
  facts.kernel.root_fs = "ext4";
  facts.kernel.slept_since_module = false;
}

CdiFile make_spec(const ReadinessFacts& facts, const std::string& path, unsigned priority) {
  CdiFile file;
  file.path = path;
  file.priority = priority;
  CdiSpec& spec = file.spec;
  spec.version = "0.5.0";
  spec.kind = "nvidia.com/gpu";
  CdiNode node;
  for (const DeviceNode& one : facts.driver.files.nodes) {
    node.path = one.path;
    if (one.path != "/dev/nvidia0") spec.edits.nodes.push_back(node);
  }
  for (const DriverLibrary& one : facts.driver.files.libraries)
    spec.edits.mounts.push_back({one.path, one.path, "", {"ro", "nosuid", "nodev", "rbind"}});
  spec.edits.env = {"NVIDIA_VISIBLE_DEVICES=void"};
  node.path = "/dev/nvidia0";
  for (const char* name : {"0", "all"}) {
    CdiDevice device;
    device.name = name;
    device.edits.nodes = {node};
    spec.devices.push_back(device);
  }
  return file;
}

void add_spec(ReadinessFacts& facts, const std::string& folder) {
  const unsigned priority = folder == "/etc/cdi" ? 0 : 1;
  facts.cdi.dirs = {"/etc/cdi", "/var/run/cdi"};
  facts.cdi.files = {make_spec(facts, folder + "/nvidia.yaml", priority)};
  for (const DeviceNode& one : facts.driver.files.nodes)
    facts.cdi.hosts[one.path] = {true, false, true, false, one.major, one.minor};
  for (const DriverLibrary& one : facts.driver.files.libraries)
    facts.cdi.hosts[one.path] = {true, true, false, false, 0, 0};
}

constexpr const char* kDockerUnit =
    "[Unit]\n"
    "Description=Docker Application Container Engine\n"
    "After=network-online.target nss-lookup.target docker.socket firewalld.service "
    "containerd.service time-set.target\n"
    "Wants=network-online.target containerd.service\n"
    "Requires=docker.socket\n"
    "[Service]\n"
    "Type=notify\n"
    "ExecStart=/usr/bin/dockerd -H fd:// --containerd=/run/containerd/containerd.sock\n"
    "[Install]\n"
    "WantedBy=multi-user.target\n";

void add_docker(ReadinessFacts& facts, const std::string& version) {
  EngineFacts& engine = facts.engine;
  engine.kind = EngineKind::docker;
  engine.version = version;
  engine.info = R"({"SecurityOptions":["name=seccomp,profile=builtin","name=cgroupns"]})";
  engine.cgroup_driver = "systemd";
  engine.runtimes = {"io.containerd.runc.v2", "runc"};
  engine.default_runtime = "runc";
  engine.cdi_known = true;
  engine.cdi_dirs = {"/etc/cdi", "/var/run/cdi"};
  engine.started_at = kBoot + 30;
  engine.arguments = {"-H", "fd://", "--containerd=/run/containerd/containerd.sock"};
  engine.search_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  engine.daemon_json.path = "/etc/docker/daemon.json";
  engine.compose_version = std::string("2.40.0");
  facts.units.push_back(make_unit("docker.service", kDockerUnit, true));
  facts.units.push_back(make_unit("containerd.service",
                                  "[Unit]\nAfter=network.target local-fs.target\n"
                                  "[Install]\nWantedBy=multi-user.target\n",
                                  true));
}

void add_toolkit(ReadinessFacts& facts, const std::string& version) {
  for (const char* name : {"nvidia-cdi-hook", "nvidia-container-cli", "nvidia-container-runtime",
                           "nvidia-container-runtime-hook", "nvidia-ctk"})
    facts.toolkit.programs[name] = {std::string("/usr/bin/") + name, kBoot - 100'000, version};
  TextFile& config = facts.toolkit.config;
  config.path = "/etc/nvidia-container-runtime/config.toml";
  config.text = std::string(
      "[nvidia-container-cli]\n#no-cgroups = false\nldconfig = \"@/sbin/ldconfig\"\n"
      "[nvidia-container-runtime]\nmode = \"auto\"\n");
  config.modified_at = kBoot - 100'000;
  facts.toolkit.ldconfig_exists = true;
}

ReadinessFacts start(const std::string& id, const std::string& version, const std::string& like) {
  ReadinessFacts facts;
  facts.release = {id, version, like, "x86_64"};
  facts.now = kNow;
  return facts;
}

void discover(ReadinessFacts& facts) {
  facts.engine.discovered = {"nvidia.com/gpu=0", "nvidia.com/gpu=all"};
}

void add_image(ReadinessFacts& facts, const std::string& name, const std::string& cuda) {
  facts.images.push_back({"sha256:" + name, name, {}, cuda});
}

}  // namespace

ContainerFact cdi_container(const std::string& name, const std::string& policy) {
  ContainerFact container;
  container.id = std::string(64, 'a');
  container.name = name;
  container.image = "ollama/ollama:0.12";
  container.image_id = "sha256:ollama/ollama:0.12";
  container.runtime = "runc";
  container.restart_policy = policy;
  container.state = "running";
  container.requests = {{"cdi", 0, {"nvidia.com/gpu=0"}, {}}};
  container.created_at = container.started_at = kBoot + 60;
  container.shm_bytes = 64 << 20;
  return container;
}

ContainerFact flag_container(const std::string& name) {
  ContainerFact container = cdi_container(name, "no");
  container.id = std::string(64, 'b');
  container.requests = {{"", -1, {}, {"gpu"}}};
  return container;
}

UnitFact make_unit(const std::string& name, const std::string& text, bool enabled) {
  return {name, "/usr/lib/systemd/system/" + name, text, {}, enabled, false, true};
}

ReadinessFacts debian_host() {
  ReadinessFacts facts = start("debian", "12", "");
  add_kernels(facts, "6.1.0-28-amd64", "550.163.01");
  add_libraries(facts, "/usr/lib/x86_64-linux-gnu", "550.163.01");
  add_driver(facts, 0x2204, "550.163.01", make_gpu("NVIDIA GeForce RTX 3090", 86));
  add_docker(facts, "28.5.2");
  add_toolkit(facts, "1.17.8");
  add_spec(facts, "/etc/cdi");
  discover(facts);
  facts.containers = {cdi_container("ollama", "unless-stopped")};
  add_image(facts, "ollama/ollama:0.12", "12.2.2");
  facts.driver.packages = {{"nvidia-driver", "550.163.01-1"}, {"libcuda1", "550.163.01-1"}};
  return facts;
}

ReadinessFacts ubuntu_host() {
  ReadinessFacts facts = start("ubuntu", "24.04", "debian");
  add_kernels(facts, "6.8.0-45-generic", "580.95.05");
  add_libraries(facts, "/usr/lib/x86_64-linux-gnu", "580.95.05");
  add_driver(facts, 0x2684, "580.95.05", make_gpu("NVIDIA GeForce RTX 4090", 89));
  facts.kernel.is_open_module = true;
  facts.kernel.secure_boot = true;
  facts.driver.status.cuda_version = 13000U;
  add_docker(facts, "29.2.1");
  add_toolkit(facts, "1.18.1");
  add_spec(facts, "/var/run/cdi");
  discover(facts);
  facts.units.push_back(make_unit("nvidia-cdi-refresh.service",
                                  "[Unit]\nAfter=systemd-modules-load.service\n"
                                  "[Service]\nType=oneshot\n"
                                  "ExecStart=/usr/bin/nvidia-ctk cdi generate\n"
                                  "[Install]\nWantedBy=multi-user.target\n"
                                  "[Unit]\nBefore=docker.service\n",
                                  true));
  facts.containers = {cdi_container("ollama", "always"), flag_container("comfyui")};
  add_image(facts, "ollama/ollama:0.12", "12.8.1");
  facts.driver.packages = {{"nvidia-driver-580-open", "580.95.05-0ubuntu0.24.04.1"}};
  facts.driver.held_packages = {"nvidia-driver-580-open"};
  facts.driver.upgrades_itself = true;
  return facts;
}

ReadinessFacts rhel_host() {
  ReadinessFacts facts = start("rhel", "9.5", "fedora");
  add_kernels(facts, "5.14.0-503.14.1.el9_5.x86_64", "570.148.08");
  add_libraries(facts, "/usr/lib64", "570.148.08");
  add_driver(facts, 0x20b5, "570.148.08", make_gpu("NVIDIA A100 80GB PCIe", 80));
  facts.kernel.is_open_module = true;
  facts.kernel.selinux = std::string("enforcing");
  facts.kernel.container_use_devices = false;  // Docker does not label containers by itself
  facts.kernel.root_fs = "xfs";
  facts.driver.status.cuda_version = 12080U;
  add_docker(facts, "27.5.1");
  facts.engine.daemon_json.text = std::string("{\n  \"features\": {\"cdi\": true}\n}\n");
  add_toolkit(facts, "1.17.8");
  add_spec(facts, "/etc/cdi");
  facts.containers = {cdi_container("vllm", "no")};
  add_image(facts, "ollama/ollama:0.12", "12.8.1");
  facts.driver.packages = {{"kmod-nvidia-open-dkms", "3:570.148.08-1.el9"}};
  return facts;
}

ReadinessFacts arch_host() {
  ReadinessFacts facts = start("arch", "", "");
  add_kernels(facts, "6.12.1-arch1-1", "580.95.05");
  add_libraries(facts, "/usr/lib", "580.95.05");
  add_driver(facts, 0x2504, "580.95.05", make_gpu("NVIDIA GeForce RTX 3060", 86));
  facts.kernel.is_open_module = true;
  facts.kernel.pci.back().connectors = {"DP-1"};
  facts.kernel.root_fs = "btrfs";
  facts.driver.status.cuda_version = 13000U;
  facts.driver.persistence_running = false;
  facts.driver.gpus[0].wear.persistence_mode = 0U;
  add_docker(facts, "29.1.0");
  add_toolkit(facts, "1.18.1");
  add_spec(facts, "/etc/cdi");
  discover(facts);
  facts.containers = {cdi_container("ollama", "always")};
  add_image(facts, "ollama/ollama:0.12", "12.8.1");
  facts.driver.packages = {{"nvidia-open", "580.95.05-4"}};
  return facts;
}

ReadinessFacts wsl_host() {
  ReadinessFacts facts = start("ubuntu", "24.04", "debian");
  add_kernels(facts, "5.15.153.1-microsoft-standard-WSL2", "");
  facts.kernel.kernels.clear();
  facts.kernel.log = std::vector<std::string>{"Linux version 5.15.153.1"};
  facts.kernel.in_wsl = facts.kernel.has_dxg = true;
  facts.kernel.pci = {
      {"6f1d:00:00.0", 0x1414, 0x008e, 0x030200, "dxgkrnl", true, Missing::failed, "", "", {}}};
  for (const char* name : {"libcuda.so.1.1", "libnvidia-ml.so.1"}) {
    DriverLibrary one;
    one.path = std::string("/usr/lib/wsl/drivers/nv_dispi.inf_amd64_1/") + name;
    facts.driver.files.libraries.push_back(one);
  }
  facts.driver.status.state = DriverState::ready;
  facts.driver.status.version = "560.94";
  facts.driver.status.cuda_version = 12060U;
  facts.driver.gpus = {make_gpu("NVIDIA GeForce RTX 3080", 86)};
  facts.driver.cuda_init = 0;
  add_docker(facts, "28.5.2");
  add_toolkit(facts, "1.17.8");
  facts.containers = {flag_container("ollama")};
  add_image(facts, "ollama/ollama:0.12", "12.4.1");
  return facts;
}

ReadinessFacts laptop() {
  ReadinessFacts facts = ubuntu_host();
  PciFact& card = facts.kernel.pci.back();
  card.boot_vga = false;
  card.power_control = "auto";
  card.power_state = "suspended";
  card.answers = false;  // a card that is off reads 0xff
  facts.kernel.pci.insert(
      facts.kernel.pci.begin(),
      {"0000:00:02.0", 0x8086, 0x46a6, 0x030000, "i915", true, true, "auto", "active", {"eDP-1"}});
  facts.kernel.slept_since_module = true;
  facts.units.push_back(make_unit("nvidia-suspend.service", "[Unit]\n", true));
  facts.units.push_back(make_unit("nvidia-resume.service", "[Unit]\n", true));
  facts.driver.gpus.clear();
  facts.driver.cuda_init = Missing::asleep;
  facts.driver.compute_mode = Missing::asleep;
  facts.driver.persistence_running = false;
  return facts;
}

ReadinessFacts cpu_only() {
  ReadinessFacts facts = start("debian", "12", "");
  add_kernels(facts, "6.1.0-28-amd64", "");
  facts.kernel.kernels[0].has_nvidia = facts.kernel.kernels[0].has_nvidia_uvm = false;
  facts.kernel.kernels[0].nvidia_version = Missing::not_supported;
  facts.kernel.log = std::vector<std::string>{"Linux version 6.1.0-28-amd64"};
  facts.kernel.pci = {{"0000:00:02.0",
                       0x8086,
                       0x46a6,
                       0x030000,
                       "i915",
                       true,
                       true,
                       "auto",
                       "active",
                       {"HDMI-A-1"}}};
  facts.driver.status.state = DriverState::absent;
  add_docker(facts, "20.10.24");
  facts.engine.cdi_known = false;
  facts.engine.cdi_dirs.clear();
  ContainerFact plain = cdi_container("n8n", "always");
  plain.requests.clear();
  facts.containers = {plain};
  return facts;
}

ReadinessFacts podman_only() {
  ReadinessFacts facts = rhel_host();
  facts.release = {"fedora", "41", "", "x86_64"};
  facts.kernel.container_use_devices = true;
  facts.engine = {};
  facts.engine.kind = EngineKind::podman;
  facts.engine.version = "5.3.1";
  facts.engine.is_rootless = facts.engine.cli_is_podman = true;
  facts.engine.cdi_dirs = {"/etc/cdi", "/var/run/cdi"};
  facts.engine.runtimes = {"crun"};
  facts.units.clear();
  return facts;
}

ReadinessFacts docker_absent() {
  ReadinessFacts facts = debian_host();
  facts.engine = {};
  facts.units.clear();
  facts.toolkit = {};
  facts.cdi = {};
  facts.containers.clear();
  facts.images.clear();
  return facts;
}

ReadinessFacts plain_container() {
  ReadinessFacts facts = debian_host();
  facts.engine = {};
  facts.units.clear();
  facts.toolkit = {};
  facts.cdi = {};
  facts.containers.clear();
  facts.kernel.in_container = true;
  facts.kernel.container_manager = "docker";
  facts.kernel.kernels.clear();
  facts.kernel.modprobe_lines.clear();
  facts.driver = {};
  facts.driver.missing_nodes = {"/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"};
  return facts;
}

ReadinessFacts gpu_container() {
  ReadinessFacts facts = plain_container();
  facts.driver = debian_host().driver;
  return facts;
}

void unload(ReadinessFacts& facts) {
  KernelFacts& kernel = facts.kernel;
  for (PciFact& one : kernel.pci) {
    if (one.driver == "nvidia") one.driver.clear();
  }
  kernel.module_version.clear();
  kernel.modules.clear();
  kernel.nvidia_params.clear();
  kernel.majors.clear();
  kernel.slept_since_module = Missing::not_supported;
  DriverFacts& driver = facts.driver;
  driver.files.module_version.clear();
  driver.files.gpus.clear();
  driver.files.nodes.clear();
  driver.odd_nodes.clear();
  driver.missing_nodes = {"/dev/nvidiactl", "/dev/nvidia-uvm"};
  driver.gpus.clear();
  driver.status = {};
  driver.status.state = DriverState::no_driver;
  driver.cuda_init = 100;
  driver.compute_mode = Missing::failed;
  driver.persistence_running = false;
}

void forget(ReadinessFacts& facts) {
  constexpr Missing kWhy = Missing::not_permitted;
  for (PciFact& one : facts.kernel.pci) one.boot_vga = kWhy;
  for (KernelFact& one : facts.kernel.kernels)
    one.nvidia_version = kWhy, one.is_signed = kWhy, one.is_bootable = kWhy;
  KernelFacts& kernel = facts.kernel;
  kernel.secure_boot = kWhy;
  kernel.log = kWhy;
  kernel.overcommit_memory = kWhy;
  kernel.selinux = kWhy;
  kernel.container_use_devices = kWhy;
  kernel.slept_since_module = kWhy;
  DriverFacts& driver = facts.driver;
  driver.cuda_init = kWhy;
  driver.compute_mode = kWhy;
  driver.fabric_manager_version = kWhy;
  driver.status.cuda_version = kWhy;
  for (Gpu& one : driver.gpus) {
    one.identity.compute_capability = kWhy;
    one.identity.slowdown_at = kWhy;
    one.sample.temperature = kWhy;
    one.sample.clock_event_reasons = kWhy;
    one.wear = {};
  }
  for (UnitFact& one : facts.units) one.is_active = kWhy;
  facts.engine.started_at = kWhy;
  facts.engine.daemon_json.text = kWhy;
  facts.engine.daemon_json_before.text = kWhy;
  facts.engine.compose_version = kWhy;
  facts.toolkit.config.text = kWhy;
  facts.toolkit.ldconfig_exists = kWhy;
  for (ComposeFact& one : facts.compose) one.text = kWhy;
}

}  // namespace estiva::decide::bases
