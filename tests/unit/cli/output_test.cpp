#include "cli/output.h"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace estiva::cli {
namespace {

TEST(Output, AReaderThatWentAwayIsNoError) {
  ::signal(SIGPIPE, SIG_IGN);
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  ::close(pipe[0]);
  FileOutput out(pipe[1]);
  EXPECT_FALSE(out.closed());
  EXPECT_TRUE(out.write("hello\n"));
  EXPECT_TRUE(out.closed());
  EXPECT_TRUE(out.write("more\n"));  // and nothing is tried any more
  ::close(pipe[1]);
}

TEST(Output, AFullDiskIsASentence) {
  const int full = ::open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  FileOutput out(full);
  const auto written = out.write("hello\n");
  ASSERT_FALSE(written);
  EXPECT_NE(written.error().sentence().find("No space left"), std::string::npos);
  EXPECT_FALSE(written.error().remedy.empty());
  ::close(full);
}

TEST(Output, ColourOnlyOnATerminal) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  EXPECT_FALSE(style_of(pipe[1]).colour);
  EXPECT_FALSE(style_of(pipe[1]).terminal);
  EXPECT_EQ(paint({true, true}, Colour::red, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(paint({false, false}, Colour::red, "x"), "x");
  ::close(pipe[0]);
  ::close(pipe[1]);
}

}  // namespace
}  // namespace estiva::cli
