// write_file, remove_file, run_generator and set_mode: done and undone, byte for byte.
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
  struct stat info {};
  ::lstat(path.c_str(), &info);
  return info.st_mode & 07777;
}

class FileSteps : public ActTest {};

TEST_F(FileSteps, ANewFileHasTheModeOfTheStepWhateverTheUmask) {
  const auto before = now();
  const mode_t mask = ::umask(0077);
  Step secret = write_step("/etc/estiva/secret", "s", "absent");
  secret.mode = 0640;
  const auto run = applied(plan_of({secret, write_step("/etc/estiva/plain", "p", "absent")}));
  ::umask(mask);
  EXPECT_EQ(mode_of(at("/etc/estiva/secret")), 0640u);
  EXPECT_EQ(mode_of(at("/etc/estiva/plain")), 0644u);
  EXPECT_EQ(mode_of(at("/etc/estiva")), 0755u);
  EXPECT_EQ(content("/etc/estiva/plain"), "p");
  expect_undone(run, before);
}

TEST_F(FileSteps, AnExistingFileKeepsItsModeOwnerAndAttributes) {
  const auto path = put("/etc/docker/daemon.json", "{}\n");
  ::chmod(path.c_str(), 0604);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(path.c_str(), 1234, 4321), 0);
  }
  const bool attributes = ::setxattr(path.c_str(), "user.note", "kept", 4, 0) == 0;
  const auto before = now();
  Step step = write_step("/etc/docker/daemon.json", "{\"a\":1}\n", format::sha256_hex("{}\n"));
  step.mode = 0600;  // of a new file only
  const auto run = applied(plan_of({step}));
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0604u);
  if (::geteuid() == 0) {
    EXPECT_EQ(info.st_uid, 1234u);
    EXPECT_EQ(info.st_gid, 4321u);
  }
  if (attributes) {
    char value[8] = {};
    EXPECT_EQ(::getxattr(path.c_str(), "user.note", value, sizeof value), 4);
  }
  EXPECT_EQ(content("/etc/docker/daemon.json"), "{\"a\":1}\n");
  expect_undone(run, before);
}

TEST_F(FileSteps, ALinkStaysALinkAndItsTargetIsReplaced) {
  put("/srv/config/real.json", "old");
  fs::create_directories(at("/etc/docker"));
  fs::create_symlink("../../srv/config/real.json", at("/etc/docker/middle.json"));
  fs::create_symlink("/etc/docker/middle.json", at("/etc/docker/daemon.json"));  // of the tree
  const auto before = now();
  const auto run =
      applied(plan_of({write_step("/etc/docker/daemon.json", "new", format::sha256_hex("old"))}));
  EXPECT_EQ(content("/srv/config/real.json"), "new");
  EXPECT_EQ(fs::read_symlink(at("/etc/docker/daemon.json")), "/etc/docker/middle.json");
  expect_undone(run, before);
}

TEST_F(FileSteps, ALinkToNothingGetsItsTargetAndLosesItAgain) {
  fs::create_symlink("../srv/new/file", at("/etc/link"));
  const auto before = now();
  const auto run = applied(plan_of({write_step("/etc/link", "x", "absent")}));
  EXPECT_EQ(content("/srv/new/file"), "x");
  expect_undone(run, before);
}

TEST_F(FileSteps, ALinkNeverLeadsOutOfTheTree) {
  TempDir outside;
  outside.write("file", "mine");
  fs::create_symlink(outside.path() + "/file", at("/etc/link"));
  const auto run = applied(plan_of({write_step("/etc/link", "theirs")}));
  EXPECT_EQ(snapshot(outside.path()).size(), 1u);
  std::ifstream file(outside.path() + "/file");
  std::string text;
  file >> text;
  EXPECT_EQ(text, "mine");
  EXPECT_EQ(content(outside.path() + "/file"), "theirs");  // below the tree
}

TEST_F(FileSteps, ALinkThatIsWrittenReplacesWhatStoodThere) {
  put("/etc/localtime", "zone");
  fs::create_symlink("a", at("/etc/old-link"));
  const auto before = now();
  Step over_file = write_step("/etc/localtime", "", format::sha256_hex("zone"));
  over_file.link_to = "/usr/share/zone";
  Step over_link = write_step("/etc/old-link", "", "link:a");
  over_link.link_to = "b";
  Step fresh = write_step("/etc/deep/er/link", "", "absent");
  fresh.link_to = "c";
  const auto run = applied(plan_of({over_file, over_link, fresh}));
  EXPECT_EQ(fs::read_symlink(at("/etc/localtime")), "/usr/share/zone");
  EXPECT_EQ(fs::read_symlink(at("/etc/old-link")), "b");
  EXPECT_EQ(fs::read_symlink(at("/etc/deep/er/link")), "c");
  expect_undone(run, before);
}

TEST_F(FileSteps, AFileAndALinkAreRemovedAndComeBack) {
  ::chmod(put("/etc/a", "bytes\0more").c_str(), 0400);
  fs::create_symlink("/nowhere", at("/etc/l"));
  const auto before = now();
  const auto run = applied(
      plan_of({step_of(StepKind::remove_file, "/etc/a"), step_of(StepKind::remove_file, "/etc/l"),
               step_of(StepKind::remove_file, "/etc/none")}));
  EXPECT_FALSE(fs::exists(fs::symlink_status(at("/etc/a"))));
  EXPECT_FALSE(fs::exists(fs::symlink_status(at("/etc/l"))));
  expect_undone(run, before);
}

