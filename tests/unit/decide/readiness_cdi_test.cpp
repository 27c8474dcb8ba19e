// C1-C15: each by one change to healthy machines, and the near misses that say nothing.
#include <algorithm>
#include <gtest/gtest.h>

#include "decide/readiness/cdi_view.h"
#include "unit/decide/readiness_apps_bases.h"

namespace estiva::decide {
namespace {

CdiFile& spec(ReadinessFacts& facts) {
  return facts.cdi.files[0];
}
std::string folder(const ReadinessFacts& facts) {
  const std::string& path = facts.cdi.files[0].path;
  return path.substr(0, path.rfind('/'));
}
// The first library of a spec, whose host path may be changed in place.
CdiMount& library(ReadinessFacts& facts, std::size_t i = 0) {
  return spec(facts).spec.edits.mounts[i];
}

struct Change {
  std::string name;
  std::string finds;
  void (*apply)(ReadinessFacts& facts);
};

const Change kChanges[] = {
    {"the spec was removed", "C1", [](ReadinessFacts& facts) { facts.cdi.files.clear(); }},
    {"the spec lacks the device that is asked for", "C1",
     [](ReadinessFacts& facts) {
       facts.containers.push_back(bases::container("b", "x"));
       bases::give(facts.containers.back(), "nvidia.com/gpu=GPU-00000000");
     }},
    {"the spec is in another folder", "C2",
     [](ReadinessFacts& facts) {
       facts.engine.cdi_known = true;
       facts.engine.cdi_dirs = {"/opt/cdi"};
     }},
    {"a second spec in the same folder", "C3",
     [](ReadinessFacts& facts) {
       facts.cdi.files.push_back(spec(facts));
       facts.cdi.files[1].path = folder(facts) + "/other.json";
     }},
    {"a spec of an unknown version", "C5",
     [](ReadinessFacts& facts) {
       spec(facts).error = "invalid version";
       spec(facts).error_line = 1;
     }},
    {"the spec ends in .yml", "C5",
     [](ReadinessFacts& facts) {
       spec(facts).path = folder(facts) + "/nvidia.yml";
       spec(facts).is_ignored = true;
     }},
    {"only root may read the spec", "C6",
     [](ReadinessFacts& facts) { facts.cdi.unreadable = {spec(facts).path}; }},
    {"a library is gone", "C8",
     [](ReadinessFacts& facts) { facts.cdi.hosts[library(facts, 2).host_path].exists = false; }},
    {"a library of another driver", "C8",
     [](ReadinessFacts& facts) {
       CdiMount& mount = library(facts, 2);
       mount.host_path = "/usr/lib/libEGL_nvidia.so.999.12";
       facts.cdi.hosts[mount.host_path] = {true};
     }},
    {"a frozen number", "C9",
     [](ReadinessFacts& facts) {
       CdiNode& node = spec(facts).spec.edits.nodes[1];
       node.major = 511;
       node.minor = 0;
     }},
    {"a frozen minor number", "C9",
     [](ReadinessFacts& facts) {
       CdiNode& node = spec(facts).spec.edits.nodes[1];
       node.major = 195;
       node.minor = 1;
     }},
    {"a hook that is gone", "C10",
     [](ReadinessFacts& facts) {
       spec(facts).spec.edits.hooks = {{"createContainer", "/usr/bin/nvidia-ctk", {}, {}, {}}};
       facts.cdi.hosts["/usr/bin/nvidia-ctk"] = {};
     }},
    {"a hook without the right to run", "C10",
     [](ReadinessFacts& facts) {
       spec(facts).spec.edits.hooks = {{"createContainer", "/usr/bin/nvidia-ctk", {}, {}, {}}};
       facts.cdi.hosts["/usr/bin/nvidia-ctk"] = {true};
     }},
    {"no libcuda", "C11",
     [](ReadinessFacts& facts) {
       auto& mounts = spec(facts).spec.edits.mounts;
       mounts.erase(mounts.begin());
     }},
    {"no uvm", "C11",
     [](ReadinessFacts& facts) {
       auto& nodes = spec(facts).spec.edits.nodes;
       nodes.erase(nodes.begin() + 1);
     }},
    {"a node that is gone", "C12",
     [](ReadinessFacts& facts) {
       CdiNode node;
       node.path = "/dev/dri/renderD129";
       spec(facts).spec.devices[0].edits.nodes.push_back(node);
       facts.cdi.hosts[node.path] = {};
     }},
    {"a daemon's socket is gone", "C13",
     [](ReadinessFacts& facts) {
       facts.cdi.hosts["/run/nvidia-persistenced/socket"].exists = false;
     }},
    {"a GPU of the management spec", "C14",
     [](ReadinessFacts& facts) {
       facts.containers.push_back(bases::container("b", "x"));
       bases::give(facts.containers.back(), "management.nvidia.com/gpu=" + bases::kUuid0);
     }},
    {"an old chmod hook", "C15",
     [](ReadinessFacts& facts) {
       spec(facts).spec.edits.hooks = {
           {"createContainer", "/usr/bin/nvidia-ctk", {"nvidia-ctk", "hook", "chmod"}, {}, {}}};
       facts.cdi.hosts["/usr/bin/nvidia-ctk"] = {true, true, false, false, 0, 0};
     }},
};

TEST(CdiRules, HealthyMachinesHaveNothing) {
  for (const Base& base : bases::all()) EXPECT_EQ(found_in(base.facts), "") << base.name;
}

TEST(CdiRules, NothingIsKnownNothingIsSaid) {
  EXPECT_EQ(found_in({}), "");
}

TEST(CdiRules, EachChangeIsFoundOnEachBase) {
  for (const Base& base : bases::ordinary()) {
    for (const Change& change : kChanges) {
      ReadinessFacts facts = base.facts;
      change.apply(facts);
      EXPECT_EQ(found_in(facts), change.finds) << base.name << ": " << change.name;
    }
  }
}

TEST(CdiRules, EveryHitHasATitleAndEvidence) {
  for (const Change& change : kChanges) {
    ReadinessFacts facts = bases::debian().facts;
    change.apply(facts);
    const Hit hit = first_hit(change.finds, facts);
    EXPECT_FALSE(hit.title.empty()) << change.name;
    EXPECT_FALSE(hit.evidence.empty()) << change.name;
    EXPECT_EQ(hit.title.find('{'), std::string::npos) << hit.title;
  }
}

// What nobody looked at is not missing.
TEST(CdiRules, PathsThatWereNotLookedAtSayNothing) {
  for (Base base : bases::all()) {
    base.facts.cdi.hosts.clear();
    EXPECT_EQ(found_in(base.facts), "") << base.name;
  }
}

TEST(CdiRules, ForetellTheTextThatTheUserMeets) {
  ReadinessFacts facts = bases::debian().facts;
  facts.cdi.files.clear();
  EXPECT_EQ(first_hit("C1", facts).foretells, "unresolvable CDI devices nvidia.com/gpu=all");

  facts = bases::debian().facts;
  facts.cdi.hosts[library(facts, 2).host_path].exists = false;
  const std::string path = "/usr/lib/x86_64-linux-gnu/libEGL_nvidia.so.550.163.01";
  EXPECT_EQ(first_hit("C8", facts).foretells, "error mounting \"" + path + "\" to rootfs at \"" +
                                                  path + "\": no such file or directory");
}

// Doctor's own words for what will be met name the same rule when they are met.
TEST(CdiRules, WhatIsForetoldIsExplained) {
  for (const Change& change : kChanges) {
    ReadinessFacts facts = bases::debian().facts;
    change.apply(facts);
    const Hit hit = first_hit(change.finds, facts);
    if (hit.foretells.empty()) continue;
    const auto explained = explain_log(hit.foretells);
    ASSERT_EQ(explained.size(), 1U) << hit.foretells;
    const bool is_named = explained[0].rule == change.finds ||
                          std::find(explained[0].also.begin(), explained[0].also.end(),
                                    change.finds) != explained[0].also.end();
    EXPECT_TRUE(is_named) << change.finds << ": " << hit.foretells << " -> " << explained[0].rule;
  }
}

TEST(CdiRules, AMachineWithoutAnyWayIsC1) {
  ReadinessFacts facts = bases::debian().facts;
  facts.cdi.files.clear();
  facts.containers.clear();
  EXPECT_EQ(found_in(facts), "C1");
  EXPECT_EQ(first_hit("C1", facts).title,
            "no CDI spec declares a GPU in /etc/cdi, /run/cdi, and there is no toolkit that could "
            "hand one to a container");
  facts.toolkit.programs["nvidia-container-runtime-hook"] = {"/usr/bin/x", 0, ""};
  EXPECT_EQ(found_in(facts), "");  // --gpus does without
  facts.toolkit.programs.clear();
  facts.driver.gpus.clear();
  facts.driver.files.gpus.clear();
  EXPECT_EQ(found_in(facts), "");  // no GPU
}

TEST(CdiRules, CdiSwitchedOffIsNotC1) {
  ReadinessFacts facts = bases::debian().facts;
  facts.cdi.files.clear();
  facts.engine.cdi_dirs.clear();
  EXPECT_EQ(found_in(facts), "");  // that is K3
}

TEST(CdiRules, DevicesOfOthersAreNotOurs) {
  ReadinessFacts facts = bases::debian().facts;
  facts.containers.push_back(bases::container("b", "x"));
  bases::give(facts.containers.back(), "intel.com/gpu=0");
  CdiFile broken;
  broken.path = "/etc/cdi/intel.yaml";
  broken.error = "truncated";
  facts.cdi.files.push_back(broken);
  EXPECT_EQ(found_in(facts), "");
}

TEST(CdiRules, ALaterFolderMayDeclareTheSame) {
  ReadinessFacts facts = bases::debian().facts;
  facts.cdi.files.push_back(spec(facts));
  facts.cdi.files[1].path = "/var/run/cdi/nvidia.yaml";
  facts.cdi.files[1].priority = 1;
  EXPECT_EQ(found_in(facts), "");
  const CdiView view = view_cdi(facts);
  EXPECT_EQ(view.devices.at("nvidia.com/gpu=all").file->path, "/var/run/cdi/nvidia.yaml");
  EXPECT_EQ(view.effective.size(), 1U);
}

// cdi's cache deletes a device that conflicts, also where a later folder has it once more.
TEST(CdiRules, AConflictIsNotMendedByALaterFolder) {
  ReadinessFacts facts = bases::debian().facts;
  for (const char* path : {"/etc/cdi/b.yaml", "/var/run/cdi/nvidia.yaml"}) {
    facts.cdi.files.push_back(spec(facts));
    facts.cdi.files.back().path = path;
  }
  EXPECT_EQ(found_in(facts), "C3");
}

TEST(CdiRules, VarRunIsRun) {
  ReadinessFacts facts = bases::debian().facts;
  spec(facts).path = "/run/cdi/nvidia.yaml";
  EXPECT_EQ(found_in(facts), "");
  EXPECT_EQ(same_folder("/var/run/cdi/"), "/run/cdi");
  EXPECT_EQ(same_folder("/var/running/cdi"), "/var/running/cdi");
}

TEST(CdiRules, ASpecNewerThanTheEngineIsC4) {
  for (Base base : bases::ordinary()) {
    base.facts.engine.kind = EngineKind::docker;
    base.facts.engine.cli_is_podman = false;
    base.facts.containers.resize(1);
    base.facts.containers[0].device_paths.clear();
    base.facts.engine.version = "26.1.5";
    spec(base.facts).spec.version = "0.7.0";
    EXPECT_EQ(found_in(base.facts), "C4") << base.name;
    spec(base.facts).spec.version = "0.6.0";
    EXPECT_EQ(found_in(base.facts), "") << base.name;
    spec(base.facts).spec.version = "0.7.0";
    base.facts.engine.version = "27.0.0";
    EXPECT_EQ(found_in(base.facts), "") << base.name;
  }
}

TEST(CdiRules, MigIsC7) {
  for (Base base : bases::ordinary()) {
    ReadinessFacts facts = base.facts;
    facts.containers.push_back(bases::container("b", "x"));
    bases::give(facts.containers.back(), "nvidia.com/gpu=MIG-41b3c6e1");
    EXPECT_EQ(found_in(facts), "C7") << base.name;  // no such instance
    facts.driver.files.gpus[0].migs = {{"MIG-41b3c6e1", "0:0", {}}};
    EXPECT_EQ(found_in(facts), "C1") << base.name;  // it exists, and the spec lacks it
    CdiDevice device;
    device.name = "MIG-41b3c6e1";
    device.edits = spec(facts).spec.devices[0].edits;
    spec(facts).spec.devices.push_back(device);
    EXPECT_EQ(found_in(facts), "") << base.name;
  }
}

TEST(CdiRules, AWholeGpuThatIsDividedIsC7) {
  ReadinessFacts facts = bases::debian().facts;
  facts.driver.files.gpus[0].mig_enabled = true;
  EXPECT_EQ(found_in(facts), "C7");  // the spec still declares it
  EXPECT_EQ(first_hit("C7", facts).title,
            "/etc/cdi/nvidia.yaml declares nvidia.com/gpu=0 as a whole, and that GPU is divided "
            "into MIG instances now");
  auto& devices = spec(facts).spec.devices;
  devices.erase(devices.begin(), devices.begin() + 2);
  EXPECT_EQ(found_in(facts), "");
  facts.containers[0].requests[0].ids = {"nvidia.com/gpu=0"};
  EXPECT_EQ(found_in(facts), "C7");
  facts.driver.files.gpus[0].mig_enabled = false;
  EXPECT_EQ(found_in(facts), "C1");
}

TEST(CdiRules, NvmlSaysWhichGpuIsDividedWhereFilesDont) {
  ReadinessFacts facts = bases::debian().facts;
  facts.driver.files.gpus.clear();
  facts.driver.gpus.assign(2, Gpu{});
  facts.driver.gpus[1].identity.index = 1;
  facts.driver.gpus[1].identity.mig_enabled = true;
  EXPECT_EQ(found_in(facts).find("C7"), std::string::npos) << "the spec has the other one";
  facts.driver.gpus[0].identity.mig_enabled = true;
  EXPECT_NE(found_in(facts).find("C7"), std::string::npos);
}

TEST(CdiRules, InstancesAreOnlyJudgedWhereTheyAreKnown) {
  ReadinessFacts facts = bases::debian().facts;
  CdiDevice device;
  device.name = "MIG-41b3c6e1";
  device.edits = spec(facts).spec.devices[0].edits;
  spec(facts).spec.devices.push_back(device);
  EXPECT_EQ(found_in(facts), "C7");
  facts.driver.files.gpus[0].uuid.clear();  // NVML was not asked
  EXPECT_EQ(found_in(facts), "");
}

TEST(CdiRules, VersionsOfOtherLibrariesAreTheirOwn) {
  ReadinessFacts facts = bases::debian().facts;
  for (const char* name : {"libnvidia-egl-gbm.so.1.1.1", "libnvidia-nvvm70.so.4", "nvidia-smi"}) {
    const std::string path = "/usr/lib/" + std::string(name);
    spec(facts).spec.edits.mounts.push_back({path, path, {}, {}});
    facts.cdi.hosts[path] = {true};
  }
  EXPECT_EQ(found_in(facts), "");
}

// Module old, files and spec new: D3 says it, and the spec is right.
TEST(CdiRules, ASpecOfTheFilesOnTheDiskIsNotC8) {
  ReadinessFacts facts = bases::debian().facts;
  facts.kernel.module_version = "535.1.1";
  EXPECT_EQ(found_in(facts), "");
  facts.driver.files.library_version = "535.1.1";
  EXPECT_EQ(found_in(facts), "C8");
  facts.kernel.module_version.clear();
  EXPECT_EQ(found_in(facts), "");
}

TEST(CdiRules, NumbersAreOnlyComparedWhereTheyAreFrozen) {
  ReadinessFacts facts = bases::debian().facts;
  CdiNode& node = spec(facts).spec.edits.nodes[1];
  node.major = 0;
  node.minor = 9;
  EXPECT_EQ(found_in(facts), "");
  node.major = 195;
  node.minor = 0;
  EXPECT_EQ(found_in(facts), "");
  node.minor.reset();
  EXPECT_EQ(found_in(facts), "");
  node.major = 196;
  EXPECT_EQ(found_in(facts), "C9");
}

TEST(CdiRules, NodesThatTheDriverLacksAreTheDriversFault) {
  ReadinessFacts facts = bases::debian().facts;
  facts.cdi.hosts["/dev/nvidia-uvm"].exists = false;
  EXPECT_EQ(found_in(facts), "C12");
  facts.driver.missing_nodes = {"/dev/nvidia-uvm"};
  EXPECT_EQ(found_in(facts), "");  // D11
  facts.driver.missing_nodes.clear();
  facts.kernel.module_version.clear();
  EXPECT_EQ(found_in(facts), "");  // D2
}

TEST(CdiRules, SeveralNodesOfAFileAreOneFinding) {
  ReadinessFacts facts = bases::debian().facts;
  for (const char* node : {"/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"})
    facts.cdi.hosts[node].exists = false;
  const Hit hit = first_hit("C12", facts);
  EXPECT_NE(hit.title.find("/dev/nvidia-uvm and /dev/nvidia-uvm-tools"), std::string::npos);
  EXPECT_EQ(hit.evidence.size(), 2U);
  // In an LXC container the host gives none: that is K30.
  facts.kernel.in_container = true;
  facts.kernel.container_manager = "lxc";
  facts.driver.missing_nodes = {"/dev/nvidia0"};
  EXPECT_EQ(found_in(facts), "C12") << "no card that could be passed on";
  PciFact card;
  card.vendor = 0x10de;
  card.pci_class = 0x030000;
  facts.kernel.pci = {card};
  EXPECT_EQ(found_in(facts), "");
}

TEST(CdiRules, ANodeWithANumberForetellsNothing) {
  ReadinessFacts facts = bases::debian().facts;
  facts.cdi.hosts["/dev/nvidia-uvm-tools"].exists = false;
  EXPECT_EQ(first_hit("C12", facts).foretells,
            "failed to stat CDI host device \"/dev/nvidia-uvm-tools\": no such file or directory");
  spec(facts).spec.edits.nodes[2].major = 511;
  EXPECT_EQ(first_hit("C12", facts).foretells, "");
}

TEST(CdiRules, WslNeedsNoUvmButACuda) {
  ReadinessFacts facts = bases::wsl().facts;
  spec(facts).spec.edits.mounts[0] = {
      "/usr/lib/wsl/lib/libdxcore.so", "/usr/lib/wsl/lib/libdxcore.so", {}, {}};
  EXPECT_EQ(found_in(facts), "C11");
}

TEST(CdiRules, OtherClassesNeedNoCuda) {
  ReadinessFacts facts = bases::debian().facts;
  CdiFile file;
  file.path = "/etc/cdi/gds.yaml";
  file.spec.version = "0.5.0";
  file.spec.kind = "nvidia.com/gds";
  CdiDevice all;
  all.name = "all";
  all.edits.nodes.push_back({"/dev/nvidia-fs0", {}, {}, {}, {}, {}, {}, {}, {}});
  file.spec.devices.push_back(all);
  facts.cdi.files.push_back(file);
  EXPECT_EQ(found_in(facts), "");
}

TEST(CdiRules, WhatTheEngineMayNotReadMattersOnlyWhereItLooks) {
  ReadinessFacts facts = bases::debian().facts;
  for (const char* path : {"/srv/cdi/nvidia.yaml", "/etc/cdi/intel.yaml"}) {
    CdiFile file = spec(facts);
    file.path = path;
    file.spec.kind = "intel.com/gpu";
    facts.cdi.files.push_back(file);
    facts.cdi.unreadable.push_back(path);
  }
  EXPECT_EQ(found_in(facts), "");
  facts.cdi.unreadable = {spec(facts).path};
  EXPECT_EQ(found_in(facts), "C6");
}

TEST(CdiRules, AContainerAndItsFileAskOnce) {
  ReadinessFacts facts = bases::debian().facts;
  ContainerFact& one = facts.containers[0];
  one.requests[0].ids = {"nvidia.com/gpu=7"};
  const auto asked = [&](const std::string& device) {
    const std::string text =
        "services:\n  " + one.service + ":\n    devices:\n      - nvidia.com/gpu=" + device + "\n";
    facts.compose = {{"/srv/ai/compose.yaml", one.project, text}};
    return find_rule("C1")->find(facts).size();
  };
  EXPECT_EQ(asked("7"), 1U);
  EXPECT_EQ(asked("8"), 2U) << "the next container of it";
}

TEST(CdiRules, OtherHooksAreNoChmodHook) {
  ReadinessFacts facts = bases::debian().facts;
  for (const char* name : {"create-symlinks", "update-ldcache", "enable-cuda-compat"}) {
    spec(facts).spec.edits.hooks.push_back(
        {"createContainer", "/usr/bin/nvidia-cdi-hook", {"nvidia-cdi-hook", name}, {}, {}});
  }
  facts.cdi.hosts["/usr/bin/nvidia-cdi-hook"] = {true, true, false, false, 0, 0};
  EXPECT_EQ(found_in(facts), "");
}

TEST(CdiRules, ASpecThatIsShadowedIsNotJudged) {
  ReadinessFacts facts = bases::debian().facts;
  facts.cdi.files.push_back(spec(facts));
  spec(facts).path = "/etc/cdi/nvidia.yaml";
  facts.cdi.files[1].path = "/var/run/cdi/nvidia.yaml";
  spec(facts).spec.edits.mounts[0].host_path = "/usr/lib/libcuda.so.470.1.2";
  facts.cdi.hosts["/usr/lib/libcuda.so.470.1.2"] = {};
  EXPECT_EQ(found_in(facts), "");
}

TEST(CdiRules, EvidenceHasTheLineOfTheSpec) {
  ReadinessFacts facts = bases::debian().facts;
  const std::string path = library(facts, 2).host_path;
  facts.cdi.hosts[path].exists = false;
  spec(facts).text = "cdiVersion: 0.5.0\nmounts:\n- hostPath: " + path + "\n";
  const Evidence expected{Evidence::Source::file, "/etc/cdi/nvidia.yaml", 3, path};
  EXPECT_EQ(first_hit("C8", facts).evidence, std::vector<Evidence>{expected});
}

TEST(CdiRules, ACdiNameHasThreeParts) {
  EXPECT_TRUE(is_cdi_name("nvidia.com/gpu=0"));
  EXPECT_TRUE(is_cdi_name("nvidia.com/gpu=0:1"));
  for (const char* text : {"/dev/nvidia0", "nvidia.com/gpu", "nvidia.com/=0",
                           "nvidia.com/gpu=", "/dev/a=b/c", "a/b=c", "", "nvidia.com/gpu=a b"}) {
    EXPECT_FALSE(is_cdi_name(text)) << text;
  }
}

TEST(CdiRules, TheTableIsWhole) {
  int number = 0;
  for (const Rule& rule : cdi_rules()) {
    EXPECT_EQ(rule.id, "C" + std::to_string(++number));
    for (const std::string_view text :
         {rule.name, rule.symptom, rule.reads, rule.remedy, rule.source}) {
      EXPECT_FALSE(text.empty()) << rule.id;
    }
    EXPECT_NE(rule.find, nullptr) << rule.id;
  }
  EXPECT_EQ(number, 15);
}

}  // namespace
}  // namespace estiva::decide
