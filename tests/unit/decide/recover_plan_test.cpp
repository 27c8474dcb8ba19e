// What brings a lost GPU back, and what is left alone.
#include "decide/setup/recover_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decide/readiness/rule.h"
#include "unit/decide/readiness_bases.h"

namespace estiva::decide {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

RecoverPlan recover(const ReadinessFacts& facts, RecoverWish wish = {}) {
  return plan_recover(facts, judge_readiness(facts), wish);
}

std::vector<std::string> words_of(const Plan& plan) {
  std::vector<std::string> words;
  for (const Step& step : plan.steps)
    words.push_back(std::string(to_name(step.kind)) + " " + step.target);
  return words;
}

// New libraries under an old module.
ReadinessFacts upgraded() {
  ReadinessFacts facts = bases::debian_host();
  facts.kernel.module_version = "550.54.14";
  facts.driver.files.module_version = "550.54.14";
  return facts;
}

TEST(Recover, AHealthyMachineNeedsNothing) {
  const RecoverPlan plan = recover(bases::debian_host());
  EXPECT_THAT(plan.plan.steps, IsEmpty());
  EXPECT_THAT(plan.lost, IsEmpty());
  EXPECT_THAT(plan.notes, IsEmpty());
  EXPECT_EQ(plan.plan.id, "recover");
}

TEST(Recover, ModulesOfAnotherVersionAreLoadedAnewWhereNobodyUsesThem) {
  ReadinessFacts facts = upgraded();
  facts.kernel.modules = {
      {"nvidia_uvm", 0}, {"nvidia", 2}, {"nvidia_modeset", 1}, {"nvidia_drm", 0}};
  const auto words = words_of(recover(facts).plan);
  ASSERT_GE(words.size(), 8U);
  EXPECT_EQ(words[0], "unload_module nvidia_uvm") << "what stands on others first";
  EXPECT_EQ(words[1], "unload_module nvidia_drm");
  EXPECT_EQ(words[2], "unload_module nvidia_modeset");
  EXPECT_EQ(words[3], "unload_module nvidia");
  EXPECT_EQ(words[4], "load_module nvidia") << "all that was unloaded comes back";
  EXPECT_EQ(words[5], "load_module nvidia_modeset");
  EXPECT_EQ(words[6], "load_module nvidia_drm");
  EXPECT_EQ(words[7], "load_module nvidia_uvm");
}

TEST(Recover, AnotherModuleThatStandsOnThemStopsItBeforeItBegins) {
  ReadinessFacts facts = upgraded();
  facts.kernel.modules = {{"nvidia", 2}, {"nvidia_uvm", 0}, {"nvidia_peermem", 0}};
  const RecoverPlan plan = recover(facts);
  EXPECT_THAT(words_of(plan.plan), testing::Not(Contains(HasSubstr("load_module"))));
  EXPECT_THAT(plan.notes, Contains(HasSubstr("the module nvidia_peermem stands on them")));
}

TEST(Recover, AModuleThatIsUsedIsLeftAlone) {
  ReadinessFacts facts = upgraded();
  facts.driver.users.users = {{50, "ollama", {"/dev/nvidia0"}}};
  RecoverPlan plan = recover(facts);
  EXPECT_THAT(words_of(plan.plan), testing::Not(Contains(HasSubstr("load_module"))));
  EXPECT_THAT(plan.notes, Contains(HasSubstr("ollama (pid 50)")));
  facts.driver.users = {{}, 3};
  plan = recover(facts);
  EXPECT_THAT(words_of(plan.plan), testing::Not(Contains(HasSubstr("load_module"))));
  EXPECT_THAT(plan.notes, Contains(HasSubstr("only be seen by root")));
}

TEST(Recover, OurOwnSpecificationIsMadeAnew) {
  ReadinessFacts facts = bases::debian_host();
  facts.units.push_back(bases::make_unit("estiva-cdi.service",
                                         "[Service]\nExecStart=/usr/bin/estiva cdi generate --kind "
                                         "estiva.dev/gpu -o /run/cdi/e.yaml\n",
                                         true));
  const Plan plan = recover(facts).plan;
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].kind, StepKind::run_generator);
  EXPECT_EQ(plan.steps[0].target, "/run/cdi/e.yaml");
  EXPECT_EQ(plan.steps[0].content, "estiva.dev/gpu");
}

TEST(Recover, DockerIsRestartedOnlyWhenAsked) {
  ReadinessFacts facts = bases::debian_host();
  facts.engine.cdi_dirs.clear();
  facts.engine.cdi_known = true;
  facts.engine.discovered.clear();
  ContainerFact running;
  running.name = "web";
  running.state = "running";
  ContainerFact asks = running;
  asks.name = "llm";
  asks.requests = {{"cdi", 0, {"nvidia.com/gpu=0"}, {}}};
  facts.containers = {running, asks};
  RecoverPlan plan = recover(facts);
  EXPECT_THAT(words_of(plan.plan), testing::Not(Contains("restart_unit docker.service")));
  EXPECT_THAT(plan.notes, Contains(HasSubstr("web, llm")));
  plan = recover(facts, {true, "/usr/bin/estiva"});
  ASSERT_THAT(words_of(plan.plan), Contains("restart_unit docker.service"));
  EXPECT_EQ(plan.plan.steps.back().risk, Risk::interrupts);
  EXPECT_THAT(plan.plan.steps.back().stops, ElementsAre("web", "llm"));
}

