// Drift, force, going on, repeating.
#include "act/undo.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <sys/stat.h>

#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

class Undo : public ActTest {
 protected:
  // Three files are changed, then somebody edits the second.
  std::string with_drift() {
    put("/etc/a", "a1"), put("/etc/b", "b1");
    const auto run = applied(plan_of(
        {write_step("/etc/a", "a2"), write_step("/etc/b", "b2"), write_step("/etc/c", "c2")}));
    put("/etc/b", "theirs");
    return run;
  }
};

TEST_F(Undo, WhatSomebodyChangedStopsItBeforeAnythingIsTouched) {
  const auto run = with_drift();
  const auto before = now();
  const auto report = undo_it(run);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
  EXPECT_EQ(report.error().what,
            "/etc/b was changed since: the run left it as a file with the SHA-256 " +
                format::sha256_hex("b2") + ", and now it is a file with the SHA-256 " +
                format::sha256_hex("theirs"));
  EXPECT_EQ(difference(before, now()), "");
  EXPECT_EQ(phase_of(run), RunPhase::applied);
}

TEST_F(Undo, KeepGoingUndoesTheRest) {
  const auto run = with_drift();
  UndoOptions options;
  options.keep_going = true;
  auto report = undo_it(run, options);
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(report->steps[0].state, StepState::undone);
  EXPECT_EQ(report->steps[1].state, StepState::left_alone);
  EXPECT_EQ(report->steps[2].state, StepState::undone);
  EXPECT_EQ(content("/etc/a"), "a1");
  EXPECT_EQ(content("/etc/b"), "theirs");
  EXPECT_FALSE(fs::exists(at("/etc/c")));
  EXPECT_TRUE(do_it(plan_of({write_step("/etc/d", "d")})));  // it blocks nobody
  // What was left is settled: it is told, and nothing touches it any more.
  EXPECT_EQ(phase_of(run), RunPhase::undone);
  EXPECT_EQ(list_runs(journal_)->front().left, 1u);
  const auto status = status_of(machine_, journal_, run);
  EXPECT_EQ(status->steps[0].state, StepState::undone);
  EXPECT_EQ(status->steps[1].state, StepState::left_alone);
  options.force = true;
  report = undo_it(run, options);
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(report->steps[1].state, StepState::left_alone);
  EXPECT_EQ(content("/etc/b"), "theirs");
}

TEST_F(Undo, ForcePutsBackAndKeepsWhatWasThere) {
  const auto run = with_drift();
  UndoOptions options;
  options.force = true;
  const auto report = undo_it(run, options);
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(content("/etc/b"), "b1");
  std::ifstream kept(journal_ + "/" + run + "/saved/1.drift");
  std::string text;
  kept >> text;
  EXPECT_EQ(text, "theirs");
}

TEST_F(Undo, AChangeOfModeIsDriftAndIsNamed) {
  put("/etc/a", "1");
  const auto run = applied(plan_of({write_step("/etc/a", "2")}));
  struct stat info {};
  ::stat(at("/etc/a").c_str(), &info);
  ::chmod(at("/etc/a").c_str(), 0600);
  const auto report = undo_it(run);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().what,
            fmt::format("/etc/a was changed since: the run left it with the mode {:04o} and the "
                        "owner {}:{}, and now it has 0600 and {}:{}",
                        info.st_mode & 07777, info.st_uid, info.st_gid, info.st_uid, info.st_gid));
}

TEST_F(Undo, WhatSomebodyPutBackHimselfIsFine) {
  put("/etc/a", "1");
  const auto run = applied(plan_of({write_step("/etc/a", "2"), write_step("/etc/b", "2")}));
  put("/etc/a", "1");
  fs::remove(at("/etc/b"));
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(report->steps[0].text, "it is as it was before");
}

TEST_F(Undo, AFileThatIsGoneIsDrift) {
  put("/etc/a", "1");
  const auto run = applied(plan_of({write_step("/etc/a", "2")}));
  fs::remove_all(at("/etc"));
  const auto report = undo_it(run);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().what.find("now it is absent"), std::string::npos);
  UndoOptions options;
  options.force = true;
  const auto forced = undo_it(run, options);
  ASSERT_TRUE(forced && !forced->error);
  EXPECT_EQ(content("/etc/a"), "1");  // with its folder
}

