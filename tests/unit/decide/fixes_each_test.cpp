// What doctor mends by itself, one signature after the other: from the finding to the steps, and
// what they leave alone.
#include <gtest/gtest.h>

#include "decide/readiness/engine_look.h"
#include "decide/readiness/fixes.h"
#include "decide/setup/unit_graph.h"
#include "format/sha256.h"
#include "format/unit_file.h"
#include "unit/decide/readiness_driver_changes.h"
#include "unit/decide/readiness_engine_changes.h"

namespace estiva::decide {
namespace {

using namespace bases;
using driver_changes::node;
using engine_changes::add_flag;
using engine_changes::config;
using engine_changes::guide_units;
using engine_changes::json;
using engine_changes::selinux;

// The steps for what doctor finds of that id.
std::vector<Step> steps_for(const ReadinessFacts& facts, const std::string& id) {
  std::vector<Finding> found = judge_readiness(facts);
  EXPECT_TRUE(std::ranges::any_of(found, [&](const Finding& one) { return one.id == id; }))
      << told(facts);
  std::erase_if(found, [&](const Finding& one) { return one.id != id; });
  std::vector<Step> steps = plan_fixes(facts, found, "/usr/bin/estiva").steps;
  for (const Finding& one : found)
    EXPECT_EQ(one.remedy.fix, steps.empty() ? Fix::guide : Fix::automatic)
        << one.title << ": what is called automatic has steps, and what has none is a guide";
  return steps;
}

// The one file that is written.
Step only_file(const ReadinessFacts& facts, const std::string& id) {
  const auto steps = steps_for(facts, id);
  EXPECT_EQ(steps.size(), 1U);
  if (steps.empty()) return {};
  EXPECT_EQ(steps[0].kind, StepKind::write_file);
  EXPECT_TRUE(steps[0].reason.starts_with(id + ": ")) << steps[0].reason;
  return steps[0];
}

TEST(FixD4, AutomaticUpgradesLeaveTheDriverAlone) {
  ReadinessFacts facts = debian_host();
  facts.driver.upgrades_itself = true;
  facts.driver.held_packages.clear();
  facts.driver.packages = {{"nvidia-driver", "1"}, {"nvidia-kernel-dkms", "1"},
                           {"libcuda1", "1"},      {"libnvidia-ml1", "1"},
                           {"docker-ce", "1"},     {"nvidia-container-toolkit", "1"}};
  const Step step = only_file(facts, "D4");
  EXPECT_EQ(step.target, "/etc/apt/apt.conf.d/52estiva-nvidia");
  EXPECT_EQ(step.content,
            "// Written by estiva doctor --fix: the driver is upgraded by hand alone.\n"
            "Unattended-Upgrade::Package-Blacklist:: \"libcuda1$\";\n"
            "Unattended-Upgrade::Package-Blacklist:: \"libnvidia-ml1$\";\n"
            "Unattended-Upgrade::Package-Blacklist:: \"nvidia-driver$\";\n"
            "Unattended-Upgrade::Package-Blacklist:: \"nvidia-kernel-dkms$\";\n");
  // A module that is built for one kernel would be missing from the next.
  facts.driver.packages.emplace("linux-modules-nvidia-550-6.8.0-50-generic", "1");
  EXPECT_TRUE(steps_for(facts, "D4").empty());
}

TEST(FixD4, AMismatchIsForAPerson) {
  ReadinessFacts facts = debian_host();
  facts.kernel.kernels.back().nvidia_version = std::string("999.1");
  EXPECT_TRUE(steps_for(facts, "D4").empty());
  ReadinessFacts redhat = rhel_host();
  redhat.driver.upgrades_itself = true;
  redhat.driver.held_packages.clear();
  redhat.driver.packages = {{"nvidia-driver", "1"}};
  EXPECT_TRUE(steps_for(redhat, "D4").empty());
}

ReadinessFacts grouped(ReadinessFacts facts, gid_t gid) {
  node(facts, "/dev/nvidia0").mode = 0660;
  node(facts, "/dev/nvidia0").gid = gid;
  return facts;
}

TEST(FixD14, TheSpecGivesTheGroup) {
  ReadinessFacts facts = grouped(debian_host(), 44);
  const auto steps = steps_for(facts, "D14");
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].kind, StepKind::run_generator);
  EXPECT_EQ(steps[0].target, facts.cdi.files[0].path);
  EXPECT_TRUE(steps[0].content.starts_with("nvidia.com/gpu 0.7.0")) << "groups came with it";
  facts.engine.version = "26.1.4";
  EXPECT_TRUE(steps_for(facts, "D14").empty()) << "it can't read a spec with groups";
  facts.engine.version = "27.0.1";
  EXPECT_EQ(steps_for(facts, "D14").size(), 1U);
  facts.cdi.files.clear();
  EXPECT_TRUE(steps_for(facts, "D14").empty());
  EXPECT_TRUE(steps_for(grouped(debian_host(), 0), "D14").empty()) << "root's group is nobody's";
}

