// The scripts are run by real shells where they are there; bash always is.
#include "cli/completion.h"

#include <cstdio>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

namespace estiva::cli {
namespace {

struct Ran {
  int status = -1;
  std::string out;
};

Ran run(const std::string& command) {
  Ran ran;
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return ran;
  char buffer[512];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, pipe))
    ran.out.append(buffer, count);
  const int status = ::pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

class Completion : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/estiva-completion-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    dir_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string script(const std::string& shell) {
    const std::string path = dir_ + "/" + shell;
    std::ofstream(path) << completion_script(shell, all_verbs());
    return path;
  }
  // What bash would offer after these words, the last of them unfinished.
  std::string offers(const std::string& words) {
    const std::string path = script("bash");
    return run("bash -c 'source " + path + "; COMP_WORDS=(" + words +
               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _estiva; echo \"${COMPREPLY[*]}\"'")
        .out;
  }
  std::string dir_;
};

TEST_F(Completion, BashScriptIsValid) {
  const Ran ran = run("bash -n " + script("bash"));
  EXPECT_EQ(ran.status, 0) << ran.out;
  EXPECT_EQ(ran.out, "");
}

TEST_F(Completion, BashOffersVerbsFlagsAndValues) {
  EXPECT_EQ(offers("estiva as"), "assign\n");
  EXPECT_EQ(offers("estiva assign --vram"), "--vram --vram-mb\n");
  EXPECT_EQ(offers("estiva assign x --policy le"), "least-utilized\n");
  EXPECT_EQ(offers("estiva completion z"), "zsh\n");
  EXPECT_EQ(offers("estiva nonsense x"), "\n");
}

TEST_F(Completion, BashOffersEveryVerbOfTheTable) {
  const std::string all = " " + offers("estiva \"\"");
  for (const Verb& verb : all_verbs())
    EXPECT_NE(all.find(" " + std::string(verb.name)), std::string::npos) << verb.name << all;
}

TEST_F(Completion, BashOffersFilesWhereAFileIsMeant) {
  std::ofstream(dir_ + "/a journal.json") << "{}";
  for (const std::string words : {"replay ", "record ", "report ", "replay --save "})
    EXPECT_EQ(offers("estiva " + words + dir_ + "/a"), dir_ + "/a journal.json\n") << words;
  EXPECT_EQ(offers("estiva help rel"), "release\n");
}

// A program of that name stands for ours, so that the test needs no daemon.
TEST_F(Completion, BashAsksForNamesThatOnlyTheProgramKnows) {
  std::filesystem::create_directory(dir_ + "/bin");
  std::ofstream(dir_ + "/bin/estiva")
      << "#!/bin/sh\ncase \"$*\" in\n"
         "'gpu --names') printf '0\\nGPU-aa\\n' ;;\n"
         "'leases --names') printf 'two words\\ntwin\\n' ;;\n"
         "'simulate --list') printf 'scenario server-8\\ncard a100\\n' ;;\n"
         "esac\n";
  std::filesystem::permissions(dir_ + "/bin/estiva", std::filesystem::perms::owner_all);
  const std::string path = std::string(::getenv("PATH"));
  ::setenv("PATH", (dir_ + "/bin:" + path).c_str(), 1);
  EXPECT_EQ(offers("estiva assign x --gpu GPU"), "GPU-aa\n");
  EXPECT_EQ(offers("estiva gpu --dismiss \"\""), "0 GPU-aa\n");
  EXPECT_EQ(offers("estiva release two"), "two words\n");
  EXPECT_EQ(offers("estiva release twi"), "twin\n");
  EXPECT_EQ(offers("estiva daemon --simulate ser"), "server-8\n");
  EXPECT_EQ(offers("estiva simulate ser"), "server-8\n");
  ::setenv("PATH", path.c_str(), 1);
}

TEST_F(Completion, BashCompletesCommandsOfRun) {
  EXPECT_NE(offers("estiva run --vram 1GiB -- mkdi").find("mkdir"), std::string::npos);
}

TEST_F(Completion, ZshScriptIsValid) {
  if (run("command -v zsh").status != 0) GTEST_SKIP() << "no zsh on this machine";
  const Ran ran = run("zsh -n " + script("zsh"));
  EXPECT_EQ(ran.status, 0) << ran.out;
}

TEST_F(Completion, FishScriptIsValid) {
  if (run("command -v fish").status != 0) GTEST_SKIP() << "no fish on this machine";
  const Ran ran = run("fish -n " + script("fish"));
  EXPECT_EQ(ran.status, 0) << ran.out;
}

TEST_F(Completion, EveryFlagIsInEveryScript) {
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string text = completion_script(shell, all_verbs());
    for (const Verb& verb : all_verbs())
      for (const Flag& flag : verb.flags)
        EXPECT_NE(text.find(flag.name.substr(2)), std::string::npos) << shell << flag.name;
  }
}

}  // namespace
}  // namespace estiva::cli
