// What doctor mends by itself: only what it has steps for is called automatic.
#include "decide/readiness/fixes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decide/readiness/rule.h"
#include "unit/decide/readiness_apps_bases.h"
#include "unit/decide/readiness_bases.h"

namespace estiva::decide {
namespace {

Finding finding(const char* id, std::vector<Evidence> evidence = {}) {
  Finding one;
  one.id = id;
  one.remedy.fix = Fix::automatic;
  one.evidence = std::move(evidence);
  return one;
}

TEST(Fixes, OnlyWhatHasStepsIsAutomatic) {
  EXPECT_TRUE(has_fix("D2"));
  EXPECT_TRUE(has_fix("K16"));
  EXPECT_FALSE(has_fix("D1"));
  EXPECT_TRUE(has_fix("D20"));
  EXPECT_FALSE(has_fix(""));
  for (const Rule* rule : all_rules()) {
    if (rule->fix == Fix::automatic)
      EXPECT_EQ(fix_of(*rule), has_fix(rule->id) ? Fix::automatic : Fix::guide) << rule->id;
    else
      EXPECT_EQ(fix_of(*rule), rule->fix) << rule->id;
  }
}

TEST(Fixes, ModulesAreLoadedNowAndAtBoot) {
  ReadinessFacts facts = bases::debian_host();
  facts.kernel.modules = {{"nvidia", 0}};
  const Plan plan = plan_fixes(facts, {finding("D11")}, "/usr/bin/estiva");
  ASSERT_EQ(plan.steps.size(), 2U);
  EXPECT_EQ(plan.steps[0].kind, StepKind::load_module);
  EXPECT_EQ(plan.steps[0].target, "nvidia_uvm") << "nvidia is loaded already";
  EXPECT_EQ(plan.steps[1].target, "/etc/modules-load.d/estiva-nvidia.conf");
  EXPECT_EQ(plan.id, "doctor");
}

TEST(Fixes, WhatIsNoFileIsLeftAlone) {
  const Plan plan =
      plan_fixes(bases::debian_host(),
                 {finding("C6", {{Evidence::Source::file, "/etc/cdi/nvidia.yaml", 0, {}},
                                 {Evidence::Source::file, "relative.yaml", 0, {}},
                                 {Evidence::Source::engine, "/containers/x", 0, {}}})},
                 "/usr/bin/estiva");
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].kind, StepKind::set_mode);
  EXPECT_EQ(plan.steps[0].target, "/etc/cdi/nvidia.yaml");
  EXPECT_EQ(plan.steps[0].mode, mode_t{0644});
}

TEST(Fixes, TwoFindingsWithOneRemedyAreOneStep) {
  ReadinessFacts facts = bases::debian_host();
  facts.kernel.modules.clear();
  const std::size_t one = plan_fixes(facts, {finding("D2")}, "x").steps.size();
  EXPECT_EQ(plan_fixes(facts, {finding("D2"), finding("D11")}, "x").steps.size(), one);
  Finding asks = finding("D2");
  asks.remedy.fix = Fix::asks;
  EXPECT_TRUE(plan_fixes(facts, {asks, finding("D1")}, "x").steps.empty());
}

// systemd-sysctl reads by name, and Debian links 99-sysctl.conf to the file in which people set it.
TEST(FixD19, ItStaysSoAfterThatFileIsRead) {
  ReadinessFacts facts = bases::debian_host();
  facts.kernel.overcommit_memory = 2U;
  Finding found;
  found.id = "D19";
  found.remedy.fix = Fix::automatic;
  const Plan plan = plan_fixes(facts, {found}, "/usr/bin/estiva");
  const auto file = std::ranges::find(plan.steps, StepKind::write_file, &Step::kind);
  ASSERT_NE(file, plan.steps.end());
  EXPECT_GT(file->target, "/etc/sysctl.d/99-sysctl.conf");
}

TEST(FixC3, OnlyWhatTheOtherFileDeclaresTooIsRemoved) {
  ReadinessFacts facts = bases::debian_host();
  CdiFile copy = facts.cdi.files[0];
  copy.path = "/var/run/cdi/copy.yaml";
  facts.cdi.files[0].path = "/var/run/cdi/nvidia.yaml";
  facts.cdi.files.push_back(copy);
  Finding both;
  both.id = "C3";
  both.remedy.fix = Fix::automatic;
  for (const CdiFile& file : facts.cdi.files)
    both.evidence.push_back({Evidence::Source::file, file.path, 0, {}});
  const Plan plan = plan_fixes(facts, {both}, "/usr/bin/estiva");
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].target, "/var/run/cdi/copy.yaml");
  facts.cdi.files[1].spec.devices.push_back({"llm", {}, {}});
  EXPECT_TRUE(plan_fixes(facts, {both}, "/usr/bin/estiva").steps.empty())
      << "nvidia.com/gpu=llm would be gone";
}

// ---- Compose files ----

ReadinessFacts with_compose(const std::string& services) {
  ReadinessFacts facts = bases::ubuntu().facts;
  facts.compose.push_back({"/srv/new/compose.yaml", "new", "services:\n" + services});
  return facts;
}

std::vector<Finding> found(const ReadinessFacts& facts) {
  auto findings = judge_readiness(facts);
  std::erase_if(findings, [](const Finding& one) { return !one.id.starts_with('P'); });
  return findings;
}

