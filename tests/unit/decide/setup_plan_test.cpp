// What 'estiva setup' would do on machines of several kinds, and what it says beside it.
#include "decide/setup/setup_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/sha256.h"
#include "unit/decide/setup_plan_parts.h"

namespace estiva::decide {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

// --- whose specification it is ---------------------------------------------------------------

TEST(SetupPlan, AHealthySpecificationOfNvidiasStaysAndOursStandsBesideIt) {
  const SetupPlan plan = planned(bases::debian_host());
  const Step* spec = step_of(plan, "run_generator /var/run/cdi/estiva.yaml");
  ASSERT_NE(spec, nullptr);
  EXPECT_EQ(spec->content, "estiva.dev/gpu");
  EXPECT_THAT(content_of(plan, kCdiService),
              HasSubstr("--kind estiva.dev/gpu -o /var/run/cdi/estiva.yaml"));
  EXPECT_THAT(plan.notes, Contains(HasSubstr("/etc/cdi/nvidia.yaml is healthy and stays")));
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("remove_file"))));
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("disable_unit"))));
}

TEST(SetupPlan, ASickOneStaysTooAndIsNamed) {
  ReadinessFacts facts = bases::debian_host();
  facts.cdi.hosts[facts.driver.files.libraries[1].path].exists = false;
  const SetupPlan plan = planned(facts);
  EXPECT_NE(step_of(plan, "run_generator /var/run/cdi/estiva.yaml"), nullptr);
  EXPECT_THAT(plan.notes,
              Contains(AllOf(HasSubstr("/etc/cdi/nvidia.yaml is not right"),
                             HasSubstr("libcuda.so.550.163.01"), HasSubstr("--take-over"))));
}

TEST(SetupPlan, WhereNobodyDeclaresNvidiasDevicesEstivaDoes) {
  for (const char* how : {"none", "broken", "ignored", "of another kind"}) {
    ReadinessFacts facts = bases::debian_host();
    CdiFile& file = facts.cdi.files[0];
    if (how == std::string("none")) facts.cdi.files.clear();
    if (how == std::string("broken")) file.error = "no YAML";
    if (how == std::string("ignored")) file.is_ignored = true;
    if (how == std::string("of another kind")) file.spec.kind = "amd.com/gpu";
    const SetupPlan plan = planned(facts);
    const Step* spec = step_of(plan, "run_generator /var/run/cdi/nvidia.yaml");
    ASSERT_NE(spec, nullptr) << how;
    EXPECT_EQ(spec->content, "nvidia.com/gpu") << how;
    EXPECT_THAT(plan.notes, Contains(HasSubstr("estiva writes nvidia.com/gpu=... itself"))) << how;
    EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("remove_file")))) << how;
  }
}

TEST(SetupPlan, NvidiasUnitsAreNotSwitchedOffUnasked) {
  ReadinessFacts facts = bases::ubuntu_host();  // with NVIDIA's refresh unit
  facts.cdi.files.clear();
  const auto words = words_of(planned(facts));
  EXPECT_THAT(words, Contains("run_generator /var/run/cdi/nvidia.yaml"));
  EXPECT_THAT(words, Not(Contains(HasSubstr("disable_unit"))));
  EXPECT_THAT(words, Not(Contains(HasSubstr("stop_unit"))));
  SetupWish wish;
  wish.take_over = true;
  EXPECT_THAT(words_of(planned(facts, wish)), Contains("disable_unit nvidia-cdi-refresh.service"));
}

TEST(SetupPlan, TakenOverWithConsentNvidiasUnitAndFilesMakeWay) {
  ReadinessFacts facts = bases::ubuntu_host();  // with NVIDIA's refresh unit
  CdiFile second = facts.cdi.files[0];
  second.path = "/etc/cdi/more.yaml";
  facts.cdi.files.push_back(second);
  SetupWish wish;
  wish.take_over = true;
  const SetupPlan plan = planned(facts, wish);
  EXPECT_THAT(words_of(plan), IsSupersetOf({"disable_unit nvidia-cdi-refresh.service",
                                            "remove_file /etc/cdi/more.yaml",
                                            "run_generator /var/run/cdi/nvidia.yaml"}));
  EXPECT_THAT(words_of(plan), Not(Contains("remove_file /var/run/cdi/nvidia.yaml")))
      << "ours takes its place";
  EXPECT_THAT(words_of(plan), Not(Contains("disable_unit nvidia-cdi-refresh.path")))
      << "it is not there";
  facts.units.back().is_enabled = false;
  EXPECT_THAT(words_of(planned(facts, wish)), Not(Contains(HasSubstr("disable_unit"))));
}

