// K1 to K32: one change on several healthy machines finds exactly what is declared.
#include "unit/decide/readiness_engine_changes.h"

namespace estiva::decide {
namespace {

using namespace engine_changes;

std::vector<Case> docker_cases() {
  return {
      {"K1", "no toolkit, and --gpus is used", kHosts,
       [](Facts& f) {
         f.toolkit = {};
         add_flag(f);
       }},
      {"K1", "the hook is not on dockerd's PATH", kHosts,
       [](Facts& f) {
         f.engine.search_path = "/sbin:/bin";
         add_flag(f);
       }},
      {"K1",
       "no toolkit and no CDI spec",
       {kDebian, kRhel, kArch},
       [](Facts& f) {
         f.toolkit = {};
         f.cdi.files.clear();
       }},
      {"K2", "the toolkit is newer than dockerd", kHosts,
       [](Facts& f) {
         f.containers = {cdi_container("ollama", "no")};
         for (auto& [name, program] : f.toolkit.programs) program.changed_at = f.now - 60;
         f.toolkit.config.modified_at = f.now - 60;
       }},
      {"K3",
       "CDI is off, and a container wants it",
       kHosts,
       no_cdi,
       Severity::error,
       {{"ubuntu", {"K32"}}}},
      {"K3", "a Docker from before CDI", kHosts,
       [](Facts& f) {
         f.engine.version = "24.0.7";
         f.engine.cdi_known = false;
         f.engine.cdi_dirs.clear();
         json(f, "");
       }},
      {"K4", "Docker 27, CDI and a restart policy", kHosts,
       [](Facts& f) {
         f.engine.version = "28.1.1";
         f.containers = {cdi_container("ollama", "unless-stopped")};
       }},
      {"K5",
       "the spec is made by a unit without order",
       kHosts,
       [](Facts& f) {
         volatile_spec(f);
         f.containers = {cdi_container("ollama", "always")};
         f.units.push_back(
             make_unit("nvidia-cdi-refresh.service", "[Service]\nType=oneshot\n", true));
       },
       Severity::error,
       {{"rhel", {"K4"}}}},
      {"K6", "the guide's units", kHosts, guide_units},
      {"K6", "NVIDIA's own ring: before Docker and after multi-user", kHosts,
       [](Facts& f) {
         std::erase_if(
             f.units, [](const UnitFact& one) { return one.name == "nvidia-cdi-refresh.service"; });
         f.units.push_back(make_unit("nvidia-cdi-refresh.service",
                                     std::string(kRefresh) +
                                         "[Unit]\nBefore=docker.service\n"
                                         "[Install]\nWantedBy=multi-user.target\n",
                                     true));
       }},
      {"K12", "Docker is a snap", kHosts,
       [](Facts& f) {
         f.engine.kind = EngineKind::docker_snap;
         f.engine.discovered.clear();
       }},
      {"K13", "Docker Desktop", kHosts,
       [](Facts& f) {
         f.engine.kind = EngineKind::docker_desktop;
         f.engine.discovered.clear();
       }},
      {"K14",
       "Podman 4 as docker",
       {kDebian, kUbuntu, kArch},
       [](Facts& f) {
         f.engine.kind = EngineKind::podman;
         f.engine.version = "4.9.4";
         f.engine.cli_is_podman = true;
       },
       Severity::warning},
      {"K32", "Docker 29.2 finds no CDI device", kHosts,
       [](Facts& f) {
         f.engine.version = "29.2.0";
         f.engine.discovered.clear();
         add_flag(f);
       },
       Severity::warning},
  };
}

std::vector<Case> config_cases() {
  return {
      {"K7", "a comma too many", kHosts, [](Facts& f) { json(f, "{\n  \"debug\": true,\n}\n"); }},
      {"K7", "a second document", kHosts, [](Facts& f) { json(f, "{}\n{}\n"); }},
      {"K7", "a comment", kHosts, [](Facts& f) { json(f, "{} // runtimes\n"); }},
      {"K7", "a list", kHosts, [](Facts& f) { json(f, "[]"); }},
      {"K7", "features as text", kHosts,
       [](Facts& f) { json(f, "{\"features\": {\"cdi\": \"true\"}}"); }},
      {"K7", "runtimes as a list", kHosts, [](Facts& f) { json(f, "{\"runtimes\": []}"); }},
      {"K7", "cdi-spec-dirs as a text", kHosts,
       [](Facts& f) { json(f, "{\"cdi-spec-dirs\": \"/etc/cdi\"}"); }},
      {"K7", "log options as a text", kHosts, [](Facts& f) { json(f, "{\"log-opts\": \"bad\"}"); }},
      {"K7", "a name with a slip of the pen", kHosts,
       [](Facts& f) { json(f, "{\"featuers\": {\"cdi\": true}}"); }},
      {"K7", "debug as a text", kHosts, [](Facts& f) { json(f, "{\"debug\": \"yes\"}"); }},
      {"K8", "hosts in both places", kHosts,
       [](Facts& f) { json(f, "{\"hosts\": [\"tcp://127.0.0.1:2375\"]}"); }},
      {"K8", "containerd in both places", kHosts,
       [](Facts& f) { json(f, "{\"containerd\": \"/run/containerd/containerd.sock\"}"); }},
      {"K9", "a container's runtime is not known", kHosts,
       [](Facts& f) { f.containers[0].runtime = "nvidia"; }},
      {"K9", "the runtime is declared and not loaded", kHosts,
       [](Facts& f) {
         json(f, "{\"runtimes\": {\"nvidia\": {\"path\": \"/usr/bin/nvidia-container-runtime\"}}}");
       }},
      {"K9", "the default runtime is not declared", kHosts,
       [](Facts& f) { json(f, "{\"default-runtime\": \"nvidia\"}"); }},
      {"K10", "a feature is gone since the set-up", kHosts,
       [](Facts& f) {
         json(f, "{\"features\": {\"cdi\": true}}");
         f.engine.daemon_json_before.path = "/etc/docker/daemon.json.bak";
         f.engine.daemon_json_before.text =
             std::string("{\"features\": {\"containerd-snapshotter\": true}}");
       },
       Severity::warning},
      {"K10",
       "the image store in use is not named any more",
       {kDebian, kRhel, kWsl},
       [](Facts& f) {
         json(f, "{\"features\": {\"cdi\": true}}");
         f.engine.info = R"({"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]})";
       },
       Severity::warning},
      {"K11", "the program of the second runtime", kHosts,
       [](Facts& f) {
         json(f, R"({"runtimes": {"a": {"path": "/bin/a"}, "nvidia": {"path": "/opt/b"}}})");
         f.engine.runtimes.emplace_back("nvidia");
         f.engine.runtime_paths = {{"/bin/a", {true, true}}, {"/opt/b", {}}};
       }},
      {"K11", "the runtime's program is not there", kHosts,
       [](Facts& f) {
         json(f, "{\"runtimes\": {\"nvidia\": {\"path\": \"nvidia-container-runtime\"}}}");
         f.engine.runtimes.emplace_back("nvidia");
         f.engine.runtime_paths["nvidia-container-runtime"] = {};
       }},
  };
}

