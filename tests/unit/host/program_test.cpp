// A program that is asked one question, and never waited for longer than said.
#include "host/program.h"

#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "host/files.h"

namespace estiva::host {
namespace {

using std::chrono::milliseconds;

Result<ProgramAnswer> shell(const std::string& script, ProgramLimits limits = {}) {
  return ask_program({"/bin/sh", "-c", script}, limits);
}

TEST(Program, ItsOutputAndItsEnd) {
  const auto fine = shell("echo one; echo two >&2; echo three");
  ASSERT_TRUE(fine);
  EXPECT_EQ(fine->output, "one\nthree\n");
  EXPECT_EQ(fine->exit_code, 0);
  EXPECT_EQ(shell("exit 7")->exit_code, 7);
  EXPECT_EQ(shell("kill -9 $$")->signal, 9);
  EXPECT_EQ(shell("cat")->output, "") << "there is no input";
}

TEST(Program, OneThatIsNotThere) {
  const auto missing = ask_program({"/nowhere/program"});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::not_found);
  EXPECT_NE(missing.error().what.find("/nowhere/program"), std::string::npos);
}

TEST(Program, OneThatDoesNotEnd) {
  for (const char* script :
       {"sleep 60", "echo begun; sleep 60", "exec >&-; sleep 60", "trap '' TERM; sleep 60"}) {
    const auto begun = std::chrono::steady_clock::now();
    const auto slow = shell(script, {milliseconds(200), 1000});
    ASSERT_FALSE(slow) << script;
    EXPECT_EQ(slow.error().kind, ErrorKind::timed_out);
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_GE(took, milliseconds(200)) << script;
    EXPECT_LT(took, milliseconds(5'000)) << script;
  }
}

TEST(Program, ItsChildrenEndWithIt) {
  // The grandchild holds the pipe open; nobody waits for it.
  const auto begun = std::chrono::steady_clock::now();
  const auto fine = shell("sleep 60 & echo $!; exit 3", {milliseconds(60'000)});
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(30'000));
  ASSERT_TRUE(fine);
  EXPECT_EQ(fine->exit_code, 3);
  const auto child = static_cast<pid_t>(std::stol(fine->output));
  const auto runs = [child] {
    const auto stat = read_local_file("/proc/" + std::to_string(child) + "/stat");
    return stat && stat->find(") Z ") == std::string::npos;
  };
  for (int i = 0; i < 1000 && runs(); ++i) ::usleep(5'000);
  EXPECT_FALSE(runs());
}

TEST(Program, TheOutputHasALimit) {
  const ProgramLimits limits{milliseconds(10'000), 6};
  EXPECT_EQ(shell("printf 123456", limits)->output, "123456");
  const auto longer = shell("printf 1234567", limits);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::failed);
}

TEST(Program, WhatIsOverTheLimitMayBeDropped) {
  const auto cut = shell("head -c 300000 /dev/zero | tr '\\0' x; echo no >&2; exit 1",
                         {.time = milliseconds(10'000), .output = 6, .cuts_output = true});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->output, "xxxxxx");
  EXPECT_EQ(cut->errors, "");
  EXPECT_EQ(cut->exit_code, 1);
  const auto endless = shell("yes", {.time = milliseconds(200), .cuts_output = true});
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().kind, ErrorKind::timed_out);
}

TEST(Program, ItsErrorsAndItsEnvironment) {
  const auto said = shell("echo $A; echo why >&2", {.keeps_errors = true, .environment = {"A=b"}});
  ASSERT_TRUE(said);
  EXPECT_EQ(said->output, "b\n");
  EXPECT_EQ(said->errors, "why\n");
}

TEST(Program, NoDescriptorOfOursReachesIt) {
  const int leaked = ::fcntl(STDERR_FILENO, F_DUPFD, 77);  // without close-on-exec
  ASSERT_GE(leaked, 77);
  const auto said = shell("echo /proc/$$/fd/?? /proc/$$/fd/???");
  ::close(leaked);
  ASSERT_TRUE(said);
  EXPECT_NE(said->output.find("fd/??"), std::string::npos) << said->output;  // there are none
}

// What changes the machine is not cut off in the middle because its caller was.
TEST(Program, OneThatOutlivesUsEndsItsWorkAfterAKill) {
  const std::string file = fmt::format("{}/estiva-outlives-{}", ::testing::TempDir(), ::getpid());
  const pid_t caller = ::fork();
  if (caller == 0) {
    ProgramLimits limits;
    limits.time = milliseconds(60'000);
    limits.keeps_errors = limits.outlives_us = true;
    (void)ask_program(
        {"/bin/sh", "-c", ": > " + file + ".begun; sleep 0.3; echo a; echo b >&2; : > " + file},
        limits);
    ::_exit(0);
  }
  const auto is_there = [](const std::string& path) { return ::access(path.c_str(), F_OK) == 0; };
  const SteadyTime last = steady_now() + std::chrono::seconds(20);
  while (!is_there(file + ".begun") && steady_now() < last) ::usleep(1000);
  ::kill(caller, SIGKILL);
  ::waitpid(caller, nullptr, 0);
  while (!is_there(file) && steady_now() < last) ::usleep(1000);
  EXPECT_TRUE(is_there(file));
  ::unlink(file.c_str());
  ::unlink((file + ".begun").c_str());
}

TEST(Program, WhatOneSaysThatOutlivesUsIsReadAtItsEnd) {
  ProgramLimits limits;
  limits.keeps_errors = limits.outlives_us = limits.cuts_output = true;
  limits.output = 4;
  limits.time = milliseconds(10'000);
  const auto answer = ask_program({"/bin/sh", "-c", "echo 123456; echo no >&2; exit 3"}, limits);
  ASSERT_TRUE(answer) << answer.error().sentence();
  EXPECT_EQ(answer->output, "1234");
  EXPECT_EQ(answer->errors, "no\n");
  EXPECT_EQ(answer->exit_code, 3);
}

}  // namespace
}  // namespace estiva::host
