// A program that is asked one question, and never waited for longer than said.
#include "host/program.h"

#include <chrono>
#include <gtest/gtest.h>

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
  // The grandchild holds the pipe open: it is killed with the group.
  const auto slow = shell("sleep 60 & exit 0", {milliseconds(200), 1000});
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().kind, ErrorKind::timed_out);
}

TEST(Program, TheOutputHasALimit) {
  const ProgramLimits limits{milliseconds(10'000), 6};
  EXPECT_EQ(shell("printf 123456", limits)->output, "123456");
  const auto longer = shell("printf 1234567", limits);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().kind, ErrorKind::failed);
}

}  // namespace
}  // namespace estiva::host