std::vector<Case> toolkit_cases() {
  return {
      {"K15", "rootless with cgroups", kHookHosts,
       [](Facts& f) {
         f.engine.is_rootless = true;
         add_flag(f);
       }},
      {"K15", "rootless, and nobody uses --gpus yet", kHookHosts,
       [](Facts& f) { f.engine.is_rootless = true; }, Severity::warning},
      {"K16", "no-cgroups and a rootful engine", kHookHosts,
       [](Facts& f) {
         config(f, "[nvidia-container-cli]\nno-cgroups = true\n");
         add_flag(f);
       }},
      {"K17", "legacy, systemd's cgroups and no links", kHookHosts,
       [](Facts& f) {
         f.driver.char_links.clear();
         add_flag(f);
       }},
      {"K17",
       "the nvidia runtime of an old toolkit",
       {kDebian, kRhel, kUbuntu},
       [](Facts& f) {
         f.driver.char_links.clear();
         f.engine.runtimes.emplace_back("nvidia");
         f.toolkit.programs["nvidia-ctk"].version = "1.17.8";
         f.containers[0].requests.clear();
         f.containers[0].runtime = "nvidia";
         f.containers[0].environment = {"NVIDIA_VISIBLE_DEVICES=all"};
       }},
      {"K18", "toolkit 1.8.0 on kernel 5.4", kHosts,
       [](Facts& f) {
         for (auto& [name, program] : f.toolkit.programs) program.version = "1.8.0";
         f.kernel.kernels[0].release = "5.4.0-100-generic";
       }},
      {"K19", "ldconfig is elsewhere", kHosts,
       [](Facts& f) {
         config(f, "ldconfig = \"@/sbin/ldconfig.real\"\n");
         f.toolkit.ldconfig_exists = false;
       }},
      {"K20", "ldconfig failed", kHosts,
       [](Facts& f) {
         f.containers[0].error =
             "nvidia-container-cli: ldcache error: process /sbin/ldconfig.real failed with error "
             "code: 1: unknown";
       }},
      {"K21", "toolkit 1.18.0 in memory", kHosts,
       [](Facts& f) {
         in_memory(f, "1.18.0");
         f.cdi.files[0].spec.edits.hooks = {
             {"createContainer", "/usr/bin/nvidia-cdi-hook", {"x", "update-ldcache"}, {}, {}}};
       }},
      {"K21", "toolkit 1.18.0 in memory, and no spec that it could have made", kHosts,
       [](Facts& f) {
         in_memory(f, "1.18.0");
         f.cdi.files.clear();
         f.containers.clear();
       }},
      {"K28", "--gpus on a Jetson", kHookHosts,
       [](Facts& f) {
         f.kernel.is_tegra = true;
         add_flag(f);
       }},
      {"K28", "--gpus with mode csv", kHookHosts,
       [](Facts& f) {
         config(f, "mode = \"csv\"\n");
         add_flag(f);
       }},
      {"K30",
       "LXC without nodes",
       {kDebian, kUbuntu, kRhel, kArch},
       [](Facts& f) {
         lxc(f);
         f.driver.missing_nodes = {"/dev/nvidia0", "/dev/nvidia-uvm"};
       }},
      {"K31", "SELinux and a Docker that labels", kHosts, selinux},
  };
}