TEST(Recover, AUsersDockerIsRestartedByThatUserAndASnapsByItsOwnUnit) {
  ReadinessFacts facts = bases::debian_host();
  facts.engine.cdi_dirs.clear();
  facts.engine.discovered.clear();
  const RecoverWish wish{true, "/usr/bin/estiva"};
  facts.engine.is_rootless = true;
  RecoverPlan plan = recover(facts, wish);
  EXPECT_THAT(words_of(plan.plan), testing::Not(Contains(HasSubstr("restart_unit"))));
  EXPECT_THAT(plan.notes, Contains(AllOf(HasSubstr("systemctl --user restart docker"),
                                         HasSubstr("stop meanwhile: ollama"))));
  facts.engine.is_rootless = false;
  facts.engine.kind = EngineKind::docker_snap;
  plan = recover(facts, wish);
  for (const std::string& word : words_of(plan.plan)) {
    if (word.starts_with("restart_unit")) {
      EXPECT_EQ(word, "restart_unit snap.docker.dockerd.service");
    }
  }
}

TEST(Recover, ContainersThatDidNotStartAreNamed) {
  ReadinessFacts facts = bases::debian_host();
  ContainerFact lost;
  lost.name = "stack-llm-1";
  lost.project = "stack";
  lost.service = "llm";
  lost.compose_files = {"/srv/stack/compose.yaml"};
  lost.state = "exited";
  lost.error = "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=0";
  lost.requests = {{"cdi", 0, {"nvidia.com/gpu=0"}, {}}};
  ContainerFact other = lost;
  other.name = "no-gpu";
  other.requests.clear();
  ContainerFact stopped = lost;
  stopped.name = "stopped-by-hand";
  stopped.error.clear();
  facts.containers = {lost, other, stopped};
  const auto found = recover(facts).lost;
  ASSERT_EQ(found.size(), 1U);
  LostContainer wanted{"stack-llm-1", "stack", "llm", {"/srv/stack/compose.yaml"}, lost.error};
  wanted.replicas = 3;
  EXPECT_EQ(found[0], wanted);
}

TEST(Recover, AnErrorThatIsNotTheGpusIsNobodysLoss) {
  ReadinessFacts facts = bases::debian_host();
  ContainerFact& one = facts.containers[0];
  one.state = "exited";
  for (const char* error :
       {"driver failed programming external connectivity: Bind for 0.0.0.0:80 failed: port is "
        "already allocated",
        "exec: \"/bin/nothing\": stat /bin/nothing: no such file or directory", ""}) {
    one.error = error;
    EXPECT_THAT(recover(facts).lost, IsEmpty()) << error;
  }
  one.error =
      "error mounting \"/usr/lib/libcuda.so.550.54.14\" to rootfs: no such file or directory";
  EXPECT_EQ(recover(facts).lost.size(), 1U);
}

TEST(Recover, WhatComposeLeftHalfMadeIsFound) {
  ReadinessFacts facts = bases::debian_host();
  ContainerFact half = bases::cdi_container("0123456789ab_stack-llm-1", "always");
  half.project = "stack", half.service = "llm";
  half.state = "created", half.started_at = 0;
  facts.containers = {half};
  EXPECT_EQ(recover(facts).lost.size(), 1U);
  facts.containers[0].name = "0123456789ag_stack-llm-1";  // a name of somebody's own
  EXPECT_THAT(recover(facts).lost, IsEmpty());
  facts.containers[0] = half;
  facts.containers[0].started_at = 5;
  EXPECT_THAT(recover(facts).lost, IsEmpty());
}

TEST(Recover, ComposeIsToldOfItsFilesFolderAndNumberAndNotOfItsNeighbours) {
  ReadinessFacts facts = bases::debian_host();
  ContainerFact one = bases::cdi_container("stack-llm-1", "always");
  one.project = "stack", one.service = "llm", one.compose_dir = "/srv/stack";
  one.compose_files = {"compose.yaml", "/etc/more.yaml"};
  one.compose_env_files = {"/srv/stack/prod.env"};
  one.gone_mounts = {"/usr/lib/libcuda.so.1.2.3"};
  ContainerFact two = one;
  two.name = "stack-llm-2";
  two.gone_mounts.clear();
  facts.containers = {one, two};
  const auto lost = recover(facts).lost;
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_THAT(words_to_recreate(lost[0]),
              ElementsAre("compose", "-f", "/srv/stack/compose.yaml", "-f", "/etc/more.yaml",
                          "--project-directory", "/srv/stack", "--env-file", "/srv/stack/prod.env",
                          "-p", "stack", "up", "-d", "--no-deps", "--force-recreate", "--no-build",
                          "--pull", "never", "--scale", "llm=2", "llm"));
  facts.containers[0].is_one_off = true;
  EXPECT_THAT(words_to_recreate(recover(facts).lost[0]), ElementsAre("restart", "stack-llm-1"))
      << "'compose up' makes no container of 'compose run'";
  facts.containers[0].is_one_off = false;
  facts.engine.kind = EngineKind::podman;
  EXPECT_THAT(words_to_recreate(recover(facts).lost[0]), ElementsAre("restart", "stack-llm-1"));
}

}  // namespace
}  // namespace estiva::decide
