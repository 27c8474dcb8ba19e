// Units: through a stand-in of systemctl that runs, and through the real one on a tree.
#include <filesystem>

#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnit =
    "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/"
    "true\n[Install]\nWantedBy=multi-user.target\n";

class UnitSteps : public ActTest {
 protected:
  void activate(const std::string& unit) { put("/run/fake-active/" + unit, "\n"); }
  bool is_active(const std::string& unit) { return fs::exists(at("/run/fake-active/" + unit)); }
};

TEST_F(UnitSteps, AReloadComesAgainWhenTheFileIsBack) {
  put("/run/fake-active/docker.service", "\n");
  put("/etc/docker/daemon.json", "old");
  const auto before = now();
  const auto run = applied(plan_of({write_step("/etc/docker/daemon.json", "new"),
                                    step_of(StepKind::reload_unit, "docker.service")}));
  EXPECT_EQ(commands_.calls, std::vector<std::string>{"systemctl reload docker.service"});
  EXPECT_EQ(status_of(machine_, journal_, run)->steps[1].state, StepState::stands);
  std::string seen;
  machine_.boundary = [&] {
    if (commands_.calls.size() == 2 && seen.empty()) seen = content("/etc/docker/daemon.json");
  };
  expect_undone(run, before);
  EXPECT_EQ(commands_.calls.size(), 2U);
  EXPECT_EQ(seen, "old") << "it has to read what is there again";
}

TEST_F(UnitSteps, WhatDoesNotRunIsNotReloaded) {
  const auto run = applied(plan_of({step_of(StepKind::reload_unit, "docker.service")}));
  EXPECT_EQ(commands_.calls, std::vector<std::string>{});
  put("/run/fake-active/docker.service", "\n");
  EXPECT_TRUE(undo_it(run));
  EXPECT_EQ(commands_.calls, std::vector<std::string>{});
}

TEST_F(UnitSteps, AUnitThatIsWrittenEnabledAndStartedGoesWithoutATrace) {
  const auto before = now();
  Step enable = step_of(StepKind::enable_unit, "a.service");
  enable.expects = "not-found";
  const auto run = applied(plan_of({write_step("/etc/systemd/system/a.service", kUnit, "absent"),
                                    step_of(StepKind::reload_units, ""), enable,
                                    step_of(StepKind::start_unit, "a.service")}));
  EXPECT_EQ(fs::read_symlink(at("/etc/systemd/system/multi-user.target.wants/a.service")),
            "/etc/systemd/system/a.service");
  EXPECT_TRUE(is_active("a.service"));
  commands_.calls.clear();
  expect_undone(run, before);
  EXPECT_EQ(commands_.calls,
            (std::vector<std::string>{"systemctl stop a.service", "systemctl daemon-reload"}));
}

TEST_F(UnitSteps, ARestartComesLastOnceTheOldFilesAreThereAgain) {
  put("/etc/docker/daemon.json", "old");
  activate("docker.service");
  const auto before = now();
  const auto run = applied(
      plan_of({write_step("/etc/docker/daemon.json", "new"),
               step_of(StepKind::restart_unit, "docker.service"), write_step("/etc/other", "x")}));
  std::string seen;
  machine_.boundary = [&] {
    if (!commands_.calls.empty() && seen.empty()) seen = content("/etc/docker/daemon.json");
  };
  commands_.calls.clear();
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(commands_.calls, (std::vector<std::string>{"systemctl daemon-reload",
                                                       "systemctl restart docker.service"}));
  EXPECT_EQ(seen, "old");
  EXPECT_TRUE(is_active("docker.service"));
  EXPECT_EQ(content("/etc/docker/daemon.json"), "old");
}

TEST_F(UnitSteps, AUnitThatDidNotRunIsStoppedAgain) {
  const auto run = applied(plan_of({step_of(StepKind::restart_unit, "docker.service")}));
  EXPECT_TRUE(is_active("docker.service"));
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_FALSE(is_active("docker.service"));
}

TEST_F(UnitSteps, WhatWasStoppedAndDisabledRunsAndIsEnabledAgain) {
  put("/etc/systemd/system/a.service", kUnit);
  fs::create_directories(at("/etc/systemd/system/multi-user.target.wants"));
  fs::create_symlink("../a.service", at("/etc/systemd/system/multi-user.target.wants/a.service"));
  activate("a.service");
  const auto before = now();
  Step disable = step_of(StepKind::disable_unit, "a.service"),
       stop = step_of(StepKind::stop_unit, "a.service");
  disable.expects = "enabled", stop.expects = "active";
  const auto run = applied(plan_of({disable, stop}));
  EXPECT_FALSE(is_active("a.service"));
  EXPECT_FALSE(fs::exists(at("/etc/systemd/system/multi-user.target.wants")));
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_TRUE(is_active("a.service"));
  EXPECT_EQ(difference(before, now()), "");  // the link as it was: relative
}