TEST(FixD20, EachGpuIsForAll) {
  ReadinessFacts facts = debian_host();
  facts.driver.compute_mode = 2U;
  facts.driver.gpus.push_back(facts.driver.gpus[0]);
  facts.driver.gpus[1].identity.id.uuid = "GPU-2";
  const auto steps = steps_for(facts, "D20");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].target, facts.driver.gpus[0].identity.id.uuid);
  EXPECT_EQ(steps[1].target, "GPU-2");
  for (const Step& one : steps) {
    EXPECT_EQ(one.kind, StepKind::set_compute_mode);
    EXPECT_EQ(one.content, "Default");
  }
  facts.kernel.in_container = true;
  EXPECT_TRUE(steps_for(facts, "D20").empty());
}

TEST(FixSpecs, TheyAreMadeAnewWithoutWhatBreaksThem) {
  ReadinessFacts mps = debian_host();
  mps.driver.mps_folder = true;
  mps.cdi.files[0].spec.edits.mounts.push_back({"/tmp/nvidia-mps", "/tmp/nvidia-mps", {}, {}});
  ReadinessFacts memory = debian_host();
  memory.kernel.root_fs = "rootfs";
  for (auto& [name, program] : memory.toolkit.programs) program.version = "1.18.0";
  const auto hook = [](const char* name) {
    return CdiHook{
        "createContainer", "/usr/bin/nvidia-cdi-hook", {"nvidia-cdi-hook", name}, {}, {}};
  };
  memory.cdi.files[0].spec.edits.hooks = {hook("update-ldcache")};
  ReadinessFacts compat = debian_host();
  compat.containers[0].log = {"forward compatibility was attempted on non supported HW"};
  compat.cdi.files[0].spec.edits.hooks = {hook("enable-cuda-compat")};
  for (const auto& [id, facts] : {std::pair("D21", mps), {"K21", memory}, {"K25", compat}}) {
    const auto steps = steps_for(facts, id);
    ASSERT_EQ(steps.size(), 1U) << id;
    EXPECT_EQ(steps[0].kind, StepKind::run_generator) << id;
    EXPECT_EQ(steps[0].target, facts.cdi.files[0].path) << id;
  }
  // The hook is not in the spec: it is the runtime's, or the image's own doing.
  memory.cdi.files[0].spec.edits.hooks.clear();
  EXPECT_FALSE(ids_of(memory).contains("K21"));
  memory.containers[0].runtime = "nvidia";
  memory.engine.runtimes.emplace_back("nvidia");
  memory.containers[0].environment = {"NVIDIA_VISIBLE_DEVICES=all"};
  memory.containers[0].requests.clear();
  EXPECT_TRUE(steps_for(memory, "K21").empty());
  compat.cdi.files[0].spec.edits.hooks.clear();
  EXPECT_TRUE(steps_for(compat, "K25").empty());
}

// One way back for all that --fix does, whatever a person would have to do by hand.
TEST(Fixes, WhatIsMendedByItselfIsTakenBackByUndo) {
  ReadinessFacts facts = debian_host();
  facts.kernel.modules = {{"nvidia", 0}};
  facts.driver.missing_nodes = {"/dev/nvidia-uvm"};
  std::size_t count = 0;
  for (const Finding& one : judge_readiness(facts)) {
    if (one.remedy.fix != Fix::automatic) continue;
    ++count;
    EXPECT_EQ(one.remedy.undo, "'estiva doctor --undo'") << one.id;
  }
  EXPECT_GT(count, 0U);
}

