// The ladder of verify: what each rung says, and what all of it means.
#include "decide/verify/ladder.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decide/readiness/rule.h"
#include "unit/decide/readiness_bases.h"

namespace estiva::decide {
namespace {

using testing::HasSubstr;

// A container of our own that computed.
ContainerLook good_look() {
  ContainerLook look;
  look.was_tried = look.is_running = true;
  look.asked_by = "--device nvidia.com/gpu=all";
  Seen seen;
  seen.nodes = {{"/dev/nvidia0", 0}, {"/dev/nvidiactl", 0}};
  seen.library = "/usr/lib/x86_64-linux-gnu/libcuda.so.1";
  seen.init = 0;
  seen.devices = {"NVIDIA GeForce RTX 3060"};
  look.seen = seen;
  return look;
}

// One that somebody runs.
ContainerLook running_look() {
  ContainerLook look = good_look();
  look.name = "llm";
  look.seen = Seen{{{"/dev/nvidia0", 0}}, {}, {}, Missing::not_read, {}, {}};
  look.processes_known = true;
  return look;
}

Ladder ladder_of(const ReadinessFacts& facts, const ContainerLook& look) {
  return climb(facts, judge_readiness(facts), look);
}

Rung rung(const Ladder& ladder, std::string_view name) {
  const auto found = std::ranges::find(ladder.rungs, name, &Rung::name);
  return found == ladder.rungs.end() ? Rung{"absent", RungState::failed, {}, {}, {}} : *found;
}

TEST(Ladder, AProgramThatComputesProvesAll) {
  const Ladder ladder = ladder_of(bases::debian_host(), good_look());
  EXPECT_EQ(ladder.verdict, LadderVerdict::usable);
  EXPECT_EQ(ladder.summary, "The GPU is usable in containers");
  for (const Rung& one : ladder.rungs)
    EXPECT_NE(one.state, RungState::failed) << one.name << ": " << one.seen;
  EXPECT_EQ(ladder.rungs.size(), 11U);
  EXPECT_EQ(rung(ladder, "CUDA inside").seen, "cuInit returned 0; NVIDIA GeForce RTX 3060");
}

TEST(Ladder, WhatTheEngineSaysStandsOnItsRung) {
  ContainerLook look = good_look();
  look.is_running = false;
  look.error = "could not select device driver \"cdi\" with capabilities: []";
  look.seen = Missing::failed;
  const Ladder ladder = ladder_of(bases::debian_host(), look);
  EXPECT_EQ(ladder.verdict, LadderVerdict::broken);
  EXPECT_EQ(rung(ladder, "container").state, RungState::failed);
  EXPECT_EQ(rung(ladder, "container").seen, look.error);
  EXPECT_EQ(rung(ladder, "CUDA inside").name, "absent") << "what was not reached is not told";
  EXPECT_THAT(ladder.summary, HasSubstr("could not select"));
}

TEST(Ladder, EachThingThatIsMissingInsideIsNamed) {
  struct Case {
    void (*spoil)(Seen& seen);
    const char* rung;
    const char* says;
  };
  const Case cases[] = {
      {[](Seen& seen) { seen.nodes.clear(); }, "devices inside", "no /dev/nvidia* node"},
      {[](Seen& seen) { seen.nodes[1].error = 1; }, "devices inside",
       "/dev/nvidiactl can't be opened: 1"},
      {[](Seen& seen) { seen.library_error = "libcuda.so.1: no such file"; }, "CUDA inside",
       "libcuda.so.1 can't be loaded: libcuda.so.1: no such file"},
      {[](Seen& seen) { seen.init = 999; }, "CUDA inside", "cuInit returned 999"},
      {[](Seen& seen) { seen.devices.clear(); }, "CUDA inside",
       "cuInit returned 0, and CUDA offers no device"},
  };
  for (const Case& one : cases) {
    ContainerLook look = good_look();
    Seen seen = *look.seen;
    one.spoil(seen);
    look.seen = seen;
    const Ladder ladder = ladder_of(bases::debian_host(), look);
    EXPECT_EQ(rung(ladder, one.rung).state, RungState::failed) << one.says;
    EXPECT_EQ(rung(ladder, one.rung).seen, one.says);
  }
}

TEST(Ladder, AFaultOnTheHostIsNamedByItsRule) {
  ReadinessFacts facts = bases::debian_host();
  facts.kernel.module_version = "550.54.14";
  facts.driver.files.module_version = "550.54.14";
  facts.driver.status.state = DriverState::mismatch;
  facts.driver.status.reason = "versions differ";
  ContainerLook look;
  look.why_not = "--no-container was given";
  const Ladder ladder = ladder_of(facts, look);
  EXPECT_EQ(ladder.verdict, LadderVerdict::broken);
  EXPECT_EQ(rung(ladder, "driver files").rule, "D3");
  EXPECT_EQ(rung(ladder, "driver files").state, RungState::failed);
  EXPECT_FALSE(rung(ladder, "driver files").remedy.empty());
}

TEST(Ladder, WithoutAContainerNothingIsProven) {
  ContainerLook look;
  look.why_not = "nobody listens there";
  const Ladder ladder = ladder_of(bases::debian_host(), look);
  EXPECT_EQ(ladder.verdict, LadderVerdict::unproven);
  EXPECT_THAT(ladder.summary, HasSubstr("nobody listens there"));
  EXPECT_EQ(rung(ladder, "container").state, RungState::skipped);
}

TEST(Ladder, WithoutAGpuThereIsOnlyTheCpu) {
  ContainerLook look;
  look.why_not = "this machine has no NVIDIA GPU";
  const Ladder ladder = climb({}, {}, look);
  EXPECT_EQ(ladder.verdict, LadderVerdict::cpu_only);
  EXPECT_EQ(rung(ladder, "PCI device").state, RungState::failed);
}

TEST(Ladder, WithoutACardNothingElseIsSaid) {
  ContainerLook look;
  look.why_not = "there is no container engine at unix:/run/docker.sock";
  const Ladder ladder = climb({}, {}, look);
  ASSERT_EQ(ladder.rungs.size(), 1U);
  EXPECT_THAT(ladder.rungs[0].remedy, HasSubstr("lspci -d 10de:"));
  EXPECT_EQ(ladder.summary, "Only the CPU: PCI shows no NVIDIA GPU");
}

TEST(Ladder, WhatIsNotThereIsSaidInWords) {
  ReadinessFacts facts = bases::debian_host();
  facts.kernel.module_version.clear();
  facts.driver.files.libraries.clear();
  facts.driver.files.nodes.clear();
  facts.driver.missing_nodes.clear();
  facts.driver.cuda_init = Missing::not_supported;
  const Ladder ladder = climb(facts, {}, {});
  EXPECT_EQ(rung(ladder, "driver files").seen, "no libcuda is installed");
  EXPECT_EQ(rung(ladder, "device nodes").seen, "no /dev/nvidia* node");
  EXPECT_EQ(rung(ladder, "CUDA").seen, "not asked: there is nothing here that could answer");
}

TEST(Ladder, WhyTheEngineIsSilentIsSaidOnce) {
  ReadinessFacts facts = bases::debian_host();
  facts.engine.api_error = "there is no container engine at unix:/run/docker.sock. Start it";
  ContainerLook look;
  look.why_not = facts.engine.api_error;
  const Ladder ladder = climb(facts, {}, look);
  std::string all = ladder.summary;
  for (const Rung& one : ladder.rungs) all += one.seen + one.remedy;
  EXPECT_EQ(all.find(facts.engine.api_error), all.rfind(facts.engine.api_error));
  EXPECT_EQ(rung(ladder, "container engine").remedy, facts.engine.api_error);
  EXPECT_EQ(rung(ladder, "container").seen, "not tried without a container engine");
  EXPECT_EQ(ladder.summary, "Broken at \"container engine\": no container engine answers");
}

TEST(Ladder, ARunningContainerIsJudgedByWhatItDoes) {
  const ReadinessFacts facts = bases::debian_host();
  ContainerLook look = running_look();
  look.gpu_processes = {"ollama (pid 4242), 1.95 GiB on GPU 0"};
  EXPECT_EQ(ladder_of(facts, look).verdict, LadderVerdict::usable);
  EXPECT_EQ(ladder_of(facts, look).summary, "llm can use the GPU");

  look.compute_line = "msg=\"inference compute\" id=0 library=cpu compute=\"\"";
  EXPECT_EQ(ladder_of(facts, look).verdict, LadderVerdict::cpu_only)
      << "whatever else is on the GPU";
  look.compute_line = "msg=\"inference compute\" id=GPU-1 library=cuda name=RTX";
  EXPECT_EQ(ladder_of(facts, look).verdict, LadderVerdict::usable);
  look.compute_line.clear();
  look.torch = "cpu";
  EXPECT_EQ(ladder_of(facts, look).verdict, LadderVerdict::cpu_only);

  look = running_look();
  look.asked_by.clear();
  EXPECT_EQ(ladder_of(facts, look).verdict, LadderVerdict::cpu_only) << "it asks for no GPU";
  look.is_running = false;
  EXPECT_EQ(ladder_of(facts, look).verdict, LadderVerdict::broken);
}

TEST(Ladder, TheLibraryOfALineIsAWord) {
  EXPECT_EQ(library_of("msg=\"inference compute\" id=0 library=cpu compute=\"\""), "cpu");
  EXPECT_EQ(library_of("library=cuda"), "cuda");
  EXPECT_EQ(library_of("inference compute"), "");
}

TEST(Ladder, EveryRuleHasARungOrIsOfTheContainersOwn) {
  // A finding that no rung shows would be lost: each rule's error turns some rung red.
  for (const Rule* rule : all_rules()) {
    if (rule->find == nullptr) continue;  // only in a log
    Finding finding;
    finding.id = rule->id;
    finding.severity = Severity::error;
    finding.title = "wrong";
    const bool is_about_applications = rule->id.starts_with('P');
    const Ladder ladder = climb(bases::debian_host(), {finding},
                                is_about_applications ? [] {
                                  auto look = running_look();
                                  look.torch = "cuda X";
                                  return look;
                                }()
                                                      : good_look());
    EXPECT_TRUE(std::ranges::any_of(ladder.rungs, [&](const Rung& one) {
      return one.rule == rule->id && one.state == RungState::failed;
    })) << rule->id;
  }
}

}  // namespace
}  // namespace estiva::decide
