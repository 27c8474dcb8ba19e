#include "engines/launch.h"

#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include "unit/host/temp_dir.h"

namespace estiva::engines {
namespace {

TEST(Launch, the_engine_gets_our_variables_but_systemds) {
  const char* ours[] = {"PATH=/bin",
                        "NOTIFY_SOCKET=/run/x",
                        "LISTEN_FDS=2",
                        "CREDENTIALS_DIRECTORY=/run/credentials",
                        "HF_HOME=/models",
                        "WATCHDOG_USEC=3000",
                        "CUDA_VISIBLE_DEVICES=0",
                        nullptr};
  const std::vector<std::string> wanted = {"PATH=/bin", "HF_HOME=/data",
                                           "CUDA_VISIBLE_DEVICES=GPU-a"};
  EXPECT_EQ(
      engine_environment(ours, {"HF_HOME=/models2", "HF_HOME=/data", "CUDA_VISIBLE_DEVICES=GPU-a"}),
      wanted);
}

TEST(Launch, the_lease_says_which_gpus_are_seen) {
  ModelSpec spec;
  spec.name = "xtts";
  const std::vector<std::string> wanted = {"CUDA_VISIBLE_DEVICES=GPU-a,GPU-b", "ESTIVA_LEASE=l-1",
                                           "ESTIVA_MODEL=xtts", "ESTIVA_ENGINE_ID=00ff"};
  EXPECT_EQ(marks_of(spec, {{"GPU-a", "GPU-b"}, gib(1), "l-1"}, "00ff"), wanted);
}

TEST(Launch, as_ourselves_nothing_is_added) {
  ModelSpec spec;
  EXPECT_EQ(as_user(spec, {"x"})->words, std::vector<std::string>{"x"});
  EXPECT_EQ(as_user(spec, {"x"})->directory, "/");
  spec.user = ::getpwuid(::geteuid())->pw_name;
  spec.directory = "/tmp";
  EXPECT_EQ(as_user(spec, {"x"})->words, std::vector<std::string>{"x"});
  EXPECT_EQ(as_user(spec, {"x"})->directory, "/tmp");
}

TEST(Launch, another_user_is_for_root_only) {
  ModelSpec spec;
  spec.name = "xtts";
  spec.user = "nobody";
  const auto launch = as_user(spec, {"x", "y"});
  if (::geteuid() != 0) {
    ASSERT_FALSE(launch);
    EXPECT_EQ(launch.error().kind, ErrorKind::refused);
    return;
  }
  ASSERT_TRUE(launch);
  EXPECT_EQ(launch->words.front(), "setpriv");
  EXPECT_EQ((std::vector<std::string>(launch->words.end() - 3, launch->words.end())),
            (std::vector<std::string>{"--", "x", "y"}));
  EXPECT_EQ(launch->environment[1], "USER=nobody");
}

TEST(Launch, a_user_that_is_none) {
  ModelSpec spec;
  spec.name = "xtts";
  spec.user = "no-such-user-here";
  const auto launch = as_user(spec, {"x"});
  ASSERT_FALSE(launch);
  EXPECT_NE(launch.error().sentence().find("[models.xtts]"), std::string::npos);
}

TEST(Launch, programs_are_found_as_the_kernel_finds_them) {
  test::TempDir dir;
  const auto plain = dir.write("plain", "");
  const auto program = dir.write("bin/program", "#!/bin/sh\n");
  ::chmod(program.c_str(), 0755);
  ModelSpec spec;
  spec.name = "xtts";
  EXPECT_EQ(find_program(spec, program).value(), program);
  EXPECT_TRUE(find_program(spec, "sh")->ends_with("/sh"));
  for (const std::string& wrong : {plain, dir.path(), std::string("no-such-program-here"),
                                   std::string("/no/such"), std::string("bin/program")}) {
    const auto found = find_program(spec, wrong);
    ASSERT_FALSE(found) << wrong;
    EXPECT_EQ(found.error().kind, ErrorKind::not_found);
  }
  spec.directory = dir.path();
  EXPECT_EQ(find_program(spec, "bin/program").value(), dir.path() + "/bin/program");
}

}  // namespace
}  // namespace estiva::engines