TEST(FixK4, AUnitStartsWhatDockerLeft) {
  ReadinessFacts facts = debian_host();
  facts.engine.version = "28.1.1";
  facts.containers = {cdi_container("ollama", "unless-stopped")};
  const auto steps = steps_for(facts, "K4");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0].target, "/etc/systemd/system/estiva-cdi-restart.service");
  EXPECT_EQ(steps[1].kind, StepKind::reload_units);
  EXPECT_EQ(steps[2].kind, StepKind::enable_unit);
  EXPECT_EQ(steps[2].target, kCdiRestartUnit);

  const auto file = format::parse_unit_file(steps[0].content);
  const auto commands = format::list_values(file, "Service", "ExecStart");
  ASSERT_EQ(commands.size(), 1U);
  const auto line = format::parse_exec_line(commands[0]->value);
  EXPECT_EQ(line.program, "/bin/sh");
  ASSERT_EQ(line.words.size(), 3U) << "the script is one word";
  EXPECT_EQ(line.words[1], "-c");
  EXPECT_NE(line.words[2].find("select device driver \\\"cdi\\\"\""), std::string::npos)
      << line.words[2];

  facts.units.push_back(make_unit(std::string(kCdiRestartUnit), steps[0].content, true));
  EXPECT_FALSE(ids_of(facts).contains("K4"));
  EXPECT_TRUE(find_unit_cycles(build_unit_graph(facts.units)).empty());
  facts.units.back().is_enabled = false;
  EXPECT_TRUE(ids_of(facts).contains("K4"));
  facts.engine.is_rootless = true;
  EXPECT_TRUE(steps_for(facts, "K4").empty());
}

TEST(FixK6, TheGuidesUnitNoLongerWaitsForItsTarget) {
  ReadinessFacts facts = debian_host();
  guide_units(facts);
  for (UnitFact& unit : facts.units)
    if (unit.name == "nvidia-cdi-generate.service") unit.path = "/etc/systemd/system/" + unit.name;
  const auto steps = steps_for(facts, "K6");
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(steps[0].target, "/etc/systemd/system/nvidia-cdi-generate.service");
  EXPECT_EQ(steps[0].content,
            "[Unit]\nDescription=Generate NVIDIA Container Device Interface\n"
            "Wants=nvidia-persistenced.service\n[Service]\nType=oneshot\n"
            "ExecStart=/usr/bin/nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml\n"
            "RemainAfterExit=true\nUser=root\n[Install]\nWantedBy=multi-user.target\n");
  EXPECT_EQ(steps[1].kind, StepKind::reload_units);
  for (UnitFact& unit : facts.units)
    if (unit.name == "nvidia-cdi-generate.service") unit.text = steps[0].content;
  EXPECT_FALSE(ids_of(facts).contains("K6"));
}

// NVIDIA's ring, with an After= line as `after` has it.
ReadinessFacts ring(const std::string& after, const std::string& install = "WantedBy") {
  ReadinessFacts facts = debian_host();
  std::erase_if(facts.units,
                [](const UnitFact& one) { return one.name == "nvidia-cdi-refresh.service"; });
  UnitFact unit = make_unit("nvidia-cdi-refresh.service",
                            "[Unit]\n" + after +
                                "Before=docker.service\n[Service]\nType=oneshot\n"
                                "[Install]\n" +
                                install + "=multi-user.target\n",
                            true);
  unit.path = "/usr/lib/systemd/system/nvidia-cdi-refresh.service";
  facts.units.push_back(unit);
  return facts;
}

TEST(FixK6, AUnitOfAPackageIsCoveredAndOnlyTheWordGoes) {
  const std::pair<const char*, const char*> cases[] = {
      {"After=multi-user.target\n", ""},
      {"After = multi-user.target\n", ""},
      {"After=network.target multi-user.target\n", "After=network.target\n"},
      {"After=multi-user.target network.target\n", "After=network.target\n"},
      {"After=network.target \\\n  multi-user.target\n", "After=network.target \\\n \n"},
      {"After=a-multi-user.target multi-user.target b\n", "After=a-multi-user.target b\n"},
      {"# After=multi-user.target\nAfter=multi-user.target\n", "# After=multi-user.target\n"},
  };
  for (const auto& [before, after] : cases) {
    const auto steps = steps_for(ring(before), "K6");
    ASSERT_EQ(steps.size(), 2U) << before;
    EXPECT_EQ(steps[0].target, "/etc/systemd/system/nvidia-cdi-refresh.service");
    EXPECT_EQ(steps[0].content, "[Unit]\n" + std::string(after) +
                                    "Before=docker.service\n[Service]\nType=oneshot\n"
                                    "[Install]\nWantedBy=multi-user.target\n")
        << before;
  }
}

