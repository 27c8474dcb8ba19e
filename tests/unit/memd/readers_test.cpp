// What is read from the kernel's files, and what a status looks like.

#include <vector>

#include "memd/group_files.h"
#include "memd/group_rooms.h"
#include "memd/options.h"
#include "memd/sampler.h"
#include "memd/status_text.h"
#include "memd/triggers.h"
#include "unit/memd/memd_fixture.h"

namespace estiva::memd {

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

class Readers : public MemdTest {};

Result<Options> options_of(std::vector<std::string> words) {
  std::vector<char*> pointers{words[0].data()};
  for (std::size_t i = 1; i < words.size(); ++i) pointers.push_back(words[i].data());
  return read_options(static_cast<int>(pointers.size()), pointers.data());
}

}  // namespace

TEST(Swaps, AreOursByTheirPath) {
  const SwapTable table = parse_swaps(
      "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
      "/dev/sda2                               partition\t1048572\t\t77\t\t-2\n"
      "/s/area-1.swap                          file\t\t1048572\t\t12\t\t-3\n"
      "/s/area-8.swap file 1048572 0 -4\n"
      "/s/area-9.swap file 1048572 5 -5\n"
      "/s/other file 1048572 5 -6\n"
      "/sx/area-2.swap file 1048572 5 -7\n"
      "/s/area-3.swap\\040(deleted) file 1048572 9 -8\n",
      "/s");
  EXPECT_EQ(table.all, 7U);
  EXPECT_TRUE(table.is_listed[0]);
  EXPECT_EQ(table.used[0], 12U * 1024);
  EXPECT_FALSE(table.is_listed[1]);
  EXPECT_FALSE(table.is_listed[2]);
  EXPECT_TRUE(table.is_listed[7]);
  EXPECT_EQ(table.removed, 1U);
}

TEST(Swaps, BelowAFolderWithABlankAreFound) {
  const SwapTable table = parse_swaps("Filename\n/a\\040b/area-2.swap file 64 4 -2\n", "/a b");
  EXPECT_TRUE(table.is_listed[1]);
  EXPECT_EQ(table.used[1], 4096U);
}

TEST(Swaps, ThatAreNotAListAreNone) {
  for (const char* text : {"", "\n", "Filename", "Filename\n\n\n", "Filename\n/s/area-1.swap"})
    EXPECT_EQ(parse_swaps(text, "/s").used[0], 0U) << text;
}

TEST(Numbers, AreReadFromTheBeginningOfALine) {
  const char* text = "SwapCached: 5 kB\nCached:   7 kB\nnr max\n";
  EXPECT_EQ(number_after(text, "Cached:"), 7U);
  EXPECT_EQ(number_after(text, "Free:", 9), 9U);
  EXPECT_EQ(number_after(text, "nr "), UINT64_MAX);
  EXPECT_EQ(number_of("abc", 3), 3U);
  EXPECT_EQ(number_of("99999999999999999999999", 3), 3U);
}

TEST(Numbers, OfPressureAreTheTotals) {
  const char* text =
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=28214610\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=6056274\n";
  EXPECT_EQ(pressure_total(text, "some"), 28214610U);
  EXPECT_EQ(pressure_total(text, "full"), 6056274U);
  EXPECT_EQ(pressure_total("", "some"), 0U);
}

