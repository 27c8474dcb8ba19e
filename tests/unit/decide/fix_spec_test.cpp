// CDI specs that doctor makes anew: what the old one gave is kept or told of, and what no spec
// could declare is left to a person.
#include <gtest/gtest.h>

#include "decide/readiness/fixes.h"
#include "unit/decide/readiness_apps_bases.h"
#include "unit/decide/readiness_bases.h"

namespace estiva::decide {
namespace {

std::vector<Finding> found_of(const ReadinessFacts& facts, std::string_view id) {
  auto found = judge_readiness(facts);
  std::erase_if(found, [&](const Finding& one) { return one.id != id; });
  return found;
}

// What NVIDIA's spec gave beside compute is asked for again, and what can't be had is said.
TEST(FixSpecs, WhatTheOldOneGaveIsKeptOrToldOf) {
  ReadinessFacts facts = bases::debian_host();
  CdiFile& file = facts.cdi.files[0];
  CdiEdits& edits = file.spec.edits;
  file.spec.devices[0].edits.nodes.clear();
  std::erase_if(edits.mounts, [](const CdiMount& one) {
    return one.host_path.find("libcuda") == std::string::npos;
  });
  const std::string gone = "/usr/lib/gone.so.1";
  edits.mounts.push_back({gone, gone, {}, {}});
  facts.cdi.hosts[gone] = {};
  const auto step = [&] {
    const auto steps = plan_fixes(facts, found_of(facts, "C8"), "x").steps;
    return steps.empty() ? Step{} : steps[0];
  };
  EXPECT_EQ(step().content, "nvidia.com/gpu") << "compute alone stays compute alone";
  EXPECT_EQ(step().effect.find("no longer"), std::string::npos) << step().effect;
  EXPECT_EQ(step().effect.find("hooks"), std::string::npos) << step().effect;

  const auto add = [&](const std::string& path) {
    edits.mounts.push_back({path, path, {}, {}});
    facts.cdi.hosts[path] = {true};
  };
  add("/usr/lib/x86_64-linux-gnu/libnvidia-encode.so.550.163.01");
  EXPECT_TRUE(step().content.ends_with("gpu video")) << step().content;
  CdiNode node;
  node.path = "/dev/dri/card0";
  edits.nodes.push_back(node);
  add("/usr/lib/xorg/modules/drivers/nvidia_drv.so");
  add("/usr/lib/i386-linux-gnu/libGLX_nvidia.so.550.163.01");
  EXPECT_TRUE(step().content.ends_with("gpu graphics,video,display,compat32")) << step().content;
  add("/opt/models/weights");
  edits.hooks = {{"createContainer", "/usr/bin/nvidia-cdi-hook", {}, {}, {}}};
  EXPECT_NE(step().effect.find("its hooks go"), std::string::npos) << step().effect;
  EXPECT_NE(step().effect.find("/opt/models/weights"), std::string::npos) << step().effect;
  EXPECT_EQ(step().effect.find(gone), std::string::npos) << "nobody loses what is gone";
}

// No spec could declare it, so none is made anew for it.
TEST(FixSpecs, AGpuThatDoesNotExistIsForAPerson) {
  ReadinessFacts facts = bases::debian().facts;
  facts.containers.push_back(bases::container("b", "x"));
  bases::give(facts.containers.back(), "nvidia.com/gpu=7");
  const auto c1_of = [](const ReadinessFacts& of) {
    const auto found = found_of(of, "C1");
    return found.empty() ? Finding{} : found.back();
  };
  const Finding found = c1_of(facts);
  EXPECT_EQ(found.title, "b asks for nvidia.com/gpu=7, and there is no GPU 7");
  EXPECT_EQ(found.remedy.fix, Fix::guide);
  EXPECT_EQ(found.remedy.text,
            "Ask for 'nvidia.com/gpu=all' or for a GPU that is there, by its number: 0");
  facts.driver.files.gpus.clear();
  EXPECT_EQ(c1_of(facts).title, "b asks for nvidia.com/gpu=7, and no CDI spec declares it")
      << "where the GPUs are not known";
}

TEST(FixSpecs, OneFileIsNoCount) {
  ReadinessFacts facts = bases::debian().facts;
  const auto& mounts = facts.cdi.files[0].spec.edits.mounts;
  const auto title = [&] { return first_hit("C8", facts).title; };
  const std::string first = mounts[2].host_path, second = mounts[1].host_path;
  facts.cdi.hosts[first].exists = false;
  EXPECT_EQ(title(), facts.cdi.files[0].path + " mounts " + first + ", which does not exist");
  facts.cdi.hosts[second].exists = false;
  EXPECT_NE(title().find(" mounts 2 files that do not exist"), std::string::npos);
}

}  // namespace
}  // namespace estiva::decide