TEST_F(FileSteps, WhatIsSoAlreadyIsNotTouched) {
  put("/etc/a", "same");
  const auto before = now();
  const auto report = do_it(plan_of({write_step("/etc/a", "same")}));
  ASSERT_TRUE(report && !report->error);
  EXPECT_EQ(report->steps[0].state, StepState::unchanged);
  EXPECT_EQ(difference(before, now()), "");
  expect_undone(report->run, before);
}

TEST_F(FileSteps, AFolderThatIsNotEmptyAnyMoreStays) {
  const auto run = applied(plan_of({write_step("/opt/x/y/file", "1", "absent")}));
  put("/opt/x/users", "own");
  const auto report = undo_it(run);
  ASSERT_TRUE(report && !report->error);
  EXPECT_FALSE(fs::exists(at("/opt/x/y")));
  EXPECT_EQ(content("/opt/x/users"), "own");
}

TEST_F(FileSteps, HostileNamesAndContentsSurvive) {
  const std::string name = "/etc/a \"b\"\n\x01\xff'$(reboot)", bytes("\0\xff\n\r{\"hex:\"}", 11);
  put(name, "before");
  const auto before = now();
  const auto run =
      applied(plan_of({write_step(name, bytes, format::sha256_hex("before"))}, "\xfe"));
  EXPECT_EQ(content(name), bytes);
  expect_undone(run, before);
}

TEST_F(FileSteps, TwoStepsOnOneFileAreUndoneInReverse) {
  put("/etc/a", "1");
  const auto before = now();
  Step second = write_step("/etc/a", "3", format::sha256_hex("1"));
  const auto run = applied(plan_of({write_step("/etc/a", "2", format::sha256_hex("1")), second,
                                    step_of(StepKind::remove_file, "/etc/a")}));
  EXPECT_FALSE(fs::exists(at("/etc/a")));
  const auto status = status_of(machine_, journal_, run);
  ASSERT_TRUE(status);
  for (const StepResult& step : status->steps) EXPECT_EQ(step.state, StepState::stands);
  expect_undone(run, before);
}

TEST_F(FileSteps, TheGeneratorsFileIsTakenBackThoughItWasMadeAgainSince) {
  machine_.generate = [](const Step& step) -> Result<std::string> {
    return "spec of " + step.target;
  };
  put("/etc/cdi/old.yaml", "by hand");
  const auto before = now();
  const auto run = applied(plan_of({step_of(StepKind::run_generator, "/etc/cdi/new.yaml"),
                                    step_of(StepKind::run_generator, "/etc/cdi/old.yaml")}));
  EXPECT_EQ(content("/etc/cdi/new.yaml"), "spec of /etc/cdi/new.yaml");
  put("/etc/cdi/new.yaml", "spec after a driver upgrade");
  expect_undone(run, before);
}

TEST_F(FileSteps, AGeneratorThatFailsChangesNothing) {
  machine_.generate = [](const Step&) -> Result<std::string> {
    return fail("there is no libcuda", "Install the driver");
  };
  const auto before = now();
  const auto report = do_it(plan_of({step_of(StepKind::run_generator, "/etc/cdi/a.yaml")}));
  ASSERT_TRUE(report && report->error);
  EXPECT_EQ(report->error->what, "step 1 of 1 (/etc/cdi/a.yaml) failed: there is no libcuda");
  EXPECT_EQ(report->error->remedy.substr(0, 18), "Install the driver");
  EXPECT_EQ(difference(before, now()), "");
}

TEST_F(FileSteps, WithoutAGeneratorThePlanIsRefused) {
  const auto report = do_it(plan_of({step_of(StepKind::run_generator, "/etc/cdi/a.yaml")}));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, ErrorKind::refused);
}

TEST_F(FileSteps, AModeIsSetAndSetBack) {
  ::chmod(put("/etc/cdi/a.yaml", "x").c_str(), 0600);
  fs::create_directories(at("/etc/folder"));
  fs::create_symlink("cdi/a.yaml", at("/etc/link"));
  const auto before = now();
  Step file = step_of(StepKind::set_mode, "/etc/link"),
       folder = step_of(StepKind::set_mode, "/etc/folder");
  file.mode = 0644, file.expects = "0600";
  folder.mode = 01777;
  const auto run = applied(plan_of({file, folder}));
  EXPECT_EQ(mode_of(at("/etc/cdi/a.yaml")), 0644u);
  EXPECT_EQ(mode_of(at("/etc/folder")), 01777u);
  expect_undone(run, before);
}

TEST_F(FileSteps, AModeOfAFileThatTheSamePlanWrites) {
  const auto before = now();
  Step mode = step_of(StepKind::set_mode, "/etc/new");
  mode.mode = 0600;
  const auto run = applied(plan_of({write_step("/etc/new", "x"), mode}));
  EXPECT_EQ(mode_of(at("/etc/new")), 0600u);
  expect_undone(run, before);
}

TEST_F(FileSteps, AModeWithoutAFileOrANumberIsRefused) {
  Step none = step_of(StepKind::set_mode, "/etc/none");
  EXPECT_FALSE(do_it(plan_of({none})));
  none.mode = 0600;
  const auto report = do_it(plan_of({none}));
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().what, "nothing was changed, because /etc/none does not exist");
}

}  // namespace
}  // namespace estiva::act::test
