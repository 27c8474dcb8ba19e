// The seed's file becomes a profile that says what it overrides.
#include "decide/memory/seed_profile.h"

#include <gtest/gtest.h>

namespace estiva::decide::memory {
namespace {

constexpr std::string_view kSeed =
    "SWAP_DIR=\"$HOME/cluster_swap\"\nMIN_SWAP_SIZE=\"2G\"\nMAX_SWAP_SIZE=\"16G\"\n"
    "SWAP_INCREMENT=\"1G\"\nMEMORY_THRESHOLD=80\nCHECK_INTERVAL=30\n";

SeedProfile import_text(std::string_view text) {
  return import_seed(format::read_shell_settings(text, {{"HOME", "/home/ana"}}), {});
}

TEST(SeedProfile, TheSeedsOwnFile) {
  const SeedProfile profile = import_text(kSeed);
  EXPECT_TRUE(profile.refusals.empty());
  EXPECT_EQ(profile.law.floor, 2 * kGiB);
  EXPECT_EQ(profile.law.cap, 16 * kGiB);
  EXPECT_EQ(profile.folder, "");
  EXPECT_EQ(profile.increment, gib(1));
  EXPECT_EQ(profile.threshold, 80U);
  std::string table;
  for (const SeedValue& value : profile.values)
    table += value.name + " " + value.given + " " +
             (value.use == SeedUse::kept      ? "kept"
              : value.use == SeedUse::in_part ? "in part"
                                              : "overridden") +
             (value.ours.empty() ? "" : " -> " + value.ours) + "\n";
  EXPECT_EQ(table,
            "SWAP_DIR /home/ana/cluster_swap overridden -> /var/lib/estiva/swap\n"
            "MIN_SWAP_SIZE 2G kept\nMAX_SWAP_SIZE 16G kept\n"
            "SWAP_INCREMENT 1G in part -> in proportion\n"
            "MEMORY_THRESHOLD 80 in part -> by rate\nCHECK_INTERVAL 30 overridden -> by rate\n");
  EXPECT_NE(profile.values[5].why.find("in 30 s one thread fills 67.1 GiB"), std::string::npos)
      << profile.values[5].why;
  EXPECT_NE(profile.values[1].why.find("1.00 GiB"), std::string::npos) << profile.values[1].why;
  for (const SeedValue& value : profile.values) EXPECT_FALSE(value.why.empty()) << value.name;
}

TEST(SeedProfile, WhatMakesNoSenseIsRefusedAndOursStays) {
  struct Case {
    const char *text, *says;
    unsigned line;
  };
  for (const Case& one : {
           Case{"A=1\nMIN_SWAP_SIZE=2", "'2' is not a size", 2},
           Case{"MIN_SWAP_SIZE=1.5G", "not a size", 1},
           Case{"MAX_SWAP_SIZE=-1G", "not a size", 1},
           Case{"SWAP_INCREMENT=G", "not a size", 1},
           Case{"MEMORY_THRESHOLD=0", "from 1 to 100", 1},
           Case{"MEMORY_THRESHOLD=101", "from 1 to 100", 1},
           Case{"MEMORY_THRESHOLD=80%", "from 1 to 100", 1},
           Case{"\nCHECK_INTERVAL=0", "from 1 to 86400", 2},
           Case{"SWAP_DIRECTORY=/x", "none of the six", 1},
           Case{"MIN_SWAP_SIZE=$(free)", "run by a shell", 1},
           Case{"MIN_SWAP_SIZE=4G\nMAX_SWAP_SIZE=2G", "larger than MAX_SWAP_SIZE", 1},
       }) {
    const SeedProfile profile = import_text(one.text);
    ASSERT_FALSE(profile.refusals.empty()) << one.text;
    const auto& last = profile.refusals.back();
    EXPECT_NE(last.what.find(one.says), std::string::npos) << last.what;
    EXPECT_EQ(last.place.line, one.line) << one.text;
    EXPECT_EQ(profile.law.floor, LawSettings{}.floor) << one.text;
    EXPECT_EQ(profile.law.cap, LawSettings{}.cap) << one.text;
    EXPECT_TRUE(profile.values.empty()) << one.text;
  }
}

TEST(SeedProfile, TheLastOfTwoCounts) {
  const SeedProfile profile = import_text("MIN_SWAP_SIZE=nonsense\nMIN_SWAP_SIZE=512M\n");
  EXPECT_TRUE(profile.refusals.empty());
  EXPECT_EQ(profile.law.floor, 512 * kMiB);
  ASSERT_EQ(profile.values.size(), 1U);
  EXPECT_EQ(profile.values[0].place.line, 2U);
}

TEST(SeedProfile, SizesAsPeopleWriteThem) {
  for (const auto& [text, bytes] :
       std::initializer_list<std::pair<const char*, std::uint64_t>>{{"2G", 2 * kGiB},
                                                                    {"2g", 2 * kGiB},
                                                                    {"2GiB", 2 * kGiB},
                                                                    {"512M", 512 * kMiB},
                                                                    {"1T", 1024 * kGiB},
                                                                    {"2048K", 2 * kMiB},
                                                                    {"2GB", 2'000'000'000}})
    EXPECT_EQ(import_text(std::string("MIN_SWAP_SIZE=") + text).law.floor, bytes) << text;
}

TEST(SeedProfile, OnlyAFolderThatIsRootsIsKept) {
  EXPECT_EQ(import_text("SWAP_DIR=/srv/swap").folder, "/srv/swap");
  EXPECT_EQ(import_text("SWAP_DIR=/var/swap").folder, "/var/swap");
  for (const char* folder : {"/home/ana", "/home", "/root", "/tmp/s", "/var/tmp", "swap", "''",
                             "/srv/../home/x", "/srv/..", "/run/user/1000/s", "/media/stick"})
    EXPECT_EQ(import_text(std::string("SWAP_DIR=") + folder).folder, "") << folder;
}

}  // namespace
}  // namespace estiva::decide::memory