TEST(FixK6, WhatCouldBeMeantIsLeftAlone) {
  ReadinessFacts dropped = ring("After=multi-user.target\n");
  dropped.units.back().drop_ins = {"/etc/systemd/system/nvidia-cdi-refresh.service.d/a.conf"};
  EXPECT_TRUE(steps_for(dropped, "K6").empty()) << "the line may stand in either file";
  ReadinessFacts mutual = debian_host();
  for (const char* name : {"a", "b"}) {
    UnitFact unit = make_unit(std::string("nvidia-") + name + ".service",
                              std::string("[Unit]\nAfter=nvidia-") + (*name == 'a' ? "b" : "a") +
                                  ".service\n[Install]\nWantedBy=multi-user.target\n",
                              true);
    unit.path = "/etc/systemd/system/" + unit.name;
    mutual.units.push_back(unit);
  }
  EXPECT_TRUE(steps_for(mutual, "K6").empty()) << "which of the two is wrong?";
}

TEST(FixK7, SlipsOfThePenAreMended) {
  ReadinessFacts facts = debian_host();
  json(facts, "{\n  \"features\": {\"cdi\": true,},\n");
  const Step step = only_file(facts, "K7");
  EXPECT_EQ(step.target, "/etc/docker/daemon.json");
  EXPECT_EQ(step.content, "{\n  \"features\": {\"cdi\": true}\n}\n");
  for (const char* text :
       {"{\"features\": \"all\"}", "{\"features\": \"all\",}", "[1,]", "{} {}"}) {
    json(facts, text);
    EXPECT_TRUE(steps_for(facts, "K7").empty()) << text;
  }
}

TEST(FixK8, TheFlagStays) {
  ReadinessFacts facts = debian_host();
  for (UnitFact& unit : facts.units)
    if (unit.name == "docker.service")
      unit.text =
          "[Service]\nExecStart=/usr/bin/dockerd -H fd:// --log-opt max-size=5m "
          "--log-opt max-file=2\n";
  json(facts,
       "{\n  \"hosts\": [\"fd://\"],\n  \"log-opts\": {\"max-size\": \"10m\"},\n"
       "  \"debug\": false\n}\n");
  const Step step = only_file(facts, "K8");
  EXPECT_EQ(step.content, "{\n  \"debug\": false\n}\n");
  EXPECT_EQ(step.expects, format::sha256_hex(*facts.engine.daemon_json.text))
      << "what somebody changes meanwhile is not overwritten";
  EXPECT_NE(step.reason.find("-H, --log-opt"), std::string::npos) << step.reason;
}

std::string kinds_of(const std::vector<Step>& steps) {
  std::string kinds;
  for (const Step& one : steps) kinds += std::string(to_name(one.kind)) + " ";
  return kinds;
}

TEST(FixK9, TheRuntimeIsDeclaredAndRead) {
  ReadinessFacts facts = debian_host();
  json(facts, "{\"debug\": false}");
  facts.containers[0].runtime = "nvidia";
  auto steps = steps_for(facts, "K9");
  ASSERT_EQ(kinds_of(steps), "write_file reload_unit ");
  EXPECT_EQ(steps[0].content,
            "{\"debug\": false, \"runtimes\": {\"nvidia\": {\"path\": "
            "\"/usr/bin/nvidia-container-runtime\", \"args\": []}}}");
  EXPECT_EQ(steps[1].target, "docker.service");
  json(facts, steps[0].content);
  EXPECT_EQ(kinds_of(steps_for(facts, "K9")), "reload_unit ") << "it is there, and not read yet";

  ReadinessFacts other = debian_host();
  other.containers[0].runtime = "nvidia-legacy";
  EXPECT_TRUE(steps_for(other, "K9").empty()) << "what is it started with?";
  ReadinessFacts bare = debian_host();
  bare.toolkit.programs.erase("nvidia-container-runtime");
  bare.containers[0].runtime = "nvidia";
  EXPECT_TRUE(steps_for(bare, "K9").empty());
  ReadinessFacts rootless = debian_host();
  rootless.engine.is_rootless = true;
  rootless.containers[0].runtime = "nvidia";
  EXPECT_TRUE(steps_for(rootless, "K9").empty());
}