TEST_F(Readers, KnowGroupsOfBothVersions) {
  std::filesystem::create_directory(file("v1"));
  write_file("v1/memory.usage_in_bytes", "1000\n");
  write_file("v1/memory.limit_in_bytes", "9223372036854771712\n");
  write_file("v1/memory.stat", "rss 1\ntotal_rss 70\ntotal_swap 30\ntotal_inactive_file 5\n");
  write_file("v1/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
  std::filesystem::create_directory(file("v2"));
  write_file("v2/memory.current", "2000\n");
  write_file("v2/memory.max", "max\n");
  write_file("v2/memory.swap.max", "500\n");
  write_file("v2/memory.swap.current", "100\n");
  write_file("v2/memory.stat", "anon 60\nfile 1\nshmem 6\nunevictable 3\n");
  write_file("v2/memory.pressure", "some avg10=0 total=8\nfull avg10=0 total=4\n");
  GroupFiles v1, v2, none;
  ASSERT_TRUE(v1.open(file("v1")));
  ASSERT_TRUE(v2.open(file("v2")));
  ASSERT_FALSE(none.open(file("v3")));
  const auto one = v1.read(), two = v2.read();
  EXPECT_EQ(one.limit, decide::memory::kNoLimit);
  EXPECT_EQ(one.current, 1000U);
  EXPECT_EQ(one.anon, 70U);
  EXPECT_EQ(one.swap_current, 30U);
  EXPECT_EQ(one.inactive_file, 5U);
  EXPECT_EQ(one.oom_kills, 2U);
  EXPECT_FALSE(one.has_psi);
  EXPECT_EQ(two.limit, decide::memory::kNoLimit);
  EXPECT_EQ(two.swap_limit, 500U);
  EXPECT_EQ(two.anon, 60U);
  EXPECT_EQ(two.psi_some_us, 8U);
}

TEST_F(Readers, WalkAllGroupsWithTheirParents) {
  for (const char* name : {"a", "a/b", "c"}) {
    std::filesystem::create_directory(file(name));
    write_file(std::string(name) + "/memory.current", "4096\n");
    write_file(std::string(name) + "/memory.max", "8192\n");
    write_file(std::string(name) + "/memory.swap.current", "77\n");
  }
  std::vector<decide::memory::GroupRoom> rooms(kMostGroups);
  ASSERT_EQ(read_group_rooms(path_.c_str(), rooms.data()), 4U);
  EXPECT_EQ(rooms[0].parent, -1);
  int grandchildren = 0;
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(rooms[i].limit, 8192U);
    EXPECT_EQ(rooms[i].swapped, 77U);
    grandchildren += rooms[i].parent != 0;
  }
  EXPECT_EQ(grandchildren, 1);
}

TEST_F(Readers, DecideNothingOnMoreGroupsThanTheyCanHold) {
  for (std::uint32_t i = 0; i <= kMostGroups; ++i)
    std::filesystem::create_directory(file("g" + std::to_string(i)));
  std::vector<decide::memory::GroupRoom> rooms(kMostGroups);
  EXPECT_GT(read_group_rooms(path_.c_str(), rooms.data()), kMostGroups);
  EXPECT_GT(read_group_rooms(file("absent").c_str(), rooms.data()), kMostGroups);
}

TEST_F(Readers, GiveUpATriggerThatIsRefused) {
  Triggers triggers;
  std::filesystem::create_directory(file("folder"));  // can't be opened to write
  triggers.open(file("folder"), file("absent"));
  EXPECT_EQ(triggers.window(), TriggerWindow::none);
  for (const pollfd& wait : triggers.waits()) EXPECT_EQ(wait.fd, -1);
}

TEST_F(Readers, GiveUpATriggerThatBreaks) {
  Triggers triggers;
  write_file("pressure", "some\n");
  triggers.open(file("pressure"), "");
  auto waited = triggers.waits();
  ASSERT_GE(waited[0].fd, 0);
  waited[0].revents = POLLERR;
  EXPECT_FALSE(triggers.take(waited));
  EXPECT_EQ(triggers.waits()[0].fd, -1);
  EXPECT_EQ(triggers.window(), TriggerWindow::none);
}

TEST(Statuses, FitIntoWhatIsPromised) {
  StatusRow row;
  row.left_ns = INT64_MAX;
  row.total = row.available = row.rate = row.growths = UINT64_MAX;
  for (std::uint32_t i = 0; i < decide::memory::kMostAreas; ++i)
    row.areas[i] = {i + 1, decide::memory::AreaState::retiring, UINT64_MAX, UINT64_MAX, 0};
  char text[8192];
  const std::size_t n = format_status(row, "/var/lib/estiva/swap", "why", text, sizeof text);
  ASSERT_GT(n, 0U);
  EXPECT_LE(n, 4096U);
  EXPECT_THAT(std::string(text, n), testing::EndsWith("}\n"));
  EXPECT_EQ(format_status(row, "/", "", text, 100), 0U);
}

TEST(Options, AreSizesAndSeconds) {
  const auto read = options_of({"m", "--floor", "64M", "--calm", "3", "--cap", "2G", "--once"});
  ASSERT_TRUE(read);
  EXPECT_EQ(read->law.floor, 64 * kMiB);
  EXPECT_EQ(read->law.cap, 2048 * kMiB);
  EXPECT_EQ(read->law.calm_ns, 3'000'000'000);
  EXPECT_EQ(read->mode, Mode::once);
  for (const char* wrong : {"", "-1", "1T", "M", "1MM", "0x10", "99999999999999999999G"})
    EXPECT_FALSE(options_of({"m", "--floor", wrong})) << wrong;
}

}  // namespace estiva::memd