TEST(SetupPlan, OneThatEstivaWroteEarlierIsItsOwn) {
  ReadinessFacts facts = bases::debian_host();
  facts.cdi.files[0].path = "/var/run/cdi/nvidia.yaml";
  facts.units.push_back(
      bases::make_unit("estiva-cdi.service",
                       "[Service]\nExecStart=/usr/bin/estiva cdi generate --kind nvidia.com/gpu -o "
                       "/var/run/cdi/nvidia.yaml\n",
                       true));
  const SetupPlan plan = planned(facts);
  EXPECT_NE(step_of(plan, "run_generator /var/run/cdi/nvidia.yaml"), nullptr);
  EXPECT_THAT(plan.notes, Not(Contains(HasSubstr("healthy and stays"))));
}

TEST(SetupPlan, AFolderThatTheEngineDoesNotReadIsNamed) {
  ReadinessFacts facts = settled();
  EXPECT_THAT(planned(facts).notes, Not(Contains(HasSubstr("cdi-spec-dirs"))));
  facts.engine.cdi_dirs = {"/run/cdi/"};  // the same by another name
  EXPECT_THAT(planned(facts).notes, Not(Contains(HasSubstr("cdi-spec-dirs"))));
  facts.engine.cdi_dirs = {"/srv/cdi"};
  EXPECT_THAT(planned(facts).notes,
              Contains(AllOf(HasSubstr("Docker reads specifications from /srv/cdi"),
                             HasSubstr("add /var/run/cdi to 'cdi-spec-dirs'"))));
}

// --- engines ---------------------------------------------------------------------------------

struct DockerCase {
  const char* version;
  bool switches_cdi_on;
  const char* note;  // nullptr: none about CDI
};
class DockerVersions : public testing::TestWithParam<DockerCase> {};

TEST_P(DockerVersions, TheFeatureIsSwitchedOnWhereItHasTo) {
  ReadinessFacts facts = bases::debian_host();
  facts.engine.version = GetParam().version;
  const SetupPlan plan = planned(facts);
  const bool switches = content_of(plan, kDaemonJson).find("\"cdi\": true") != std::string::npos;
  EXPECT_EQ(switches, GetParam().switches_cdi_on) << content_of(plan, kDaemonJson);
  if (GetParam().note != nullptr)
    EXPECT_THAT(plan.notes, Contains(HasSubstr(GetParam().note)));
  else
    EXPECT_THAT(plan.notes, Not(Contains(HasSubstr("CDI"))));
}

INSTANTIATE_TEST_SUITE_P(
    Versions, DockerVersions,
    testing::Values(DockerCase{"20.10.24+dfsg1", false, "Docker 20.10.24+dfsg1 has no CDI"},
                    DockerCase{"24.0.9", false, "Upgrade Docker to 28.2"},
                    DockerCase{"25.0.0", true, "does not come back when Docker is restarted"},
                    DockerCase{"28.1.1", true, "does not come back when Docker is restarted"},
                    DockerCase{"28.2.0", false, nullptr}, DockerCase{"29.2.1", false, nullptr},
                    DockerCase{"", false, "the version of Docker is not known"}));

TEST(SetupPlan, WhatIsInForceAlreadyIsNotWrittenAgain) {
  const SetupPlan plan = planned(settled());
  EXPECT_EQ(step_of(plan, std::string("write_file ") + kDaemonJson), nullptr);
  EXPECT_THAT(plan.notes, Not(Contains(HasSubstr("has to be restarted"))));
}