TEST(FixK9, TheDefaultRuntimeIsDeclaredToo) {
  ReadinessFacts facts = debian_host();
  json(facts, "{\"default-runtime\": \"nvidia\"}");
  EXPECT_EQ(kinds_of(steps_for(facts, "K9")), "write_file reload_unit ");
}

TEST(FixK11, TheProgramIsNamedWhereItLies) {
  ReadinessFacts facts = debian_host();
  const auto declare = [&](const std::string& path) {
    json(facts, "{\"runtimes\": {\"nvidia\": {\"path\": \"" + path + "\", \"args\": []}}}");
    facts.engine.runtime_paths = {{path, HostPath{}}};
    facts.engine.runtimes.emplace_back("nvidia");
  };
  declare("/opt/nvidia-container-runtime");
  const auto steps = steps_for(facts, "K11");
  ASSERT_EQ(kinds_of(steps), "write_file reload_unit ");
  EXPECT_EQ(steps[0].content,
            "{\"runtimes\": {\"nvidia\": {\"path\": \"/usr/bin/nvidia-container-runtime\", "
            "\"args\": []}}}");
  for (const char* path : {"/opt/other", "/usr/bin/nvidia-container-runtime"}) {
    declare(path);
    EXPECT_TRUE(steps_for(facts, "K11").empty()) << path;
  }
}

TEST(FixD11, NodesWhoseNumbersAreKnownAreMade) {
  ReadinessFacts facts = debian_host();
  facts.driver.missing_nodes = {"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia0"};
  facts.kernel.nvidia_params["DeviceFileMode"] = "432";  // 0660
  const auto steps = steps_for(facts, "D11");
  ASSERT_EQ(kinds_of(steps), "make_node make_node make_node write_file ");
  const std::string uvm = std::to_string(facts.kernel.majors.at("nvidia-uvm"));
  EXPECT_EQ(steps[0].content, "c " + uvm + " 0");
  EXPECT_EQ(steps[1].content, "c " + uvm + " 1");
  EXPECT_EQ(steps[2].content, "c 195 0");
  EXPECT_EQ(steps[2].mode, mode_t{0660});
  ReadinessFacts gone = debian_host();
  driver_changes::drop_uvm(gone);
  EXPECT_EQ(kinds_of(steps_for(gone, "D11")), "load_module write_file ");
}

TEST(FixK10, LostFeaturesComeBackWithTheirValues) {
  ReadinessFacts facts = debian_host();
  json(facts, "{\"features\": {\"cdi\": true}}");
  facts.engine.daemon_json_before.path = "/etc/docker/daemon.json.bak";
  facts.engine.daemon_json_before.text =
      std::string("{\"features\": {\"buildkit\": false, \"cdi\": true, \"x\": true}}");
  EXPECT_EQ(only_file(facts, "K10").content,
            "{\"features\": {\"cdi\": true, \"buildkit\": false, \"x\": true}}");
  facts.engine.daemon_json_before.text = Missing::not_read;
  facts.engine.info = R"({"DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]})";
  EXPECT_EQ(only_file(facts, "K10").content,
            "{\"features\": {\"cdi\": true, \"containerd-snapshotter\": true}}");
}

TEST(FixK17, TheLinksThatSystemdLooksFor) {
  ReadinessFacts facts = debian_host();
  add_flag(facts);
  facts.driver.char_links.clear();
  const auto steps = steps_for(facts, "K17");
  std::map<std::string, std::string> links;
  for (const Step& one : steps)
    if (!one.link_to.empty()) links[one.target] = one.link_to;
  EXPECT_EQ(links.at("/dev/char/195:0"), "../nvidia0");
  EXPECT_EQ(links.at("/dev/char/195:255"), "../nvidiactl");
  const std::string uvm = std::to_string(facts.kernel.majors.at("nvidia-uvm"));
  EXPECT_EQ(links.at("/dev/char/" + uvm + ":0"), "../nvidia-uvm");
  ASSERT_EQ(steps.size(), links.size() + 1);
  EXPECT_EQ(steps.back().target, "/etc/udev/rules.d/71-estiva-dev-char.rules");
  EXPECT_NE(steps.back().content.find("RUN+=\"/usr/bin/nvidia-ctk system "), std::string::npos);
  facts.toolkit.programs.erase("nvidia-ctk");
  EXPECT_TRUE(steps_for(facts, "K17").empty()) << "they would be gone at the next boot";
}