TEST_F(UnitSteps, LinksOfOtherUnitsThatCameSinceStay) {
  put("/etc/systemd/system/a.service", kUnit);
  const auto run = applied(plan_of({step_of(StepKind::enable_unit, "a.service")}));
  const auto wants = at("/etc/systemd/system/multi-user.target.wants");
  fs::create_symlink("/etc/systemd/system/b.service", wants + "/b.service");
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_FALSE(fs::exists(fs::symlink_status(wants + "/a.service")));
  EXPECT_TRUE(fs::is_symlink(wants + "/b.service"));
}

TEST_F(UnitSteps, AChangedLinkIsDrift) {
  put("/etc/systemd/system/a.service", kUnit);
  const auto run = applied(plan_of({step_of(StepKind::enable_unit, "a.service")}));
  const auto link = at("/etc/systemd/system/multi-user.target.wants/a.service");
  fs::remove(link);
  fs::create_symlink("/dev/null", link);
  EXPECT_EQ(status_of(machine_, journal_, run)->steps[0].state, StepState::drifted);
  const auto report = undo_it(run);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  EXPECT_EQ(fs::read_symlink(link), "/dev/null");
}

TEST_F(UnitSteps, WithoutSystemdOnlyLinksAreMade) {
  fs::remove_all(at("/run/systemd"));
  put("/etc/systemd/system/a.service", kUnit);
  const auto before = now();
  const auto report = do_it(
      plan_of({step_of(StepKind::enable_unit, "a.service"),
               step_of(StepKind::start_unit, "a.service"), step_of(StepKind::reload_units, "")}));
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(report->steps[1].text,
            "systemd does not run here: it takes effect when this system is started");
  EXPECT_EQ(commands_.calls,
            (std::vector<std::string>{"systemctl --root=" + tree_.path() + " enable a.service"}));
  expect_undone(report->run, before);
}

TEST_F(UnitSteps, TheRealSystemctlOnATree) {
  fs::remove_all(at("/run/systemd"));
  RealCommands real;
  Machine machine{root_, real, {}, {}};
  put("/etc/systemd/system/a.service", kUnit);
  put("/usr/lib/systemd/system/b.service",
      "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=docker.service\nAlias=bee.service\n"
      "Also=a.service\n");
  const auto before = now();
  Step enable = step_of(StepKind::enable_unit, "b.service");
  enable.expects = "disabled";
  const auto report = apply(machine, journal_, plan_of({enable}));
  ASSERT_TRUE(report) << report.error().sentence();
  ASSERT_FALSE(report->error) << report->error->sentence();
  EXPECT_TRUE(fs::is_symlink(at("/etc/systemd/system/docker.service.wants/b.service")));
  EXPECT_TRUE(fs::is_symlink(at("/etc/systemd/system/bee.service")));
  EXPECT_TRUE(fs::is_symlink(at("/etc/systemd/system/multi-user.target.wants/a.service")));
  EXPECT_EQ(status_of(machine, journal_, report->run)->steps[0].state, StepState::stands);
  const auto undone = undo(machine, journal_, report->run);
  ASSERT_TRUE(undone && !undone->error);
  EXPECT_EQ(difference(before, now()), "");
}

TEST_F(UnitSteps, ASystemctlThatFailsSaysWhyAndCanBeUndone) {
  put("/etc/a", "old");
  const auto before = now();
  commands_.failing.insert("systemctl restart docker.service");
  const auto report =
      do_it(plan_of({write_step("/etc/a", "new"), step_of(StepKind::restart_unit, "docker.service"),
                     write_step("/etc/b", "never")}));
  ASSERT_TRUE(report && report->error);
  EXPECT_EQ(
      report->error->what,
      "step 2 of 3 (docker.service) failed: 'systemctl restart -- docker.service' failed with "
      "exit code 1: it does not want to");
  EXPECT_EQ(report->steps[2].state, StepState::pending);
  EXPECT_EQ(phase_of(report->run), RunPhase::interrupted);
  expect_undone(report->run, before);
}

TEST_F(UnitSteps, OddNamesOfUnitsAreRefused) {
  for (const char* name : {"", "a", "--now.service", "a b.service", "a/b.service", ".service",
                           "a.service\n", "../a.service", "a.servic"}) {
    const auto report = do_it(plan_of({step_of(StepKind::enable_unit, name)}));
    ASSERT_FALSE(report) << name;
    EXPECT_EQ(report.error().kind, ErrorKind::refused) << name;
  }
  EXPECT_TRUE(commands_.calls.empty());
}

}  // namespace
}  // namespace estiva::act::test
