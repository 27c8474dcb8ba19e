// Compute modes of GPUs and booleans of SELinux: what a program sets, and sets back.
#include <filesystem>

#include "act/prepare.h"
#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

class SwitchSteps : public ActTest {};

Step mode_step(const std::string& gpu, const std::string& mode = "Default") {
  return step_of(StepKind::set_compute_mode, gpu, mode);
}
Step boolean_step(const std::string& name, const std::string& value = "on") {
  return step_of(StepKind::set_boolean, name, value);
}

TEST_F(SwitchSteps, EachGpuGetsItsOwnModeBack) {
  put("/run/fake-gpus/GPU-a1", "Prohibited");
  put("/run/fake-gpus/GPU-b2", "Exclusive_Process");
  put("/run/fake-gpus/GPU-c3", "Default");
  const auto before = now();
  Step first = mode_step("GPU-a1");
  first.expects = "Prohibited";
  const auto run = applied(plan_of({first, mode_step("GPU-b2"), mode_step("GPU-c3")}));
  for (const char* gpu : {"a1", "b2", "c3"})
    EXPECT_EQ(content(std::string("/run/fake-gpus/GPU-") + gpu), "Default");
  EXPECT_EQ(commands_.calls, (std::vector<std::string>{"nvidia-smi -i GPU-a1 -c DEFAULT",
                                                       "nvidia-smi -i GPU-b2 -c DEFAULT"}));
  commands_.calls.clear();
  expect_undone(run, before);
  EXPECT_EQ(commands_.calls, (std::vector<std::string>{"nvidia-smi -i GPU-b2 -c EXCLUSIVE_PROCESS",
                                                       "nvidia-smi -i GPU-a1 -c PROHIBITED"}));
}

TEST_F(SwitchSteps, AModeThatSomebodyChangedIsLeftAlone) {
  put("/run/fake-gpus/GPU-a1", "Prohibited");
  Step step = mode_step("GPU-a1");
  step.expects = "Exclusive_Process";
  const auto refused = do_it(plan_of({step}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::refused);
  const auto run = applied(plan_of({mode_step("GPU-a1")}));
  put("/run/fake-gpus/GPU-a1", "Exclusive_Thread");
  const auto report = undo_it(run);
  ASSERT_FALSE(report);
  EXPECT_EQ(content("/run/fake-gpus/GPU-a1"), "Exclusive_Thread");
}

TEST_F(SwitchSteps, AGpuOrModeThatIsNoneIsRefused) {
  put("/run/fake-gpus/GPU-a1", "[N/A]");
  for (const Step& step :
       {mode_step(""), mode_step("GPU-"), mode_step("-r"), mode_step("GPU-1;x"), mode_step("0"),
        mode_step("GPU-a1"), mode_step("GPU-2"), mode_step("GPU-a1", "DEFAULT")}) {
    EXPECT_FALSE(do_it(plan_of({step}))) << step.target << " " << step.content;
  }
  EXPECT_TRUE(commands_.calls.empty());
}

TEST_F(SwitchSteps, ABooleanIsSwitchedAndBack) {
  const std::string name = "container_use_devices", file = "/sys/fs/selinux/booleans/" + name;
  put(file, "0 0");
  const auto before = now();
  Step on = boolean_step(name);
  on.expects = "off";
  const auto run = applied(plan_of({on}));
  EXPECT_EQ(content(file), "1 1");
  EXPECT_EQ(status_of(machine_, journal_, run)->steps[0].state, StepState::stands);
  expect_undone(run, before);
  EXPECT_EQ(commands_.calls, (std::vector<std::string>{"setsebool -P " + name + " on",
                                                       "setsebool -P " + name + " off"}));
}

TEST_F(SwitchSteps, ABooleanThatIsSoIsNotTouched) {
  put("/sys/fs/selinux/booleans/a", "1 1");
  const auto report = do_it(plan_of({boolean_step("a")}));
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(report->steps[0].state, StepState::unchanged);
  EXPECT_TRUE(commands_.calls.empty());
}

TEST_F(SwitchSteps, OddBooleansAreRefused) {
  put("/sys/fs/selinux/booleans/a", "0 0");
  for (const Step& step : {boolean_step(""), boolean_step("-P"), boolean_step("../a"),
                           boolean_step("missing"), boolean_step("a", "1")}) {
    EXPECT_FALSE(do_it(plan_of({step}))) << step.target << " " << step.content;
  }
  EXPECT_TRUE(commands_.calls.empty());
}

TEST_F(SwitchSteps, ARefusalOfTheProgramStopsTheRun) {
  put("/run/fake-gpus/GPU-a1", "Prohibited");
  put("/sys/fs/selinux/booleans/a", "0 0");
  const auto before = now();
  commands_.failing = {"nvidia-smi -i GPU-a1 -c DEFAULT", "setsebool -P a on"};
  for (const Step& step : {mode_step("GPU-a1"), boolean_step("a")}) {
    const auto report = do_it(plan_of({step}));
    ASSERT_TRUE(report);
    ASSERT_TRUE(report->error);
    EXPECT_NE(report->error->what.find("it does not want to"), std::string::npos);
    expect_undone(report->run, before);
  }
}

// modprobe, nvidia-smi and setsebool know of no other root: they would change the machine that the
// test runs on.
TEST_F(SwitchSteps, ATreeInAFolderIsNotTheRunningSystem) {
  put("/run/fake-gpus/GPU-a1", "Prohibited");
  put("/sys/fs/selinux/booleans/a", "0 0");
  Plan plan =
      plan_of({mode_step("GPU-a1"), boolean_step("a"), step_of(StepKind::load_module, "tun"),
               step_of(StepKind::unload_module, "ext4"), write_step("/etc/new", "1")});
  const auto prepared = prepare(machine_, plan);
  ASSERT_TRUE(prepared) << prepared.error().sentence();
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].target, "/etc/new");
  EXPECT_TRUE(commands_.calls.empty());
}

}  // namespace
}  // namespace estiva::act::test
