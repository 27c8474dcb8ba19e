#include "engines/engine_log.h"

#include <filesystem>
#include <unistd.h>

#include "engine_fixture.h"

namespace estiva::engines {
namespace {

struct EngineLogTest : EngineTest {
  EngineLog log{loop, dir.path(), "a/b c"};
  UniqueFd open() { return std::move(log.open().value()); }
  static void print(const UniqueFd& fd, std::string_view text) {
    EXPECT_EQ(::write(fd.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::uint64_t size() { return std::filesystem::file_size(log.path()); }
};

TEST_F(EngineLogTest, a_name_is_one_file_of_the_engines_folder) {
  EXPECT_EQ(log.path(), dir.path() + "/engines/a%2Fb%20c.log");
  EXPECT_EQ(EngineLog(loop, "/s", "..").path(), "/s/engines/...log");
}

TEST_F(EngineLogTest, the_tail_is_of_this_run_and_safe_for_a_terminal) {
  EXPECT_TRUE(log.tail(10).empty());
  print(open(), "old\n");
  const auto fd = open();
  EXPECT_TRUE(log.tail(10).empty());
  print(fd, "one\n  two\r\n\x1b[2Jthree\nfour");
  EXPECT_EQ(log.tail(10), (std::vector<std::string>{"one", "  two", "\\x1b[2Jthree", "four"}));
  EXPECT_EQ(log.tail(2), (std::vector<std::string>{"\\x1b[2Jthree", "four"}));
}

TEST_F(EngineLogTest, of_a_long_log_the_last_64_kib_from_a_lines_beginning) {
  const auto fd = open();
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += fmt::format("line {}\n", i);
  print(fd, text);
  const auto lines = log.tail(100'000);
  EXPECT_EQ(lines.back(), "line 19999");
  EXPECT_EQ(lines.front(), fmt::format("line {}", 20'000 - lines.size()));
  EXPECT_GT(lines.size(), 5'000u);
}

TEST_F(EngineLogTest, past_its_limit_the_newest_is_kept_while_the_engine_prints) {
  const auto fd = open();
  log.watch();
  std::string block;
  for (int i = 0; i < 16'384; ++i) block += "0123456789abcde\n";  // 256 KiB
  for (int i = 0; i < 200; ++i) {                                 // 50 MiB
    print(fd, block);
    loop.run_for(1ms);
  }
  print(fd, "the end\n");
  EXPECT_TRUE(until([&] { return size() <= kMostLog; })) << size();
  EXPECT_GE(size(), kKeptLog);
  EXPECT_EQ(log.tail(1), std::vector<std::string>{"the end"});
  // It appends behind what was kept, without a hole.
  print(fd, "and more\n");
  EXPECT_EQ(log.tail(2), (std::vector<std::string>{"the end", "and more"}));
  EXPECT_EQ(written("engines/a%2Fb%20c.log").find('\0'), std::string::npos);
}

TEST_F(EngineLogTest, one_that_grew_while_nobody_watched_is_cut_at_once) {
  const auto fd = open();
  const std::string block(1 << 20, '\n');
  for (int i = 0; i < 20; ++i) print(fd, block);
  print(fd, "the end\n");
  log.watch();
  EXPECT_EQ(size(), kKeptLog);
  EXPECT_EQ(log.tail(1), std::vector<std::string>{"the end"});
}

TEST_F(EngineLogTest, a_link_in_its_place_is_not_followed) {
  std::filesystem::create_directories(dir.path() + "/engines");
  std::filesystem::create_symlink(dir.write("victim", "x"), log.path());
  EXPECT_FALSE(log.open());
  EXPECT_EQ(written("victim"), "x");
}

}  // namespace
}  // namespace estiva::engines
