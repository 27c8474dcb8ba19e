// Preconditions, the hash, two at once, and going on after an interruption.
#include "act/apply.h"

#include <filesystem>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "act/prepare.h"
#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

class Apply : public ActTest {};

TEST_F(Apply, WhatChangedSinceThePlanWasMadeIsNamedAndNothingIsDone) {
  put("/etc/a", "1");
  put("/etc/b", "1");
  const Plan plan = plan_of({write_step("/etc/a", "2", format::sha256_hex("1")),
                             write_step("/etc/b", "2", format::sha256_hex("1")),
                             write_step("/etc/c", "2", "absent")});
  put("/etc/b", "theirs");
  put("/etc/c", "theirs");
  const auto before = now();
  const auto report = do_it(plan);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  EXPECT_EQ(exit_code(report.error().kind), 5);
  EXPECT_EQ(report.error().what,
            fmt::format("nothing was changed, because /etc/b has changed since the plan was made: "
                        "it was a file with the SHA-256 {}, and now it is a file with the SHA-256 "
                        "{}; and 1 more",
                        format::sha256_hex("1"), format::sha256_hex("theirs")));
  EXPECT_EQ(difference(before, now()), "");
  EXPECT_TRUE(list_runs(journal_)->empty());
}

TEST_F(Apply, WhatChangedBeforeThePlanWasReadyMakesNoPlan) {
  put("/etc/a", "theirs");
  for (const std::string& read : {format::sha256_hex("1"), std::string("absent")}) {
    Plan plan;
    plan.steps = {write_step("/etc/a", "2", read)};
    const auto ready = prepare(machine_, plan);
    ASSERT_FALSE(ready);
    EXPECT_EQ(exit_code(ready.error().kind), 5);
    EXPECT_EQ(ready.error().what,
              "/etc/a was changed while the plan was made, so there is no plan");
  }
  Plan plan;
  plan.steps = {write_step("/etc/a", "2", format::sha256_hex("theirs"))};
  ASSERT_TRUE(prepare(machine_, plan));
  EXPECT_EQ(plan.steps.size(), 1U);
}

TEST_F(Apply, WhatWasThereAndIsGoneCountsAsChanged) {
  const auto report = do_it(plan_of({write_step("/etc/a", "2", format::sha256_hex("1"))}));
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().what.find("and now it is absent"), std::string::npos);
  EXPECT_FALSE(do_it(plan_of({[] {
    Step step = step_of(StepKind::start_unit, "a.service");
    step.expects = "active";
    return step;
  }()})));
}

TEST_F(Apply, AFileThatChangesWhileThePlanRunsStopsIt) {
  put("/etc/a", "1");
  put("/etc/b", "1");
  const auto before_b = content("/etc/b");
  ApplyOptions options;
  options.on_step = [&](std::size_t step, const StepResult&) {
    if (step == 0) put("/etc/b", "theirs");
  };
  const auto report = apply(machine_, journal_,
                            plan_of({write_step("/etc/a", "2", format::sha256_hex("1")),
                                     write_step("/etc/b", "2", format::sha256_hex("1"))}),
                            options);
  ASSERT_TRUE(report && report->error);
  EXPECT_EQ(report->error->kind, ErrorKind::refused);
  EXPECT_EQ(report->steps[1].state, StepState::failed);
  EXPECT_EQ(content("/etc/b"), "theirs");
  const auto undone = undo_it(report->run);
  ASSERT_TRUE(undone && !undone->error);
  EXPECT_EQ(content("/etc/a"), "1");
  EXPECT_EQ(content("/etc/b"), "theirs");
}

TEST_F(Apply, OneFileUnderTwoNamesIsOneFile) {
  put("/srv/real/a", "1");
  fs::create_symlink("real", at("/srv/alias"));
  const auto before = now();
  const auto run = applied(plan_of({write_step("/srv/real/a", "2", format::sha256_hex("1")),
                                    write_step("/srv/alias/a", "3", format::sha256_hex("1"))}));
  EXPECT_EQ(content("/srv/real/a"), "3");
  expect_undone(run, before);
}