TEST(ComposeFixes, AllServicesOfAFileAreOneStep) {
  ReadinessFacts facts = with_compose(
      "  a:\n    gpus: all\n  b:\n    runtime: nvidia\n    gpus: [{count: 1}]\n"
      "  c:\n    devices: [nvidia.com/gpu=all]\n    gpus: all\n  d:\n    gpus: [{count: "
      "'${N}'}]\n");
  ContainerFact running;
  running.name = "new-b-1", running.service = "b", running.project = "new",
  running.state = "running";
  running.compose_files = {"/srv/new/compose.yaml", "/srv/new/my gpu.yaml"};
  facts.containers.push_back(running);
  const Plan plan = plan_fixes(facts, found(facts), "x");
  ASSERT_EQ(plan.steps.size(), 1U);
  const Step& step = plan.steps[0];
  EXPECT_EQ(step.kind, StepKind::write_file);
  EXPECT_EQ(step.target, "/srv/new/compose.yaml");
  EXPECT_EQ(step.risk, Risk::none);
  EXPECT_EQ(step.content,
            "services:\n  a:\n    devices:\n      - nvidia.com/gpu=all\n"
            "  b:\n    devices:\n      - nvidia.com/gpu=0\n"
            "  c:\n    devices: [nvidia.com/gpu=all]\n  d:\n    gpus: [{count: '${N}'}]\n");
  EXPECT_EQ(step.reason,
            "P3: a asks for nvidia.com/gpu=all by CDI; b asks for nvidia.com/gpu=0 by CDI; c keeps "
            "the CDI device that it asks for, and the second way goes");
  EXPECT_EQ(
      step.effect,
      "nothing that runs is touched; 'docker compose -f /srv/new/compose.yaml -f '/srv/new/my "
      "gpu.yaml' up -d a b c' makes the containers anew, which stops new-b-1 for a moment");
  ReadinessFacts after = facts;
  after.compose.back().text = step.content;
  const auto left = found(after);
  EXPECT_TRUE(plan_fixes(after, left, "x").steps.empty());
}

TEST(ComposeFixes, PodmanGetsDevicesInPlaceOfTheDriver) {
  ReadinessFacts facts = with_compose(
      "  a:\n    deploy: {resources: {reservations: {devices: [{driver: cdi, device_ids: "
      "[nvidia.com/gpu=all], capabilities: [gpu]}]}}}\n");
  EXPECT_TRUE(plan_fixes(facts, found(facts), "x").steps.empty());
  facts.engine.kind = EngineKind::podman;
  const Plan plan = plan_fixes(facts, found(facts), "x");
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].content, "services:\n  a:\n    devices:\n      - nvidia.com/gpu=all\n");
}

TEST(ComposeFixes, CountAndIdsThatSayTheSameBecomeTheIds) {
  const auto steps = [](const char* request) {
    const ReadinessFacts facts = with_compose(std::string("  a:\n    gpus: [{") + request + "}]\n");
    return plan_fixes(facts, found(facts), "x").steps;
  };
  ASSERT_EQ(steps("count: 1, device_ids: ['0']").size(), 1U);
  EXPECT_EQ(steps("count: 1, device_ids: ['0']")[0].content,
            "services:\n  a:\n    devices:\n      - nvidia.com/gpu=0\n");
  EXPECT_TRUE(steps("count: 2, device_ids: ['0']").empty());
}

// The CDI device brings what its specification was made with.
TEST(ComposeFixes, CapabilitiesThatTheSpecificationLacksAreTold) {
  const auto effect = [](const std::string& service) {
    ReadinessFacts facts = with_compose("  a:\n" + service);
    facts.driver.files = bases::ubuntu_host().driver.files;
    DriverLibrary library;
    library.machine = 62;
    for (const char* name : {"libnvcuvid", "libGLX_nvidia"}) {
      library.path = "/usr/lib/x86_64-linux-gnu/" + std::string(name) + ".so.580.95.05";
      library.soname = std::string(name) + ".so.1";
      facts.driver.files.libraries.push_back(library);
    }
    const Plan plan = plan_fixes(facts, found(facts), "x");
    return plan.steps.empty() ? std::string() : plan.steps[0].effect;
  };
  const std::string end = "makes the containers anew";
  EXPECT_TRUE(
      effect("    gpus: [{count: 1, capabilities: [gpu, compute, utility]}]\n").ends_with(end));
  const std::string video = effect("    gpus: [{count: 1, capabilities: [gpu, video]}]\n");
  EXPECT_NE(video.find("; a asked for the driver's video, which the CDI specification does not "
                       "give: 'estiva cdi generate --capabilities graphics,video -o /"),
            std::string::npos)
      << video;
  const std::string all =
      effect("    gpus: all\n    environment: [NVIDIA_DRIVER_CAPABILITIES=all]\n");
  EXPECT_NE(all.find("asked for the driver's video, which"), std::string::npos)
      << "this driver has no 32-bit libraries, and graphics are there: " << all;
}

TEST(Fixes, WhatStopsSomethingHasACommandOrIsLeft) {
  EXPECT_EQ(command_for("K3"), "estiva setup apply --restart-docker");
  EXPECT_EQ(command_for("P8"), "estiva setup apply --unset-default-runtime --restart-docker");
  EXPECT_EQ(command_for("D6"), "");
  EXPECT_EQ(command_for("P14"), "") << "--fix itself does it";
  EXPECT_TRUE(has_fix("P14"));
}

}  // namespace
}  // namespace estiva::decide