TEST_F(Undo, ItCanBeRepeated) {
  put("/etc/a", "1");
  const auto before = now();
  const auto run = applied(plan_of({write_step("/etc/a", "2")}));
  expect_undone(run, before);
  put("/etc/a", "later");  // nothing of ours any more
  const auto again = undo_it(run);
  ASSERT_TRUE(again && !again->error);
  EXPECT_EQ(again->steps[0].state, StepState::undone);
  EXPECT_EQ(content("/etc/a"), "later");
}

TEST_F(Undo, AStepThatFailsIsTriedAgainByTheNext) {
  put("/etc/a", "1");
  const auto before = now();
  const auto run =
      applied(plan_of({write_step("/etc/a", "2"), step_of(StepKind::start_unit, "a.service")}));
  commands_.failing.insert("systemctl stop a.service");
  const auto report = undo_it(run);
  ASSERT_TRUE(report && report->error);
  EXPECT_EQ(report->error->what,
            "1 of 2 steps could not be undone: 'systemctl stop -- a.service' failed with exit code "
            "1: it does not want to");
  EXPECT_EQ(content("/etc/a"), "1");  // the others are undone all the same
  EXPECT_EQ(phase_of(run), RunPhase::partly_undone);
  commands_.failing.clear();
  expect_undone(run, before);
}

TEST_F(Undo, DamagedBytesAreNotPutBack) {
  put("/etc/a", "1");
  const auto run = applied(plan_of({write_step("/etc/a", "2")}));
  std::ofstream(journal_ + "/" + run + "/saved/0") << "rubbish";
  const auto report = undo_it(run);
  ASSERT_TRUE(report && report->error);
  EXPECT_NE(report->error->what.find("is damaged"), std::string::npos);
  EXPECT_EQ(content("/etc/a"), "2");
}

TEST_F(Undo, RunsOfOnePlanAreUndoneNewestFirst) {
  put("/etc/a", "1");
  const auto before = now();
  const auto first = applied(plan_of({write_step("/etc/a", "2")}, "setup"));
  const auto other = applied(plan_of({write_step("/etc/z", "2")}, "doctor-fix"));
  const auto second = applied(plan_of({write_step("/etc/a", "3")}, "setup"));
  EXPECT_EQ(status_of(machine_, journal_, first)->steps[0].state, StepState::drifted);
  const auto runs = standing_runs(journal_, "setup", root_of(machine_));
  ASSERT_TRUE(runs && runs->size() == 2);
  EXPECT_EQ((*runs)[0].id, second);
  EXPECT_EQ((*runs)[1].id, first);
  for (const RunInfo& run : *runs) ASSERT_TRUE(undo_it(run.id));
  expect_undone(other, before);
  EXPECT_TRUE(standing_runs(journal_, "setup", root_of(machine_))->empty());
}

TEST_F(Undo, StatusTellsWhatStands) {
  const auto run = with_drift();
  fs::remove(at("/etc/c"));
  const auto status = status_of(machine_, journal_, run);
  ASSERT_TRUE(status);
  EXPECT_EQ(status->steps[0], (StepResult{StepState::stands, {}}));
  EXPECT_EQ(status->steps[1].state, StepState::drifted);
  EXPECT_EQ(status->steps[2].state, StepState::drifted);
  EXPECT_EQ(status->steps[2].text,
            "/etc/c was changed since: the run left it as a file with the SHA-256 " +
                format::sha256_hex("c2") + ", and now it is absent");
}

TEST_F(Undo, ARunThatIsNotThereIsNotFound) {
  applied(plan_of({write_step("/etc/a", "2")}));
  for (const char* id : {"000002", "", "../x", "lock"}) {
    const auto report = undo_it(id);
    ASSERT_FALSE(report) << id;
    EXPECT_EQ(report.error().kind, ErrorKind::not_found) << id;
    EXPECT_EQ(status_of(machine_, journal_, id).error().kind, ErrorKind::not_found) << id;
  }
}

}  // namespace
}  // namespace estiva::act::test
