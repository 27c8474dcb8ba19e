// Every tree under tests/machines must give what its expected.txt says.
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>

#include "format/proc.h"
#include "host/machine.h"
#include "observe/host_sampler.h"
#include "observe/process_table.h"

namespace estiva::observe {
namespace {

const std::string kMachines = ESTIVA_SOURCE_DIR "/tests/machines";

template <class T>
std::string known_or_why(const Reading<T>& reading, double value) {
  return reading ? fmt::format("{}", value) : std::string(to_name(reading.why()));
}

std::map<std::string, std::string> seen_on(const std::string& dir) {
  std::map<std::string, std::string> seen;
  const auto put = [&](const char* key, const auto& value) {
    seen[key] = fmt::format("{}", value);
  };
  const auto root = host::Root::open(dir).value();
  auto sampler = HostSampler::open({dir, "", {}}).value();
  const auto sample = sampler.sample();
  const auto ticks = format::parse_proc_stat(host::read_file(root, "/proc/stat").value()).value();
  put("cores", sample.cores);
  put("cpu_total_ticks", ticks.total);
  put("cpu_idle_ticks", ticks.idle);
  put("load1", known_or_why(sample.load1, sample.load1.value_or(0)));
  put("memory_total", sample.memory->total.value);
  put("memory_available", sample.memory->available.value);
  put("swap_total", sample.memory->swap_total.value);
  put("swap_used", (sample.memory->swap_total - sample.memory->swap_free).value);
  put("cgroup", sample.cgroup_layout);
  const auto mount = host::memory_cgroup_mount(root);
  put("memory_cgroup", mount.empty() ? "-" : mount);
  put("boot_id", host::read_boot_id(root).value());
  put("docker_root", host::docker_root(root, ""));
  const auto& cpu = sample.cpu_pressure.some;
  put("cpu_some_avg10", known_or_why(cpu, cpu ? cpu->avg10.value : 0));
  const auto& memory = sample.memory_pressure.full;
  put("memory_full_avg10", known_or_why(memory, memory ? memory->avg10.value : 0));
  put("swap_areas", sample.swaps.size());
  ProcessTable table;
  table.scan(root, {1});
  put("processes", table.size());
  const auto& top = sample.top_memory.at(0);
  put("top_memory", fmt::format("{} {} {}", top.pid, top.name, top.resident.value));
  return seen;
}

class Machines : public ::testing::TestWithParam<std::string> {};

TEST_P(Machines, GivesWhatWasWorkedOutByHand) {
  if (::sysconf(_SC_PAGESIZE) != 4096)
    GTEST_SKIP() << "the expected values are for 4096-byte pages";
  const auto dir = kMachines + "/" + GetParam();
  auto seen = seen_on(dir);
  std::ifstream file(dir + "/expected.txt");
  std::string line;
  ASSERT_TRUE(std::getline(file, line) && line.starts_with("# source: ")) << line;
  std::size_t compared = 0;
  while (std::getline(file, line)) {
    const auto blank = line.find(' ');
    const auto key = line.substr(0, blank);
    EXPECT_EQ(seen[key], line.substr(blank + 1)) << GetParam() << ": " << key;
    ++compared;
  }
  EXPECT_EQ(compared, seen.size());
}

INSTANTIATE_TEST_SUITE_P(Trees, Machines,
                         ::testing::Values("debian12-v2", "hybrid-v1", "bare-container", "wsl2"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(MachineTrees, EveryFolderIsTested) {
  std::size_t folders = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kMachines)) {
    folders += std::filesystem::exists(entry.path() / "expected.txt") ? 1 : 0;
  }
  EXPECT_EQ(folders, 4u);
}

}  // namespace
}  // namespace estiva::observe