TEST(FixK28, ModeCsvIsOnlyForAJetson) {
  ReadinessFacts facts = debian_host();
  add_flag(facts);
  config(facts, "[nvidia-container-runtime]\nlog-level = \"info\"\n  mode = \"csv\"  # why\n");
  EXPECT_EQ(only_file(facts, "K28").content,
            "[nvidia-container-runtime]\nlog-level = \"info\"\n  mode = \"auto\"\n");
  config(facts, "mode = \"cdi\"\n");
  EXPECT_TRUE(steps_for(facts, "K28").empty()) << "somebody chose it";
  config(facts, "mode = \"csv\"\n");
  facts.kernel.is_tegra = true;
  EXPECT_TRUE(steps_for(facts, "K28").empty());
}

TEST(FixK31, TheBooleanThatThisPolicyHas) {
  ReadinessFacts facts = debian_host();
  selinux(facts);
  EXPECT_TRUE(steps_for(facts, "K31").empty()) << "no name is known";
  facts.kernel.device_boolean = "container_use_xserver_devices";
  const auto steps = steps_for(facts, "K31");
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].kind, StepKind::set_boolean);
  EXPECT_EQ(steps[0].target, "container_use_xserver_devices");
  EXPECT_EQ(steps[0].content, "on");
}

TEST(FixD13, TheNumbersAreTheKernels) {
  ReadinessFacts facts = debian_host();
  facts.driver.odd_nodes.clear();
  node(facts, "/dev/nvidia0").minor = 7;
  node(facts, "/dev/nvidiactl").mode = 0640;
  node(facts, "/dev/nvidiactl").major = 1;
  facts.driver.odd_nodes = {{"/dev/nvidia-caps/nvidia-cap2", 9, 2, 0444, 0, 0}};
  facts.kernel.majors["nvidia-caps"] = 510;
  std::map<std::string, std::string> made;
  for (const Step& one : steps_for(facts, "D13")) {
    EXPECT_EQ(one.kind, StepKind::make_node);
    made[one.target] = one.content;
  }
  const std::map<std::string, std::string> expected = {{"/dev/nvidia0", "c 195 0"},
                                                       {"/dev/nvidiactl", "c 195 255"},
                                                       {"/dev/nvidia-caps/nvidia-cap2", "c 510 2"}};
  EXPECT_EQ(made, expected);
}

TEST(FixK19, TheHostsOwnLdconfigIsNamed) {
  ReadinessFacts facts = ubuntu_host();
  config(facts, "ldconfig = \"@/sbin/none\"\n");
  facts.toolkit.ldconfig_exists = false;
  EXPECT_TRUE(steps_for(facts, "K19").empty()) << "there is none";
  facts.toolkit.ldconfig = "/sbin/ldconfig.real";
  EXPECT_EQ(only_file(facts, "K19").content, "ldconfig = \"@/sbin/ldconfig.real\"\n");
}

// Two fixes of one file: the second builds on the first.
TEST(Fixes, OneFileIsWrittenOnceWithAllThatIsMended) {
  ReadinessFacts facts = debian_host();
  config(facts, "no-cgroups = true\nldconfig = \"@/sbin/none\"\nmode = \"csv\"\n");
  facts.toolkit.ldconfig_exists = false;
  facts.toolkit.ldconfig = "/sbin/ldconfig";
  add_flag(facts);
  std::vector<Finding> found = judge_readiness(facts);
  std::erase_if(found, [](const Finding& one) {
    return one.id != "K16" && one.id != "K19" && one.id != "K28";
  });
  ASSERT_EQ(found.size(), 3U) << told(facts);
  const auto steps = plan_fixes(facts, found, "x").steps;
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].content,
            "no-cgroups = false\nldconfig = \"@/sbin/ldconfig\"\nmode = \"auto\"\n");
  for (const char* id : {"K16: ", "K19: ", "K28: "})
    EXPECT_NE(steps[0].reason.find(id), std::string::npos) << steps[0].reason;
}

}  // namespace
}  // namespace estiva::decide