TEST_F(Apply, OnlyThePlanThatWasShownIsRun) {
  const Plan shown = plan_of({write_step("/etc/a", "1")});
  Plan other = plan_of({write_step("/etc/a", "2")});
  ApplyOptions options;
  options.shown_hash = shown.hash;
  auto report = apply(machine_, journal_, other, options);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  other.hash = shown.hash;  // a plan that lies about itself
  report = apply(machine_, journal_, other, options);
  ASSERT_FALSE(report);
  report = apply(machine_, journal_, other, {});
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  EXPECT_FALSE(fs::exists(at("/etc/a")));
  EXPECT_TRUE(apply(machine_, journal_, shown, options));
  EXPECT_EQ(content("/etc/a"), "1");
}

TEST_F(Apply, AnEmptyPlanIsNoRun) {
  const auto report = do_it(plan_of({}));
  ASSERT_TRUE(report);
  EXPECT_EQ(report->run, "");
  EXPECT_FALSE(fs::exists(journal_));
}

TEST_F(Apply, TwoAtOnceExcludeEachOther) {
  int to_child[2], to_parent[2];
  ASSERT_EQ(::pipe(to_child), 0);
  ASSERT_EQ(::pipe(to_parent), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ApplyOptions options;
    char c = 'x';
    options.on_step = [&](std::size_t, const StepResult&) {
      if (::write(to_parent[1], &c, 1) != 1 || ::read(to_child[0], &c, 1) != 1) ::_exit(3);
    };
    const auto report = apply(machine_, journal_, plan_of({write_step("/etc/a", "1")}), options);
    ::_exit(report && !report->error ? 0 : 1);
  }
  char c = 0;
  ASSERT_EQ(::read(to_parent[0], &c, 1), 1);
  const auto second = do_it(plan_of({write_step("/etc/b", "1")}));
  const auto undoing = undo_it("000001");
  EXPECT_EQ(::write(to_child[1], "x", 1), 1);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::refused);
  EXPECT_EQ(
      second.error().what,
      "another estiva is changing this machine at the moment (it holds " + journal_ + "/lock)");
  EXPECT_FALSE(undoing);
  EXPECT_FALSE(fs::exists(at("/etc/b")));
  EXPECT_TRUE(do_it(plan_of({write_step("/etc/b", "1")})));  // once it has ended
}

TEST_F(Apply, AfterAFailureNothingElseRunsUntilItIsContinuedOrUndone) {
  commands_.failing.insert("systemctl start a.service");
  const Plan plan = plan_of({write_step("/etc/a", "1"), step_of(StepKind::start_unit, "a.service"),
                             write_step("/etc/b", "1", "absent")},
                            "setup");
  auto report = do_it(plan);
  ASSERT_TRUE(report && report->error);
  const auto run = report->run;
  const auto other = do_it(plan_of({write_step("/etc/c", "1")}));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::refused);
  EXPECT_EQ(other.error().what, "the run 000001 (setup) was interrupted after 1 of its 3 steps");
  commands_.failing.clear();
  report = continue_run(machine_, journal_, run);
  ASSERT_TRUE(report) << report.error().sentence();
  EXPECT_FALSE(report->error);
  EXPECT_EQ(content("/etc/b"), "1");
  EXPECT_EQ(phase_of(run), RunPhase::applied);
  EXPECT_FALSE(continue_run(machine_, journal_, run));
  EXPECT_TRUE(do_it(plan_of({write_step("/etc/c", "1")})));
}

