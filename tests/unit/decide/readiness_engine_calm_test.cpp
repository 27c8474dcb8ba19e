// The smallest changes that are none of K1 to K32: nothing may be found.
#include "unit/decide/readiness_engine_changes.h"

namespace estiva::decide {
namespace {

using namespace engine_changes;

TEST(ReadinessEngine, DockerThatGoesWell) {
  expect_near_misses({
      {"K1",
       "CDI alone, without the toolkit",
       {kDebian, kRhel, kArch},
       [](Facts& f) { f.toolkit = {}; }},
      {"K1",
       "nvidia-cdi-hook alone is enough from 29.2 on",
       {kUbuntu},
       [](Facts& f) { f.toolkit.programs.erase("nvidia-container-runtime-hook"); }},
      {"K1", "dockerd's PATH is not known", kHosts,
       [](Facts& f) {
         f.engine.search_path.clear();
         add_flag(f);
       }},
      {"K1", "no GPU", {{"cpu_only", cpu_only}}, add_flag},
      {"K1",
       "only the engine's socket is in this container",
       {{"plain_container", plain_container}},
       [](Facts& f) { f.engine = debian_host().engine; }},
      {"K2", "an upgrade: the configuration is older", kHosts,
       [](Facts& f) {
         f.containers.clear();
         for (auto& [name, program] : f.toolkit.programs) program.changed_at = f.now - 60;
       }},
      {"K2", "it works already", kHosts,
       [](Facts& f) {
         for (auto& [name, program] : f.toolkit.programs) program.changed_at = f.now - 60;
         f.toolkit.config.modified_at = f.now - 60;
         add_flag(f);
       }},
      {"K2", "as old as dockerd", kHosts,
       [](Facts& f) {
         f.containers.clear();
         f.toolkit.config.modified_at = f.now;
         for (auto& [name, program] : f.toolkit.programs) program.changed_at = *f.engine.started_at;
       }},
      {"K4", "28.2", kHosts,
       [](Facts& f) {
         f.engine.version = "28.2.0";
         f.containers = {cdi_container("ollama", "always")};
       }},
      {"K4", "no restart policy", kHosts,
       [](Facts& f) {
         f.engine.version = "28.1.1";
         f.containers = {cdi_container("ollama", "no"), cdi_container("xtts", "on-failure")};
       }},
      {"K5", "Docker says that it is after it", kHosts,
       [](Facts& f) {
         volatile_spec(f);
         f.units[0].text += "[Unit]\nAfter=nvidia-cdi-refresh.service\n";
         f.units.push_back(make_unit("nvidia-cdi-refresh.service", "[Service]\n", true));
       }},
      {"K5",
       "a spec that lasts",
       {kDebian, kRhel, kArch},
       [](Facts& f) {
         f.units.push_back(make_unit("nvidia-cdi-refresh.service", "[Service]\n", true));
       }},
      {"K5", "the unit is off", kHosts,
       [](Facts& f) {
         volatile_spec(f);
         f.units.push_back(make_unit("nvidia-cdi-refresh.service", "[Service]\n", false));
       }},
      {"K6", "the guide's units are off", kHosts,
       [](Facts& f) {
         guide_units(f);
         for (UnitFact& one : f.units)
           one.is_enabled = one.is_enabled && one.name.find("nvidia-cdi-g") != 0 &&
                            one.name.find("docker-n") != 0;
       }},
      {"K12", "a snap that has the runtime", kHosts,
       [](Facts& f) {
         f.engine.kind = EngineKind::docker_snap;
         f.engine.discovered.clear();
         f.engine.runtimes.emplace_back("nvidia");
       }},
      {"K13",
       "Docker Desktop in WSL",
       {kWsl},
       [](Facts& f) { f.engine.kind = EngineKind::docker_desktop; }},
      {"K14",
       "Podman 5",
       {kDebian, kUbuntu, kArch},
       [](Facts& f) {
         f.engine.kind = EngineKind::podman;
         f.engine.version = "5.0.0";
         f.engine.cli_is_podman = true;
       }},
      {"K32",
       "29.1 does not look for CDI",
       {kDebian, kRhel, kArch},
       [](Facts& f) {
         f.engine.discovered.clear();
         add_flag(f);
       }},
  });
}

TEST(ReadinessEngine, DaemonJsonThatDockerTakes) {
  for (const char* text :
       {"", " \n", "\xEF\xBB\xBF{}", "{\"runtimes\": null, \"features\": null}",
        "{\"log-opts\": {\"max-size\": \"10m\"}}", "{\"features\": {\"buildkit\": true}}",
        "{\"debug\": true, \"debug\": true}", "{\"cdi-spec-dirs\": [\"/etc/cdi\"]}",
        "{\"default-runtime\": \"runc\"}"}) {
    Facts facts = debian_host();
    json(facts, text);
    EXPECT_EQ(ids_of(facts), Ids{}) << text << told(facts);
  }
  Facts facts = debian_host();
  json(facts, "{\n  \"debug\": true,\n}\n");
  EXPECT_EQ(finding(facts, "K7").evidence[0].line, 2U);
  EXPECT_EQ(finding(facts, "K7").evidence[0].path, "/etc/docker/daemon.json");
}

TEST(ReadinessEngine, DaemonJsonThatNeedsNothing) {
  expect_near_misses({
      {"K8", "a drop-in took the flag away", kHosts,
       [](Facts& f) {
         json(f, "{\"hosts\": [\"unix:///var/run/docker.sock\"]}");
         f.units[0].text += "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd\n";
       }},
      {"K8", "runtimes may be in both places", kHosts,
       [](Facts& f) {
         f.units[0].text +=
             "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd "
             "--add-runtime=nvidia=/usr/bin/nvidia-container-runtime\n";
         f.engine.runtimes.emplace_back("nvidia");
         json(f, "{\"runtimes\": {\"nvidia\": {\"path\": \"nvidia-container-runtime\"}}}");
       }},
      {"K9", "the flag declares the default runtime", kHosts,
       [](Facts& f) {
         json(f, "{\"default-runtime\": \"nvidia\"}");
         f.units[0].text +=
             "[Service]\nExecStart=\nExecStart=/usr/bin/dockerd "
             "--add-runtime nvidia=/usr/bin/nvidia-container-runtime\n";
       }},
      {"K9", "the runtimes are not known", kHosts,
       [](Facts& f) {
         f.engine.runtimes.clear();
         f.containers[0].runtime = "nvidia";
       }},
      {"K10", "the feature is off on purpose", kHosts,
       [](Facts& f) {
         json(f, "{\"features\": {\"cdi\": true, \"buildkit\": false}}");
         f.engine.daemon_json_before.text = std::string("{\"features\": {\"buildkit\": true}}");
       }},
      {"K10", "no set-up was there", kHosts,
       [](Facts& f) {
         json(f, "{\"features\": {}}");
         f.engine.daemon_json_before.text = std::string("{\"features\": {\"buildkit\": true}}");
       }},
      {"K11", "nobody looked for it", kHosts,
       [](Facts& f) {
         f.engine.runtimes.emplace_back("nvidia");
         json(f, "{\"runtimes\": {\"nvidia\": {\"path\": \"/opt/nvidia-container-runtime\"}}}");
       }},
      {"K11", "it is there", kHosts,
       [](Facts& f) {
         f.engine.runtimes.emplace_back("nvidia");
         json(f, "{\"runtimes\": {\"nvidia\": {\"path\": \"nvidia-container-runtime\"}}}");
         f.engine.runtime_paths["nvidia-container-runtime"] = {true, true, false, false, 0, 0};
       }},
  });
}

TEST(ReadinessEngine, TheToolkitThatGoesWell) {
  expect_near_misses({
      {"K15", "no-cgroups is set", kHookHosts,
       [](Facts& f) {
         f.engine.is_rootless = true;
         config(f, "no-cgroups = true\n");
         add_flag(f);
       }},
      {"K16", "commented out", kHookHosts,
       [](Facts& f) {
         config(f, "#no-cgroups = true\n");
         add_flag(f);
       }},
      {"K17", "cgroupfs", kHookHosts,
       [](Facts& f) {
         f.driver.char_links.clear();
         f.engine.cgroup_driver = "cgroupfs";
         add_flag(f);
       }},
      {"K17", "only CDI", kHookHosts, [](Facts& f) { f.driver.char_links.clear(); }},
      {"K17", "the nodes are named", kHookHosts,
       [](Facts& f) {
         f.driver.char_links.clear();
         add_flag(f);
         f.containers.back().device_paths = {"/dev/nvidia0", "/dev/nvidiactl"};
       }},
      {"K17",
       "Docker 29.2 turns --gpus into CDI",
       {kUbuntu},
       [](Facts& f) { f.driver.char_links.clear(); }},
      {"K18", "toolkit 1.8.1", kHosts,
       [](Facts& f) {
         for (auto& [name, program] : f.toolkit.programs) program.version = "1.8.1";
         f.kernel.kernels[0].release = "5.4.0-100-generic";
       }},
      {"K18", "kernel 5.6", kHosts,
       [](Facts& f) {
         for (auto& [name, program] : f.toolkit.programs) program.version = "1.8.0";
         f.kernel.kernels[0].release = "5.6.0-1-generic";
       }},
      {"K19", "a path inside the container", kHosts,
       [](Facts& f) {
         config(f, "ldconfig = \"/sbin/ldconfig.real\"\n");
         f.toolkit.ldconfig_exists = false;
       }},
      {"K20", "another error of the linker's cache", kHookHosts,
       [](Facts& f) {
         add_flag(f);
         f.containers.back().error =
             "nvidia-container-cli: ldcache error: open failed: /sbin/ldconfig.real: no such file";
       }},
      {"K21", "1.18.1", kHosts, [](Facts& f) { in_memory(f, "1.18.1"); }},
      {"K21", "a spec without hooks", kHosts, [](Facts& f) { in_memory(f, "1.18.0"); }},
      {"K21", "1.18.0 on a disk", kHosts,
       [](Facts& f) {
         for (auto& [name, program] : f.toolkit.programs) program.version = "1.18.0";
       }},
      {"K28", "mode auto on a PC", kHookHosts, add_flag},
      {"K28", "mode cdi, and the runtime instead of the flag", kHookHosts,
       [](Facts& f) {
         config(f, "mode = \"cdi\"\n");
         add_flag(f);
         f.containers.back().requests.clear();
         f.containers.back().runtime = "nvidia";
         f.engine.runtimes.emplace_back("nvidia");
       }},
      {"K30", "LXC with all of it", {kDebian, kArch}, lxc},
      {"K30",
       "a Docker container",
       {{"plain_container", plain_container}},
       [](Facts& f) { f.toolkit = debian_host().toolkit; }},
      {"K30",
       "LXC that wants none",
       {kDebian},
       [](Facts& f) {
         f = plain_container();
         lxc(f);
       }},
      {"K31", "Docker does not label", kHosts,
       [](Facts& f) {
         selinux(f);
         f.engine.info = "{}";
       }},
      {"K31", "permissive", kHosts,
       [](Facts& f) {
         selinux(f);
         f.kernel.selinux = std::string("permissive");
       }},
  });
}

TEST(ReadinessEngine, ImagesThatGoWell) {
  const auto require = [](const std::string& text) {
    return [=](Facts& f) {
      add_flag(f);
      f.containers.back().environment = {"NVIDIA_REQUIRE_CUDA=" + text};
    };
  };
  expect_near_misses({
      {"K22", "the same CUDA", {kDebian}, require("cuda>=12.4")},
      {"K22",
       "an alternative for this driver",
       {kDebian},
       require("cuda>=99.1 brand=geforce,driver>=550,driver<551")},
      {"K22",
       "switched off",
       {kDebian},
       [=](Facts& f) {
         require("cuda>=99.1")(f);
         f.containers.back().environment.emplace_back("NVIDIA_DISABLE_REQUIRE=true");
       }},
      {"K22", "CDI does not look", kHosts,
       [](Facts& f) { f.containers[0].environment = {"NVIDIA_REQUIRE_CUDA=cuda>=99.1"}; }},
      {"K23",
       "the oldest driver for CUDA 12",
       {kDebian, kRhel, kWsl},
       [](Facts& f) {
         f.driver.status.version = "525.60.13";
         f.images[0].cuda_version = "12.2.0";
       }},
      {"K23",
       "the container uses no GPU",
       {kDebian, kRhel},
       [](Facts& f) {
         f.images[0].cuda_version = "13.0.1";
         f.containers[0].requests.clear();
       }},
      {"K24", "another error of cudaGetDeviceCount", kHosts,
       [](Facts& f) {
         f.containers[0].log = {"RuntimeError: Error 100: no CUDA-capable device is detected"};
       }},
      {"K25", "another error of the compatibility libraries", kHosts,
       [](Facts& f) {
         f.containers[0].log = {"Error 803: system has unsupported display driver"};
       }},
      {"K27", "a file that can't be made for another reason", kHosts,
       [](Facts& f) {
         f.containers[0].error =
             "nvidia-container-cli: mount error: file creation failed: /x/libnvidia-ml.so.1: "
             "read-only file system";
       }},
      {"K25",
       "the image is not newer",
       {kDebian},
       [](Facts& f) {
         f.images[0].environment = {"NV_CUDA_COMPAT_PACKAGE=cuda-compat-12-2"};
         f.cdi.files[0].spec.edits.hooks = {
             {"createContainer", "h", {"enable-cuda-compat"}, {}, {}}};
       }},
      {"K25",
       "a data centre's card",
       {kRhel},
       [](Facts& f) {
         compat_image(f);
         f.driver.status.cuda_version = 12000U;
       }},
      {"K25",
       "a CUDA of the next major version fails before it gets there",
       {kDebian},
       [](Facts& f) {
         compat_image(f);
         f.images[0].cuda_version = "13.0.1";
       },
       {"K23"}},
      {"K26",
       "Turing and CUDA 13",
       {kUbuntu, kArch},
       [](Facts& f) {
         f.driver.gpus[0].identity.compute_capability = 75U;
         f.images[0].cuda_version = "13.0.1";
       }},
      {"K26", "Ada runs what is built for Ampere", kHosts,
       [](Facts& f) {
         f.driver.gpus[0].identity.compute_capability = 89U;
         f.images[0].cuda_version = "11.0.3";
       }},
      {"K26", "Blackwell and CUDA 12.8", kHosts,
       [](Facts& f) {
         f.driver.gpus[0].identity.compute_capability = 120U;
         f.images[0].cuda_version = "12.8.0";
       }},
  });
  Facts facts = debian_host();
  require("cuda>=12.5 brand=tesla,driver>=470,driver<471")(facts);
  EXPECT_EQ(finding(facts, "K22").title,
            "xtts wants cuda>=12.5, and driver 550.163.01 offers CUDA 12.4");
}

}  // namespace
}  // namespace estiva::decide