std::vector<Case> image_cases() {
  return {
      {"K22", "the image wants a newer CUDA", kHookHosts,
       [](Facts& f) {
         add_flag(f);
         f.containers.back().environment = {
             "NVIDIA_REQUIRE_CUDA=cuda>=99.1 brand=tesla,driver>=999,driver<1000"};
       }},
      {"K23",
       "CUDA 13 on an older driver",
       {kDebian, kRhel, kWsl},
       [](Facts& f) { f.images[0].cuda_version = "13.0.1"; }},
      {"K24", "error 803", kHosts,
       [](Facts& f) {
         f.containers[0].log = {
             "RuntimeError: Error 803: system has unsupported display driver / "
             "cuda driver combination"};
       }},
      {"K25", "error 804", kHosts,
       [](Facts& f) {
         f.containers[0].log = {
             "Error 804: forward compatibility was attempted on non supported HW"};
       }},
      {"K25",
       "compatibility libraries on a GeForce",
       {kDebian, kUbuntu, kArch},
       [](Facts& f) {
         f.driver.status.cuda_version = 12000U;
         f.images[0].environment = {"NV_CUDA_COMPAT_PACKAGE=cuda-compat-12-8"};
         f.cdi.files[0].spec.edits.hooks = {{"createContainer",
                                             "/usr/bin/nvidia-cdi-hook",
                                             {"nvidia-cdi-hook", "enable-cuda-compat"},
                                             {},
                                             {}}};
       },
       Severity::warning},
      {"K26",
       "a Pascal card and CUDA 13",
       {kUbuntu, kArch, kWsl},
       [](Facts& f) {
         f.driver.status.version = "580.95.05";
         f.driver.gpus[0].identity.compute_capability = 61U;
         f.images[0].cuda_version = "13.0.1";
       }},
      {"K26", "a Hopper card and CUDA 11.7", kHosts,
       [](Facts& f) {
         f.driver.gpus[0].identity.compute_capability = 90U;
         f.images[0].cuda_version = "11.7.1";
       },
       Severity::warning},
      {"K26", "a Kepler card and CUDA 12", kHosts,
       [](Facts& f) {
         f.driver.gpus[0].identity.compute_capability = 37U;
         f.images[0].cuda_version = "12.2.2";
       }},
      {"K26", "a Blackwell card and CUDA 12.4", kHosts,
       [](Facts& f) {
         f.driver.gpus[0].identity.compute_capability = 120U;
         f.images[0].cuda_version = "12.4.1";
       },
       Severity::warning},
      {"K27", "a driver's file in the image", kHosts,
       [](Facts& f) {
         f.containers[0].error =
             "nvidia-container-cli: mount error: file creation failed: /var/lib/docker/overlay2/x/"
             "merged/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.1: file exists: unknown";
       }},
  };
}

TEST(ReadinessEngine, OneChangeFindsExactlyItsSignature) {
  expect_cases(docker_cases());
  expect_cases(config_cases());
  expect_cases(toolkit_cases());
  expect_cases(image_cases());
}

TEST(ReadinessEngine, WslWithoutAGpu) {
  expect_cases({
      {"K29", "WSL 1", {kWsl, kWsl, kWsl}, [](Facts& f) { f.kernel.has_dxg = false; }},
      {"K29",
       "Windows has no driver",
       {kWsl, kWsl, kWsl},
       [](Facts& f) { f.driver.files.libraries.clear(); }},
  });
  expect_near_misses({{"K29", "nobody wants one", {kWsl}, [](Facts& f) {
                         f.driver.files.libraries.clear();
                         f.toolkit = {};
                         f.containers.clear();
                       }}});
}