TEST(SetupPlan, DaemonJsonIsWrittenAsItWasReadAndNotOtherwise) {
  ReadinessFacts facts = bases::debian_host();
  const std::string word = std::string("write_file ") + kDaemonJson;
  EXPECT_EQ(step_of(planned(facts), word)->expects, "absent");
  facts.engine.daemon_json.text = std::string("{\"mtu\": 1400}\n");
  const SetupPlan plan = planned(facts);
  EXPECT_EQ(step_of(plan, word)->expects, format::sha256_hex("{\"mtu\": 1400}\n"));
  EXPECT_THAT(step_of(plan, word)->content, HasSubstr("\"mtu\": 1400"));
}

TEST(SetupPlan, AFileThatCantBeReadIsNotTakenForNone) {
  ReadinessFacts facts = bases::debian_host();
  for (const auto& [why, code] : {std::pair{Missing::failed, 5}, {Missing::not_permitted, 5}}) {
    facts.engine.daemon_json.text = why;
    const auto plan = plan_setup(facts, {});
    ASSERT_FALSE(plan);
    EXPECT_EQ(exit_code(plan.error().kind), code);
    EXPECT_THAT(plan.error().what, HasSubstr("/etc/docker/daemon.json is there and can't be read"));
  }
}

// Docker does not start where a setting stands in the file and on its command line.
TEST(SetupPlan, WhatStandsOnDockersCommandLineIsLeftOutOfTheFile) {
  for (const bool by_process : {false, true}) {
    ReadinessFacts facts = bases::debian_host();
    const std::vector<std::string> flags = {"--log-driver=journald", "-H", "fd://"};
    for (UnitFact& unit : facts.units)
      if (unit.name == "docker.service")
        unit.text = by_process ? "[Service]\nExecStart=/usr/bin/dockerd $DOCKER_OPTS\n"
                               : "[Service]\nExecStart=/usr/bin/dockerd --log-driver=journald "
                                 "-H fd://\n";
    facts.engine.arguments = by_process ? flags : std::vector<std::string>{};
    const std::string text = content_of(planned(facts), kDaemonJson);
    EXPECT_THAT(text, HasSubstr("nvidia-container-runtime")) << by_process;
    EXPECT_THAT(text, Not(HasSubstr("log-"))) << by_process;
  }
}

TEST(SetupPlan, NvidiasRuntimeIsRegisteredWhereItIsInstalled) {
  ReadinessFacts facts = bases::debian_host();
  EXPECT_THAT(content_of(planned(facts), kDaemonJson),
              HasSubstr("\"path\": \"/usr/bin/nvidia-container-runtime\""));
  facts.toolkit.programs.clear();
  EXPECT_THAT(content_of(planned(facts), kDaemonJson), Not(HasSubstr("runtimes")));
}

TEST(SetupPlan, TheLimitsOfLogsThatAUserHasAreKept) {
  ReadinessFacts facts = bases::debian_host();
  EXPECT_THAT(content_of(planned(facts), kDaemonJson), HasSubstr("\"max-size\": \"10m\""));
  SetupWish wish;
  wish.log_rotation = false;
  EXPECT_THAT(content_of(planned(facts, wish), kDaemonJson), Not(HasSubstr("max-size")));
  for (const char* own :
       {R"({"log-opts": {"max-size": "200m"}})", R"({"log-driver": "journald"})"}) {
    facts.engine.daemon_json.text = std::string(own);
    const std::string text = content_of(planned(facts), kDaemonJson);
    EXPECT_THAT(text, Not(HasSubstr("\"10m\""))) << text;
    EXPECT_THAT(text, HasSubstr("nvidia-container-runtime")) << "the rest is done";
  }
}

TEST(SetupPlan, ADefaultRuntimeIsTakenAwayOnlyWhenAsked) {
  ReadinessFacts facts = settled();
  facts.engine.daemon_json.text =
      R"({"default-runtime":"nvidia",)" + facts.engine.daemon_json.text->substr(1);
  EXPECT_EQ(content_of(planned(facts), kDaemonJson), "");
  EXPECT_THAT(planned(facts).notes, Contains(HasSubstr("--unset-default-runtime")));
  SetupWish wish;
  wish.unset_default_runtime = true;
  EXPECT_THAT(content_of(planned(facts, wish), kDaemonJson), Not(HasSubstr("default-runtime")));
}

