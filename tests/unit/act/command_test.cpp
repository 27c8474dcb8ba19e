// Real child processes: their words, their end, their deadline.
#include "act/command.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "base/clock.h"

namespace estiva::act {
namespace {

Command shell(const std::string& text, int ms = 30'000) {
  return {{"sh", "-c", text}, std::chrono::milliseconds(ms)};
}

TEST(Commands, OutputErrorsAndExitCodeAreKept) {
  RealCommands commands;
  const auto end = commands.run(shell("echo out; echo err >&2; exit 7"));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output, "out\n");
  EXPECT_EQ(end->errors, "err\n");
  EXPECT_EQ(end->exit_code, 7);
}

TEST(Commands, AFailureIsASentenceWithTheProgramsLastLine) {
  RealCommands commands;
  auto done = run_checked(commands, shell("echo first >&2; printf 'why\\033[2J' >&2; exit 3"));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().what.find("failed with exit code 3: why\\x1b[2J"), std::string::npos)
      << done.error().what;
  done = run_checked(commands, {{"false"}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().what, "'false' failed with exit code 1: it said nothing");
  done = run_checked(commands, shell("kill -9 $$"));
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().what.find("was ended by signal 9"), std::string::npos);
}

TEST(Commands, AProgramThatIsNotThereIsNamed) {
  RealCommands commands;
  const auto done = commands.run({{"estiva-no-such-program"}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::not_found);
  EXPECT_EQ(done.error().what, "there is no program 'estiva-no-such-program'");
}

TEST(Commands, ADeadlineEndsItAndItsChildren) {
  RealCommands commands;
  const SteadyTime begin = steady_now();
  const auto done = commands.run(shell("sleep 100 & echo $!; wait", 300));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind, ErrorKind::timed_out);
  EXPECT_GE(steady_now() - begin, std::chrono::milliseconds(300));
  EXPECT_LT(steady_now() - begin, std::chrono::seconds(20));
}

TEST(Commands, MuchOutputIsCutAndBlocksNobody) {
  RealCommands commands;
  const auto end = commands.run(shell("head -c 1000000 /dev/zero | tr '\\0' x"));
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output.size(), 65536u);
  EXPECT_EQ(end->exit_code, 0);
}

TEST(Commands, TheLanguageIsPlainAndTheInputEmpty) {
  ::setenv("LC_ALL", "de_DE.UTF-8", 1);
  RealCommands commands;
  const auto end = commands.run(shell("echo $LC_ALL; cat"));
  ::unsetenv("LC_ALL");
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output, "C\n");
}

TEST(Commands, NothingIsTakenFromARelativeFolderOfThePath) {
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", ".:", 1);
  RealCommands commands;
  const auto end = commands.run(shell("echo fine"));
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->output, "fine\n");
}

}  // namespace
}  // namespace estiva::act
