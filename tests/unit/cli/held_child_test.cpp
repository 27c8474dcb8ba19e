// The child of `estiva run`: it waits, it gets its variables, and it never stays behind.
#include "cli/held_child.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace estiva::cli {
namespace {

using namespace std::chrono_literals;

sigset_t no_signals() {
  sigset_t set;
  sigemptyset(&set);
  return set;
}

bool is_gone(pid_t pid) {
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

// Gone, or a zombie that nobody reaps here: either way it runs no more.
bool has_ended(pid_t pid) {
  std::string word;
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  stat >> word >> word >> word;
  return is_gone(pid) || word == "Z" || word == "X";
}

bool ends_soon(pid_t pid) {
  for (int i = 0; i < 1000 && !has_ended(pid); ++i) std::this_thread::sleep_for(10ms);
  return has_ended(pid);
}

TEST(HeldChild, RunsOnlyAfterItWasLetGo) {
  std::string pattern = testing::TempDir() + "/estiva-child-XXXXXX";
  ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
  const std::string file = pattern + "/ran";
  auto child = HeldChild::start({"sh", "-c", "echo \"$A$B\" > " + file}, no_signals());
  ASSERT_TRUE(child);
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(std::filesystem::exists(file)) << "it ran while held";
  EXPECT_EQ(child->let_go({{"A", "one"}, {"B", "=two"}}), 0);
  EXPECT_EQ(child->wait_exit(), 0);
  std::string line;
  std::getline(std::ifstream(file) >> std::ws, line);
  EXPECT_EQ(line, "one=two");
  std::filesystem::remove_all(pattern);
}

TEST(HeldChild, ItsExitStatusIsAShells) {
  auto exits = HeldChild::start({"sh", "-c", "exit 37"}, no_signals());
  ASSERT_TRUE(exits);
  ASSERT_EQ(exits->let_go({}), 0);
  EXPECT_EQ(exits->wait_exit(), 37);
  auto killed = HeldChild::start({"sh", "-c", "kill -9 $$"}, no_signals());
  ASSERT_TRUE(killed);
  ASSERT_EQ(killed->let_go({}), 0);
  EXPECT_EQ(killed->wait_exit(), 128 + SIGKILL);
}

TEST(HeldChild, ACommandThatIsNotThereIsTold) {
  auto child = HeldChild::start({"/nonexistent/program"}, no_signals());
  ASSERT_TRUE(child);
  EXPECT_EQ(child->let_go({}), ENOENT);
}

TEST(HeldChild, GivingUpWhileHeldLeavesNoProcess) {
  pid_t pid = 0;
  {
    auto child = HeldChild::start({"sleep", "60"}, no_signals());
    ASSERT_TRUE(child);
    pid = child->pid();
    EXPECT_FALSE(is_gone(pid));
  }
  EXPECT_TRUE(is_gone(pid));
}

TEST(HeldChild, DyingWhileItIsHeldOrRunsLeavesNoProcess) {
  for (const bool let_go : {false, true}) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t parent = ::fork();
    ASSERT_GE(parent, 0);
    if (parent == 0) {  // stands for `estiva run`, killed without warning
      auto child = HeldChild::start({"sleep", "60"}, no_signals());
      const pid_t pid = child ? child->pid() : -1;
      if (let_go && child) child->let_go({});
      (void)!::write(pipe[1], &pid, sizeof pid);
      ::kill(::getpid(), SIGKILL);
    }
    pid_t pid = -1;
    ASSERT_EQ(::read(pipe[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
    ::waitpid(parent, nullptr, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    ASSERT_GT(pid, 0);
    EXPECT_TRUE(ends_soon(pid)) << "let go: " << let_go;
  }
}

}  // namespace
}  // namespace estiva::cli
