#include "observe/host_sampler.h"

#include <cmath>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/process_table.h"
#include "unit/host/temp_dir.h"

namespace estiva::observe {
namespace {

using namespace std::chrono_literals;
using test::TempDir;

// What another program says, line by line; empty when it is not there.
std::vector<std::string> lines_of(const std::string& command) {
  std::vector<std::string> lines;
  FILE* pipe = ::popen((command + " 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return lines;
  std::array<char, 4096> line;
  while (std::fgets(line.data(), line.size(), pipe) != nullptr) lines.emplace_back(line.data());
  ::pclose(pipe);
  return lines;
}

HostSampler sampler_on(const std::string& root, std::vector<std::string> folders = {}) {
  return HostSampler::open({root, "", std::move(folders)}).value();
}

std::string stat_line(int pid, std::uint64_t cpu, std::uint64_t start, std::uint64_t pages) {
  return fmt::format("{} (p{}) R 1 1 1 0 -1 0 0 0 0 0 {} 0 0 0 20 0 1 0 {} 0 {} 0\n", pid, pid, cpu,
                     start, pages);
}

TEST(ScanTiers, ACheapTableComesEveryTenSecondsAndADearOneRarely) {
  EXPECT_EQ(next_process_scan(0ns), 10s);
  EXPECT_EQ(next_process_scan(1ms), 10s);
  EXPECT_EQ(next_process_scan(5ms), 50s);
  EXPECT_EQ(next_process_scan(10s), 120s);
}

TEST(HostSample, CpuIsUnknownFirstAndKnownFromTheSecondRead) {
  const TempDir dir;
  dir.write("proc/stat", "cpu 100 0 0 100 0 0 0 0\ncpu0 1\n");
  auto sampler = sampler_on(dir.path());
  EXPECT_EQ(sampler.sample().cpu.why(), Missing::not_read);
  dir.write("proc/stat", "cpu 175 0 0 125 0 0 0 0\ncpu0 1\n");
  EXPECT_DOUBLE_EQ(sampler.sample().cpu->value, 0.75);
  EXPECT_DOUBLE_EQ(sampler.sample().cpu->value, 0.75);  // no tick has passed: the last one stands
  dir.write("proc/stat", "rubbish");
  EXPECT_EQ(sampler.sample().cpu.why(), Missing::failed);
  std::filesystem::remove(dir.path() + "/proc/stat");
  EXPECT_EQ(sampler.sample().cpu.why(), Missing::not_supported);
  EXPECT_FALSE(sampler.trouble().empty());
  dir.write("proc/stat", "cpu 100 0 0 100 0 0 0 0\ncpu0 1\n");
  EXPECT_EQ(sampler.sample().cpu.why(), Missing::not_read);
}

TEST(HostSample, AnEmptyMachineFailsNowhere) {
  const TempDir dir;
  auto sampler = sampler_on(dir.path());
  const auto sample = sampler.sample();
  EXPECT_FALSE(sample.memory);
  EXPECT_FALSE(sample.load1);
  EXPECT_TRUE(sample.top_memory.empty());
  EXPECT_EQ(sample.cgroup_layout, "none");
  EXPECT_EQ(sampler.trouble().size(), 2u);  // stat and meminfo
}

TEST(HostSample, AnAbsentRootIsAnError) {
  EXPECT_FALSE(HostSampler::open({"/nonexistent-tree", "", {}}));
}

TEST(Processes, SharesOfCpuComeFromTwoScansAndAReusedPidStartsAnew) {
  const TempDir dir;
  const auto root = host::Root::open(dir.path()).value();
  dir.write("proc/10/stat", stat_line(10, 1000, 5, 1));
  dir.write("proc/11/stat", stat_line(11, 5000, 6, 2));
  dir.write("proc/self/stat", "");
  ProcessTable table;
  ASSERT_TRUE(table.scan(root, {1'000'000'000}));
  EXPECT_TRUE(table.top_cpu().empty());
  ASSERT_EQ(table.top_memory().size(), 2u);
  EXPECT_EQ(table.top_memory()[0].pid, 11);
  EXPECT_EQ(table.top_memory()[0].cpu.why(), Missing::not_read);

  const auto ticks = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  dir.write("proc/10/stat", stat_line(10, 1000 + 2 * ticks, 5, 1));
  dir.write("proc/11/stat", stat_line(11, ticks, 99, 0));  // another process under the same pid
  ASSERT_TRUE(table.scan(root, {3'000'000'000}));
  const auto top = table.top_cpu();
  ASSERT_EQ(top.size(), 2u);
  EXPECT_EQ(top[0].pid, 10);
  EXPECT_DOUBLE_EQ(top[0].cpu->value, 1.0);
  EXPECT_DOUBLE_EQ(top[1].cpu->value, 0.5);
  EXPECT_EQ(table.top_memory().size(), 1u);
}

TEST(Processes, OnlyTheLargestTwentyAreKeptLargestFirst) {
  std::vector<ProcessTable::Entry> entries(500);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i].pid = static_cast<pid_t>(i + 1);
    entries[i].resident_pages = (i * 7919) % 1000;
  }
  const auto top = largest(entries, &ProcessTable::Entry::resident_pages);
  ASSERT_EQ(top.size(), kTopProcesses);
  for (std::size_t i = 1; i < top.size(); ++i) {
    EXPECT_GE(top[i - 1]->resident_pages, top[i]->resident_pages);
  }
  const auto biggest = std::max_element(
      entries.begin(), entries.end(),
      [](const auto& a, const auto& b) { return a.resident_pages < b.resident_pages; });
  EXPECT_EQ(top[0]->resident_pages, biggest->resident_pages);
}

// The live machine, against programs that share no code with us.
TEST(Referee, MemoryAgreesWithFree) {
  const auto lines = lines_of("free -b");
  if (lines.size() < 3) GTEST_SKIP() << "free is not installed";
  unsigned long long total = 0, swap = 0;
  ASSERT_EQ(std::sscanf(lines[1].c_str(), "Mem: %llu", &total), 1);
  ASSERT_EQ(std::sscanf(lines[2].c_str(), "Swap: %llu", &swap), 1);
  const auto sample = sampler_on("/").sample();
  ASSERT_TRUE(sample.memory);
  EXPECT_EQ(sample.memory->total.value, total);
  EXPECT_EQ(sample.memory->swap_total.value, swap);
  EXPECT_GT(sample.memory->available.value, 0u);
}

TEST(Referee, DisksAgreeWithDf) {
  const auto lines = lines_of("df -B1 --output=size,used,avail,pcent /");
  ASSERT_EQ(lines.size(), 2u);
  double size = 0, used = 0, available = 0;
  int percent = 0;
  ASSERT_EQ(std::sscanf(lines[1].c_str(), "%lf %lf %lf %d%%", &size, &used, &available, &percent),
            4);
  const auto sample = sampler_on("/").sample();
  ASSERT_FALSE(sample.disks.empty());
  const Disk& disk = sample.disks[0];
  EXPECT_EQ(static_cast<double>(disk.total.value), size);
  // Others write while we read: 1 % of the disk.
  EXPECT_NEAR(static_cast<double>(disk.used.value), used, size / 100);
  EXPECT_NEAR(static_cast<double>(disk.available.value), available, size / 100);
  EXPECT_NEAR(std::ceil(disk.used_ratio.value * 100), percent, 1.0);
}

TEST(Referee, TheLargestProcessesAgreeWithPs) {
  // One big process of our own, so that the top of the list stands still.
  constexpr std::size_t kSize = 96 << 20;
  int filled[2];
  ASSERT_EQ(::pipe(filled), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::vector<char> memory(kSize, 1);
    if (::write(filled[1], memory.data(), 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(filled[0], &byte, 1), 1);
  std::uint64_t ps_rss = 0;
  Bytes ours;
  for (const auto& use : sampler_on("/").sample().top_memory) {
    if (use.pid == child) ours = use.resident;
  }
  for (const auto& line : lines_of("ps -eo pid=,rss= --sort=-rss")) {
    long pid = 0;
    unsigned long kib = 0;
    if (std::sscanf(line.c_str(), "%ld %lu", &pid, &kib) == 2 && pid == child) ps_rss = kib << 10;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  // The kernel counts per CPU and adds up late: a few hundred pages may be missing.
  ASSERT_GE(ours.value, kSize - (4 << 20));
  if (ps_rss == 0) GTEST_SKIP() << "ps is not installed";
  EXPECT_NEAR(static_cast<double>(ours.value), static_cast<double>(ps_rss), 4 << 20);
}

// The user and system time of a process, read by hand: fields 14 and 15 of proc(5)'s stat.
double cpu_seconds_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

TEST(Referee, ABusyProcessIsSeenWithTheTimeThatItUsed) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::sched_getcpu();
  }
  auto sampler = sampler_on("/");
  double share = 0, most = 0;
  for (int attempt = 0; attempt < 100 && share == 0; ++attempt) {
    const double cpu_before = cpu_seconds_of(child);
    sampler.sample({.processes = true});
    const SteadyTime from = steady_now();
    ::usleep(200'000);
    const SteadyTime to = steady_now();
    for (const auto& use : sampler.sample({.processes = true}).top_cpu) {
      if (use.pid == child && use.cpu) share = use.cpu->value;
    }
    // The sampler saw no more CPU time than we did around it, in no less time than we waited.
    const double tick = 1.0 / static_cast<double>(::sysconf(_SC_CLK_TCK));
    const double waited = static_cast<double>((to - from).count()) / 1e9;
    most = (cpu_seconds_of(child) - cpu_before + tick) / waited;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_GT(share, 0.0);
  EXPECT_LE(share, most);
}

}  // namespace
}  // namespace estiva::observe