TEST(ReadinessEngine, WhatIsOnlyATrapOrWorthKnowing) {
  Facts facts = debian_host();
  facts.containers.clear();
  no_cdi(facts);
  EXPECT_EQ(finding(facts, "K3").severity, Severity::warning);
  facts.toolkit = {};
  facts.cdi.files.clear();
  EXPECT_EQ(finding(facts, "K3").severity, Severity::error);
  facts = debian_host();
  facts.containers = {flag_container("xtts")};
  facts.engine.version = "20.10.24";
  no_cdi(facts);
  EXPECT_EQ(ids_of(facts), Ids{"K3"});
  EXPECT_EQ(finding(facts, "K3").severity, Severity::info);

  facts = rhel_host();
  no_cdi(facts);
  EXPECT_EQ(finding(facts, "K3").title,
            "/etc/docker/daemon.json switches CDI on, and Docker was not restarted since");
  EXPECT_EQ(finding(facts, "K3").evidence.back(),
            (Evidence{Evidence::Source::file, "/etc/docker/daemon.json", 2,
                      "\"features\": {\"cdi\": true}"}));

  facts = debian_host();
  volatile_spec(facts);
  facts.containers.clear();
  facts.units.push_back(make_unit("nvidia-cdi-refresh.service", kRefresh, true));
  EXPECT_EQ(finding(facts, "K5").severity, Severity::info) << told(facts);

  facts = podman_only();
  facts.kernel.container_use_devices = false;
  EXPECT_EQ(ids_of(facts), Ids{"K31"});
  EXPECT_EQ(finding(facts, "K31").severity, Severity::warning);

  facts = rhel_host();
  facts.images[0].cuda_version = "13.0.1";
  facts.images[0].environment = {"NV_CUDA_COMPAT_PACKAGE=cuda-compat-13-0"};
  EXPECT_EQ(finding(facts, "K23").severity, Severity::warning) << "a data centre card may use it";
}

TEST(ReadinessEngine, TheEvidenceIsTheLineThatSaysIt) {
  Facts facts = debian_host();
  const std::string line = "Error 804: forward compatibility was attempted on non supported HW";
  facts.containers[0].error = "exited with code 1";
  facts.containers[0].log = {"starting", line};
  const Finding in_log = finding(facts, "K25");
  ASSERT_EQ(in_log.evidence.size(), 1U);
  EXPECT_EQ(in_log.evidence[0].text, line);

  facts.containers[0].error = line;
  facts.containers[0].log = {};
  EXPECT_EQ(finding(facts, "K25").evidence.at(0).text, line);
}

TEST(ReadinessCdi, TwoFilesThatMeetInManyDevicesAreOneFinding) {
  Facts facts = debian_host();
  std::vector<CdiDevice>& devices = facts.cdi.files[0].spec.devices;
  while (devices.size() < 4) {
    devices.push_back(devices.front());
    devices.back().name = std::to_string(10 + devices.size());
  }
  facts.cdi.files.push_back(facts.cdi.files[0]);
  facts.cdi.files.back().path = "/etc/cdi/other.json";
  const std::vector<Finding> found = judge_readiness(facts);
  EXPECT_EQ(std::ranges::count(found, "C3", &Finding::id), 1);
}

TEST(ReadinessCdi, ASpecOfOtherNodesAltogetherLacksNothing) {
  Facts facts = debian_host();
  CdiSpec& jetson = facts.cdi.files[0].spec;
  jetson.edits.nodes = {};
  for (CdiDevice& device : jetson.devices) device.edits.nodes = {};
  jetson.edits.mounts = {};
  const std::vector<Finding> found = judge_readiness(facts);
  EXPECT_EQ(std::ranges::count(found, "C11", &Finding::id), 0);
}

TEST(ReadinessEngine, NamesTheRing) {
  Facts facts = debian_host();
  guide_units(facts);
  const Finding found = finding(facts, "K6");
  EXPECT_EQ(found.title,
            "These units wait for each other, so systemd will leave out one of them at boot: "
            "docker-nvidia-setup.service waits for nvidia-cdi-generate.service "
            "(After=nvidia-cdi-generate.service in docker-nvidia-setup.service), "
            "nvidia-cdi-generate.service waits for multi-user.target (After=multi-user.target in "
            "nvidia-cdi-generate.service), multi-user.target waits for docker-nvidia-setup.service "
            "(WantedBy=multi-user.target in docker-nvidia-setup.service)");
  ASSERT_EQ(found.evidence.size(), 3U);
  EXPECT_EQ(found.evidence[0].path, "/usr/lib/systemd/system/docker-nvidia-setup.service");
}

}  // namespace
}  // namespace estiva::decide