TEST_F(Apply, ContinuingChecksWhatIsStillToBeDone) {
  commands_.failing.insert("systemctl start a.service");
  const auto report =
      do_it(plan_of({write_step("/etc/a", "1"), step_of(StepKind::start_unit, "a.service"),
                     write_step("/etc/b", "1", "absent")}));
  ASSERT_TRUE(report && report->error);
  EXPECT_EQ(report->error->remedy,
            "Its own words above say why. Then 'estiva test apply --continue --root " +
                root_of(machine_) + "' goes on, or 'estiva test undo --root " + root_of(machine_) +
                "' takes back what was done so far");
  commands_.failing.clear();
  put("/etc/b", "theirs");
  const auto more = continue_run(machine_, journal_, report->run);
  ASSERT_FALSE(more);
  EXPECT_NE(more.error().what.find("/etc/b has changed since"), std::string::npos);
  EXPECT_EQ(content("/etc/b"), "theirs");
}

TEST_F(Apply, AFirstStepThatFailsLeavesNothingAndBlocksNothing) {
  commands_.failing.insert("systemctl start a.service");
  const Plan plan =
      plan_of({step_of(StepKind::start_unit, "a.service"), write_step("/etc/b", "1")}, "setup");
  const auto before = now();
  const auto report = do_it(plan);
  ASSERT_TRUE(report && report->error);
  EXPECT_EQ(report->error->remedy,
            "Its own words above say why. Nothing was changed; then try again");
  EXPECT_EQ(phase_of(report->run), RunPhase::undone);
  EXPECT_EQ(status_of(machine_, journal_, report->run)->steps[0].state, StepState::pending);
  EXPECT_TRUE(standing_runs(journal_, "setup", root_of(machine_))->empty());
  EXPECT_EQ(difference(before, now()), "");
  commands_.failing.clear();
  EXPECT_TRUE(do_it(plan));
}

TEST_F(Apply, ARunOnAnotherTreeBlocksNothingHere) {
  commands_.failing.insert("systemctl start a.service");
  const auto stopped = do_it(
      plan_of({write_step("/etc/a", "1"), step_of(StepKind::start_unit, "a.service")}, "setup"));
  ASSERT_TRUE(stopped && stopped->error);
  TempDir other;
  other.write("etc/z", "1");
  const auto root = host::Root::open(other.path());
  const Machine elsewhere{*root, commands_, {}, {}};
  const auto ran = apply(elsewhere, journal_, plan_of({write_step("/etc/b", "1")}, "doctor"));
  ASSERT_TRUE(ran) << ran.error().sentence();
  EXPECT_FALSE(ran->error);
  EXPECT_EQ(standing_runs(journal_, "doctor", root_of(elsewhere))->size(), 1u);
  EXPECT_TRUE(standing_runs(journal_, "doctor", root_of(machine_))->empty());
  const auto here = do_it(plan_of({write_step("/etc/c", "1")}));
  ASSERT_FALSE(here);
  EXPECT_EQ(here.error().remedy, "'estiva setup apply --continue --root " + root_of(machine_) +
                                     "' goes on with it, 'estiva setup undo --root " +
                                     root_of(machine_) +
                                     "' takes it back; nothing else is changed until then");
}

TEST_F(Apply, CheckPlanTellsWithoutARun) {
  put("/etc/a", "1");
  EXPECT_TRUE(check_plan(machine_, plan_of({write_step("/etc/a", "2", format::sha256_hex("1"))})));
  EXPECT_FALSE(check_plan(machine_, plan_of({write_step("/etc/a", "2", "absent")})));
  EXPECT_EQ(content("/etc/a"), "1");
  EXPECT_FALSE(fs::exists(journal_));
}

TEST_F(Apply, AMissingProgramIsNamedBeforeAnythingIsDone) {
  commands_.missing.insert("systemctl");
  put("/etc/a", "1");
  const auto report =
      do_it(plan_of({write_step("/etc/a", "2"), step_of(StepKind::enable_unit, "a.service")}));
  ASSERT_FALSE(report);
  EXPECT_EQ(content("/etc/a"), "1");
}

}  // namespace
}  // namespace estiva::act::test
