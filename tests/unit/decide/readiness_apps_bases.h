// Healthy machines for the rules of CDI and of applications, each a page of values: every rule says
// nothing on them. A test changes one thing.
#pragma once
#include <string>
#include <vector>

#include "decide/readiness/rule.h"

namespace estiva::decide {

struct Base {
  std::string name;
  ReadinessFacts facts;
};

namespace bases {

inline const std::string kUuid0 = "GPU-2f68f999-7b41-e64a-3709-0c8c4fa756c0";
inline const std::string kUuid1 = "GPU-e9050893-7feb-1b73-f785-1e25e3d12837";

inline Gpu gpu(unsigned index, const std::string& uuid, unsigned capability) {
  Gpu one;
  one.identity.id.uuid = uuid;
  one.identity.index = index;
  one.identity.compute_capability = capability;
  return one;
}

inline DriverGpu driver_gpu(unsigned index, const std::string& uuid) {
  DriverGpu one;
  one.index = one.minor = index;
  one.uuid = uuid;
  return one;
}

// A spec as the vendor's tool or ours writes it, for `gpus` GPUs.
inline CdiFile spec_file(const std::string& path, const std::string& libraries,
                         const std::string& driver, const std::vector<std::string>& uuids) {
  CdiFile file;
  file.path = path;
  file.modified_at = 1'700'000'000;
  file.spec.version = "0.5.0";
  file.spec.kind = "nvidia.com/gpu";
  file.spec.edits.env = {"NVIDIA_VISIBLE_DEVICES=void"};
  for (const char* node : {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"}) {
    file.spec.edits.nodes.push_back({node, {}, {}, {}, {}, {}, {}, {}, {}});
  }
  for (const char* name : {"libcuda.so.", "libnvidia-ml.so.", "libEGL_nvidia.so."}) {
    const std::string library = libraries + "/" + name + driver;
    file.spec.edits.mounts.push_back({library, library, {}, {"ro"}});
  }
  file.spec.edits.mounts.push_back(
      {"/run/nvidia-persistenced/socket", "/run/nvidia-persistenced/socket", {}, {}});
  CdiDevice all;
  all.name = "all";
  for (std::size_t i = 0; i < uuids.size(); ++i) {
    CdiDevice one;
    one.name = std::to_string(i);
    one.edits.nodes.push_back({"/dev/nvidia" + one.name, {}, {}, {}, {}, {}, {}, {}, {}});
    all.edits.nodes.push_back(one.edits.nodes[0]);
    file.spec.devices.push_back(one);
    one.name = uuids[i];
    file.spec.devices.push_back(one);
  }
  file.spec.devices.push_back(all);
  return file;
}

// Everything that the specs name is there.
inline void add_hosts(CdiFacts& cdi) {
  for (const CdiFile& file : cdi.files) {
    std::vector<const CdiEdits*> parts{&file.spec.edits};
    for (const CdiDevice& device : file.spec.devices) parts.push_back(&device.edits);
    for (const CdiEdits* part : parts) {
      for (const CdiNode& node : part->nodes)
        cdi.hosts[node.path] = {true, false, true, false, 195, 0};
      for (const CdiMount& mount : part->mounts) cdi.hosts[mount.host_path] = {true};
      for (const CdiHook& hook : part->hooks)
        cdi.hosts[hook.path] = {true, true, false, false, 0, 0};
    }
  }
}

inline ContainerFact container(const std::string& name, const std::string& image) {
  ContainerFact one;
  one.name = name;
  one.image = image;
  one.project = "ai";
  one.service = name;
  one.state = "running";
  one.runtime = "runc";
  one.created_at = one.started_at = 1'700'100'000;
  one.shm_bytes = 64ULL << 20;
  one.log = {"msg=\"inference compute\" id=GPU-1 library=cuda compute=8.6"};
  return one;
}

inline void give(ContainerFact& container, const std::string& name) {
  container.requests.push_back({"cdi", 0, {name}, {}});
}

inline ReadinessFacts machine(const std::string& libraries, const std::string& driver,
                              const std::vector<std::string>& uuids) {
  ReadinessFacts facts;
  facts.now = 1'700'200'000;
  facts.kernel.module_version = driver;
  facts.driver.files.module_version = facts.driver.files.library_version = driver;
  for (std::size_t i = 0; i < uuids.size(); ++i) {
    facts.driver.files.gpus.push_back(driver_gpu(static_cast<unsigned>(i), uuids[i]));
    facts.driver.gpus.push_back(gpu(static_cast<unsigned>(i), uuids[i], 86));
  }
  facts.engine.cdi_known = true;
  facts.engine.cdi_dirs = {"/etc/cdi", "/var/run/cdi"};
  facts.engine.compose_version = std::string("2.35.1");
  facts.engine.daemon_json.path = "/etc/docker/daemon.json";
  facts.cdi.dirs = {"/etc/cdi", "/var/run/cdi"};
  facts.cdi.files.push_back(spec_file("/etc/cdi/nvidia.yaml", libraries, driver, uuids));
  add_hosts(facts.cdi);
  return facts;
}

// Debian 12, Docker 28.5, one GPU as a CDI device, our spec, no toolkit.
inline Base debian() {
  ReadinessFacts facts = machine("/usr/lib/x86_64-linux-gnu", "550.163.01", {kUuid0});
  facts.release = {"debian", "12", "", "x86_64"};
  facts.engine.kind = EngineKind::docker;
  facts.engine.version = "28.5.2";
  facts.containers.push_back(container("ollama", "ollama/ollama:0.9.1"));
  give(facts.containers[0], "nvidia.com/gpu=all");
  return {"debian", facts};
}

// Ubuntu 24.04, Docker 29.2 with the toolkit and its refresh unit, two GPUs, --gpus and CDI.
inline Base ubuntu() {
  ReadinessFacts facts = machine("/usr/lib/x86_64-linux-gnu", "580.95.05", {kUuid0, kUuid1});
  facts.release = {"ubuntu", "24.04", "debian", "x86_64"};
  facts.engine.kind = EngineKind::docker;
  facts.engine.version = "29.2.1";
  facts.engine.runtimes = {"io.containerd.runc.v2", "nvidia", "runc"};
  facts.engine.default_runtime = "runc";
  facts.cdi.files[0].path = "/var/run/cdi/nvidia.yaml";
  facts.cdi.files[0].priority = 1;
  facts.cdi.files[0].spec.version = "0.7.0";
  facts.cdi.files[0].spec.edits.hooks.push_back({"createContainer",
                                                 "/usr/bin/nvidia-cdi-hook",
                                                 {"nvidia-cdi-hook", "update-ldcache"},
                                                 {},
                                                 {}});
  add_hosts(facts.cdi);
  facts.toolkit.programs["nvidia-ctk"] = {"/usr/bin/nvidia-ctk", 1'690'000'000, "1.20.0"};
  facts.containers.push_back(container("vllm", "vllm/vllm-openai:v0.8.5"));
  facts.containers[0].requests.push_back({"nvidia", -1, {}, {"gpu"}});
  facts.containers[0].environment = {"NVIDIA_DRIVER_CAPABILITIES=compute,utility",
                                     "NVIDIA_VISIBLE_DEVICES=all"};
  facts.containers.push_back(container("comfyui", "yanwk/comfyui-boot:cu124"));
  give(facts.containers[1], "nvidia.com/gpu=" + kUuid1);
  facts.compose.push_back({"/srv/ai/compose.yaml", "ai",
                           std::string("services:\n  vllm:\n    image: vllm/vllm-openai:v0.8.5\n"
                                       "    devices: [nvidia.com/gpu=all]\n")});
  return {"ubuntu", facts};
}

// Fedora with Podman; devices are paths of the container.
inline Base fedora() {
  ReadinessFacts facts = machine("/usr/lib64", "570.169", {kUuid0});
  facts.release = {"fedora", "42", "", "x86_64"};
  facts.engine.kind = EngineKind::podman;
  facts.engine.version = "5.4.2";
  facts.engine.cli_is_podman = true;
  facts.engine.cdi_known = false;
  facts.engine.cdi_dirs.clear();
  facts.containers.push_back(container("ollama", "docker.io/ollama/ollama:latest"));
  facts.containers[0].device_paths = {"nvidia.com/gpu=all", "/dev/fuse"};
  return {"fedora", facts};
}

// WSL: one device, other nodes and libraries.
inline Base wsl() {
  ReadinessFacts facts = machine("/usr/lib/wsl/lib", "560.94", {kUuid0});
  facts.release = {"ubuntu", "22.04", "debian", "x86_64"};
  facts.kernel.in_wsl = facts.kernel.has_dxg = true;
  facts.kernel.module_version.clear();
  facts.engine.kind = EngineKind::docker;
  facts.engine.version = "28.2.0";
  CdiFile& file = facts.cdi.files[0];
  file.spec.edits.nodes = {{"/dev/dxg", {}, {}, {}, {}, {}, {}, {}, {}}};
  const std::string store = "/usr/lib/wsl/drivers/nv_dispi.inf_amd64_1/";
  file.spec.edits.mounts = {{store + "libcuda.so.1.1", store + "libcuda.so.1.1", {}, {"ro"}}};
  file.spec.devices.resize(1);
  file.spec.devices[0].name = "all";
  file.spec.devices[0].edits.nodes = file.spec.edits.nodes;
  facts.cdi.hosts.clear();
  add_hosts(facts.cdi);
  facts.containers.push_back(container("ollama", "ollama/ollama"));
  give(facts.containers[0], "nvidia.com/gpu=all");
  return {"wsl", facts};
}

inline std::vector<Base> all() {
  return {debian(), ubuntu(), fedora(), wsl()};
}
// With Docker and an ordinary driver: debian, ubuntu; then fedora with Podman.
inline std::vector<Base> ordinary() {
  return {debian(), ubuntu(), fedora()};
}

}  // namespace bases

// What the C and P rules find, in the order of their tables: "C1 P5".
inline std::string found_in(const ReadinessFacts& facts) {
  std::string ids;
  for (const auto rules : {cdi_rules(), application_rules()}) {
    for (const Rule& rule : rules) {
      if (rule.find == nullptr || rule.find(facts).empty()) continue;
      ids += (ids.empty() ? "" : " ") + std::string(rule.id);
    }
  }
  return ids;
}
// The first hit of one rule.
inline Hit first_hit(std::string_view id, const ReadinessFacts& facts) {
  for (const auto rules : {cdi_rules(), application_rules()}) {
    for (const Rule& rule : rules) {
      if (rule.id != id) continue;
      const auto hits = rule.find(facts);
      return hits.empty() ? Hit{} : hits.front();
    }
  }
  return {};
}

}  // namespace estiva::decide
