// A settings file that was written for a shell: what is read is what /bin/sh would have had, and
// nothing is run.
#include "format/shell_settings.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace estiva::format {
namespace {

const ShellVariables kKnown{{"HOME", "/home/ana"}, {"USER", "ana"}};

std::string value_of(const ShellSettings& read, std::string_view name) {
  for (auto it = read.settings.rbegin(); it != read.settings.rend(); ++it)
    if (it->name == name) return it->value;
  return "(none)";
}

TEST(ShellSettings, TheSeedsFile) {
  const auto read = read_shell_settings(
      "SWAP_DIR=\"$HOME/cluster_swap\"          # Diretório do swap\n"
      "MIN_SWAP_SIZE=\"2G\"                     # Tamanho mínimo inicial\n"
      "MAX_SWAP_SIZE=\"16G\"                    # Tamanho máximo\n"
      "SWAP_INCREMENT=\"1G\"                    # Incremento de expansão\n"
      "MEMORY_THRESHOLD=80                    # % de uso para expandir\n"
      "CHECK_INTERVAL=30                      # Verificação a cada 30s\n",
      kKnown);
  EXPECT_TRUE(read.refusals.empty());
  ASSERT_EQ(read.settings.size(), 6U);
  EXPECT_EQ(read.settings[0], (ShellSetting{"SWAP_DIR", "/home/ana/cluster_swap", {1, 1}}));
  EXPECT_EQ(read.settings[2], (ShellSetting{"MAX_SWAP_SIZE", "16G", {3, 1}}));
  EXPECT_EQ(read.settings[5].value, "30");
}

struct Refused {
  const char* text;
  unsigned line, column;
  const char* says;
};

TEST(ShellSettings, WhatOnlyAShellCouldWorkOutIsRefusedWithItsPlace) {
  const Refused cases[] = {
      {"A=1\nB=$(touch /tmp/x)", 2, 3, "run by a shell"},
      {"B=`id`", 1, 3, "run by a shell"},
      {"B=\"x`id`\"", 1, 5, "run by a shell"},
      {"B=$((1+1))", 1, 3, "run by a shell"},
      {"B=${HOME:-/x}", 1, 3, "only $NAME"},
      {"B=${HOME", 1, 3, "only $NAME"},
      {"B=$1", 1, 3, "only $NAME"},
      {"  B=x$NOT_THERE", 1, 6, "'NOT_THERE' is not known"},
      {"rm -rf /", 1, 1, "NAME=\"value\""},
      {"export", 1, 1, "NAME=\"value\""},
      {"B=1; rm x", 1, 4, "';'"},
      {"B=1 rm x", 1, 5, "line has to end"},
      {"B=\"open", 1, 3, "not closed"},
      {"B='open", 1, 3, "not closed"},
      {"B=(1 2)", 1, 3, "'('"},
      {"B+=1", 1, 1, "NAME=\"value\""},
      {"B=~root/x", 1, 3, "'~'"},
      {"B=a*", 1, 4, "'*'"},
      {"é=1", 1, 1, "NAME=\"value\""},
      {"B=é$X", 1, 4, "'X' is not known"},
      {"B=x\\", 1, 4, "'\\'"},
  };
  for (const Refused& one : cases) {
    const auto read = read_shell_settings(one.text, kKnown);
    ASSERT_EQ(read.refusals.size(), 1U) << one.text;
    EXPECT_EQ(read.refusals[0].place, (TextPlace{one.line, one.column})) << one.text;
    EXPECT_NE(read.refusals[0].what.find(one.says), std::string::npos)
        << one.text << ": " << read.refusals[0].what;
    EXPECT_EQ(value_of(read, "B"), "(none)") << one.text;
  }
}

TEST(ShellSettings, ARefusedLineLeavesTheOthers) {
  const auto read = read_shell_settings("A=1\nB=$(x)\r\nC=3\r\n", kKnown);
  EXPECT_EQ(read.settings.size(), 2U);
  EXPECT_EQ(value_of(read, "C"), "3");
}

TEST(ShellSettings, ALongFileIsRefusedWhole) {
  EXPECT_EQ(read_shell_settings(std::string(65537, '#'), {}).refusals.size(), 1U);
  EXPECT_EQ(read_shell_settings(std::string(65536, '#'), {}).refusals.size(), 0U);
  const auto lines = read_shell_settings("A=1\n" + std::string(1000, '\n'), {});
  EXPECT_EQ(lines.refusals.size(), 1U);
  EXPECT_TRUE(lines.settings.empty());
  EXPECT_EQ(read_shell_settings("A=1\n" + std::string(999, '\n'), {}).settings.size(), 1U);
}

// What the shell itself makes of the line.
std::string shell_says(const std::string& line) {
  char path[] = "/tmp/estiva-shell-XXXXXX";
  const int fd = mkstemp(path);
  close(fd);
  std::ofstream(path) << line << "\n";
  const std::string command =
      std::string("env -i HOME=/home/ana USER=ana /bin/sh -c '. ") + path + "; printf %s \"$B\"'";
  std::string out;
  if (FILE* pipe = popen(command.c_str(), "r")) {
    char buffer[256];
    while (const std::size_t got = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
    pclose(pipe);
  }
  unlink(path);
  return out;
}

TEST(ShellSettings, WhatIsReadIsWhatAShellWouldHave) {
  for (const char* line : {
           "B=plain",
           "B=",
           "B=\"\"",
           "B='a b'",
           "B=\"a b\"",
           "B=a\\ b",
           "B=\"$HOME/x\"",
           "B='$HOME/x'",
           "B=$HOME/x",
           "B=${USER}x",
           "B=\"${USER}x\"",
           "B=~/x",
           "B=~",
           "B=\"~/x\"",
           "B=a\"b c\"'d e'f",
           "B=\"a\\\"b\"",
           "B=\"a\\nb\"",
           "B=\"a\\$HOME\"",
           "B='a\\b'",
           "B=a#b",
           "B=a # c",
           "export B=5",
           "  B=7  ",
           "B=\"é ü\"",
           "B=$HOME$USER",
           "B=a$",
           "B=2G",
           "A=1\nB=\"$A-$A\"",
           "B=1\nB=2",
           "B=\"x\"#y",
           "B=a~/b",
           "B=a=b",
           "B=%",
           "B=\"(;)\"",
       }) {
    const auto read = read_shell_settings(line, kKnown);
    EXPECT_TRUE(read.refusals.empty()) << line;
    EXPECT_EQ(value_of(read, "B"), shell_says(line)) << line;
  }
}

}  // namespace
}  // namespace estiva::format