TEST(SetupPlan, DockerIsRestartedOnlyWhenAskedAndWhoStopsIsNamed) {
  ReadinessFacts facts = bases::rhel_host();  // 27.5
  facts.engine.daemon_json.text = std::string("{}");
  ContainerFact stopped = facts.containers[0];
  stopped.name = "stopped", stopped.state = "exited";
  facts.containers.push_back(stopped);
  SetupPlan plan = planned(facts);
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("restart_unit"))));
  EXPECT_THAT(plan.notes,
              Contains(AllOf(HasSubstr("'sudo systemctl restart docker.service'"),
                             HasSubstr("stop meanwhile: vllm"), Not(HasSubstr("stopped")))));
  SetupWish wish;
  wish.restart_engine = true;
  plan = planned(facts, wish);
  const Step* restart = step_of(plan, "restart_unit docker.service");
  ASSERT_NE(restart, nullptr);
  EXPECT_EQ(restart->risk, Risk::interrupts);
  EXPECT_THAT(restart->stops, ElementsAre("vllm"));
}

TEST(SetupPlan, WhatAReloadBringsNeedsNoRestart) {
  ReadinessFacts facts = settled();
  facts.engine.daemon_json.text =
      std::string(R"({"log-driver":"json-file","log-opts":{"max-size":"1m"}})");
  SetupWish wish;
  wish.restart_engine = true;
  const SetupPlan plan = planned(facts, wish);
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("restart_unit"))));
  EXPECT_THAT(plan.notes, Contains(HasSubstr("'sudo systemctl reload docker.service'")));
}

TEST(SetupPlan, ADockerOfAUserIsToldAndItsFilesAreLeftToTheUser) {
  ReadinessFacts facts = bases::rhel_host();
  facts.engine.is_rootless = true;
  facts.engine.daemon_json.path = "/home/ada/.config/docker/daemon.json";
  facts.engine.daemon_json.text = std::string("{}");
  SetupWish wish;
  wish.restart_engine = true;
  const SetupPlan plan = planned(facts, wish);
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("/home/ada"))));
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("restart_unit"))));
  EXPECT_THAT(plan.notes, Contains(AllOf(HasSubstr("In /home/ada/.config/docker/daemon.json set: "
                                                   "features.cdi = true"),
                                         HasSubstr("'systemctl --user restart docker'"),
                                         Not(HasSubstr("nvidia-container-runtime")))));
  EXPECT_THAT(words_of(plan), Contains(HasSubstr("run_generator")));
}

TEST(SetupPlan, ASnapHasAFileAUnitAndAViewOfItsOwn) {
  ReadinessFacts facts = bases::rhel_host();
  facts.engine.kind = EngineKind::docker_snap;
  facts.engine.daemon_json.path = "/var/snap/docker/current/config/daemon.json";
  facts.engine.daemon_json.text = std::string("{}");
  SetupWish wish;
  wish.restart_engine = true;
  const SetupPlan plan = planned(facts, wish);
  EXPECT_THAT(words_of(plan),
              IsSupersetOf({"write_file /var/snap/docker/current/config/daemon.json",
                            "restart_unit snap.docker.dockerd.service"}));
  EXPECT_THAT(content_of(plan, "/var/snap/docker/current/config/daemon.json"),
              Not(HasSubstr("nvidia-container-runtime")));
  EXPECT_THAT(content_of(plan, kCdiService), HasSubstr("Before=snap.docker.dockerd.service "));
  EXPECT_THAT(plan.notes, Contains(HasSubstr("This Docker is a snap")));
}

struct EngineCase {
  const char* name;
  void (*change)(ReadinessFacts& facts);
  const char* note;
};
class WithoutDaemonJson : public testing::TestWithParam<EngineCase> {};

TEST_P(WithoutDaemonJson, OnlyTheSpecificationIsSetUpAndTheSentenceIsTheEngines) {
  ReadinessFacts facts = bases::debian_host();
  facts.engine.daemon_json.text = std::string("not even JSON");
  GetParam().change(facts);
  const SetupPlan plan = planned(facts);
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("daemon.json"))));
  EXPECT_THAT(words_of(plan),
              IsSupersetOf({std::string("write_file ") + kCdiService,
                            std::string("enable_unit estiva-cdi.service"),
                            std::string("run_generator /var/run/cdi/estiva.yaml")}));
  EXPECT_THAT(plan.notes, Contains(HasSubstr(GetParam().note))) << GetParam().name;
}

