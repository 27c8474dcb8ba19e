#include "host/process.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/machine.h"
#include "unit/host/temp_dir.h"

namespace estiva::host {
namespace {

// A child that does nothing until it is told to end.
class Child {
 public:
  Child() : pid_(::fork()) {
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
  }
  ~Child() { end(); }
  pid_t pid() const { return pid_; }
  void kill_unreaped() const {
    ::kill(pid_, SIGKILL);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

struct HolderTest : ::testing::Test {
  Root root = Root::open("/").value();
  std::string boot = read_boot_id(root).value_or("");
};

TEST_F(HolderTest, AliveThenAZombieThenGone) {
  Child child;
  const auto holder = identify(root, child.pid(), boot);
  ASSERT_TRUE(holder);
  EXPECT_EQ(check_holder(root, *holder, boot), HolderState::alive);
  const auto watch = watch_holder(root, *holder, boot);
  ASSERT_TRUE(watch) << watch.error().sentence();
  EXPECT_FALSE(has_ended(watch->get()));
  child.kill_unreaped();
  EXPECT_EQ(check_holder(root, *holder, boot), HolderState::dead);
  EXPECT_TRUE(has_ended(watch->get()));
  child.end();
  EXPECT_EQ(check_holder(root, *holder, boot), HolderState::dead);
  EXPECT_EQ(watch_holder(root, *holder, boot).error().kind, ErrorKind::not_found);
}

TEST_F(HolderTest, AnotherProcessUnderTheSamePidIsNotTheHolder) {
  Child child;
  auto holder = identify(root, child.pid(), boot).value();
  ++holder.start_ticks;
  EXPECT_EQ(check_holder(root, holder, boot), HolderState::dead);
  EXPECT_EQ(watch_holder(root, holder, boot).error().kind, ErrorKind::not_found);
}

TEST_F(HolderTest, AHolderOfAnEarlierBootIsDead) {
  auto holder = identify(root, ::getpid(), boot).value();
  holder.boot_id = "0f3a1c52-7b1e-4d0c-9a46-51d2f3e8a901";
  EXPECT_EQ(check_holder(root, holder, boot), HolderState::dead);
}

TEST_F(HolderTest, PidsThatCannotBeAreNotFound) {
  for (const pid_t pid : {0, -1, 2147483647}) {
    EXPECT_EQ(identify(root, pid, boot).error().kind, ErrorKind::not_found) << pid;
    EXPECT_FALSE(watch_holder(root, {pid, 1, boot}, boot)) << pid;
  }
}

TEST_F(HolderTest, WhatCannotBeReadIsNotTakenForDead) {
  const test::TempDir dir;
  dir.write("proc/7/stat", "7 (x) S rubbish");
  const auto broken = Root::open(dir.path()).value();
  EXPECT_EQ(check_holder(broken, {7, 100, "b"}, "b"), HolderState::unknown);
  EXPECT_EQ(check_holder(broken, {8, 100, "b"}, "b"), HolderState::dead);
  const auto recorded = Root::open(ESTIVA_SOURCE_DIR "/tests/machines/bare-container").value();
  EXPECT_EQ(check_holder(recorded, {1, 100, "b"}, "b"), HolderState::alive);
}

// Looks for `holder` as an ordinary user on a /proc that shows nobody else's processes; in a child
// with a mount name space of its own. 10: not permitted here.
int look_with_hidepid(const Holder& holder, const std::string& boot) {
  const pid_t child = ::fork();
  if (child == 0) {
    const bool ready = ::unshare(CLONE_NEWNS) == 0 &&
                       ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                       ::mount("proc", "/proc", "proc", 0, "hidepid=2") == 0 &&
                       ::setresgid(65534, 65534, 65534) == 0 &&
                       ::setresuid(65534, 65534, 65534) == 0;
    const auto here = Root::open("/");  // the other one is of the mounts before
    if (!ready || !here) ::_exit(10);
    ::_exit(static_cast<int>(check_holder(*here, holder, boot)));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(HolderTest, AHolderThatProcHidesFromUsIsNotTakenForDead) {
  Child other;
  auto holder = identify(root, other.pid(), boot).value();
  const int seen = look_with_hidepid(holder, boot);
  if (seen == 10) GTEST_SKIP() << "mount namespaces are not permitted here";
  EXPECT_EQ(seen, static_cast<int>(HolderState::unknown));
  other.end();
  EXPECT_EQ(look_with_hidepid(holder, boot), static_cast<int>(HolderState::dead));
}

TEST_F(HolderTest, NameAndCgroup) {
  EXPECT_EQ(name_of(root, ::getpid()), "unit_host");
  EXPECT_EQ(name_of(root, 2147483647), "");
  const auto machine = Root::open(ESTIVA_SOURCE_DIR "/tests/machines/hybrid-v1").value();
  EXPECT_EQ(name_of(machine, 300), "ollama");
  std::string id;
  for (int i = 0; i < 32; ++i) id += "cd";
  EXPECT_EQ(cgroup_of(machine, 300), "/docker/" + id);
}

}  // namespace
}  // namespace estiva::host