INSTANTIATE_TEST_SUITE_P(
    Engines, WithoutDaemonJson,
    testing::Values(EngineCase{"podman",
                               [](ReadinessFacts& f) {
                                 f.engine.kind = EngineKind::podman;
                                 f.engine.version = "5.3.1";
                               },
                               "Podman reads CDI specifications by itself"},
                    EngineCase{"podman in Docker's place, without its service",
                               [](ReadinessFacts& f) {
                                 f.engine.kind = EngineKind::none;
                                 f.engine.cli_is_podman = true;
                               },
                               "Podman reads CDI specifications by itself"},
                    EngineCase{"an old podman",
                               [](ReadinessFacts& f) {
                                 f.engine.kind = EngineKind::podman;
                                 f.engine.version = "3.4.4";
                               },
                               "Podman 3.4.4 has no CDI"},
                    EngineCase{
                        "docker desktop",
                        [](ReadinessFacts& f) { f.engine.kind = EngineKind::docker_desktop; },
                        "virtual machine without the GPU"},
                    EngineCase{"docker desktop on windows",
                               [](ReadinessFacts& f) {
                                 f.engine.kind = EngineKind::docker_desktop;
                                 f.kernel.in_wsl = true;
                               },
                               "gives GPUs to containers by itself"},
                    EngineCase{"none", [](ReadinessFacts& f) { f.engine.kind = EngineKind::none; },
                               "No Docker was found"}));

// --- the machine -------------------------------------------------------------------------------

TEST(SetupPlan, WithoutAGpuThereIsNothingToSetUp) {
  const auto plan = plan_setup(bases::cpu_only(), {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(exit_code(plan.error().kind), 5);
  EXPECT_THAT(plan.error().what, HasSubstr("no NVIDIA GPU"));
  ReadinessFacts asleep = bases::debian_host();
  bases::unload(asleep);
  EXPECT_TRUE(plan_setup(asleep, {})) << "the card is there without its module";
  EXPECT_TRUE(plan_setup(bases::wsl_host(), {}));
}

TEST(SetupPlan, AProgramInAHomeFolderIsRefused) {
  SetupWish wish;
  for (const char* program : {"/home/ada/bin/estiva",
                              "/root"
                              "/estiva",
                              "/run/user/1000/estiva"}) {
    wish.program = program;
    const auto plan = plan_setup(bases::debian_host(), wish);
    ASSERT_FALSE(plan) << program;
    EXPECT_EQ(exit_code(plan.error().kind), 5);
    EXPECT_THAT(plan.error().what, HasSubstr(program));
  }
  wish.program = "/homes/estiva";
  EXPECT_TRUE(plan_setup(bases::debian_host(), wish));
}

TEST(SetupPlan, EveryStepSaysWhyAndWhatComesOfItAndHowItIsTakenBack) {
  SetupWish wish;
  wish.take_over = wish.restart_engine = true;
  ReadinessFacts facts = bases::rhel_host();
  facts.engine.daemon_json.text = std::string("{}");
  const SetupPlan plan = planned(facts, wish);
  EXPECT_EQ(plan.plan.id, "setup");
  EXPECT_GT(plan.plan.steps.size(), 9U);
  for (const Step& step : plan.plan.steps) {
    EXPECT_FALSE(step.reason.empty()) << word_of(step);
    EXPECT_FALSE(step.effect.empty()) << word_of(step);
    EXPECT_FALSE(step.undo.empty()) << word_of(step);
  }
  // The files are there before systemd reads them, and that before they are enabled.
  const auto words = words_of(plan);
  const auto place = [&](const std::string& word) {
    return std::find(words.begin(), words.end(), word) - words.begin();
  };
  EXPECT_LT(place(std::string("write_file ") + kCdiService), place("reload_units "));
  EXPECT_LT(place("reload_units "), place("enable_unit estiva-cdi.service"));
  EXPECT_EQ(words.back(), "restart_unit docker.service");
}

}  // namespace
}  // namespace estiva::decide
