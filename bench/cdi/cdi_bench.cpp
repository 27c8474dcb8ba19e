// What finding the driver's files and making a CDI spec of them costs: wall time of one call, with
// nothing kept from the call before but the kernel's caches. bench_cdi ROOT [--calls N]
// [--handicap 1ms]; cdi_bench.py makes the tree.
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "decide/cdi/generate.h"
#include "format/size.h"
#include "host/driver_files.h"

using namespace estiva;

namespace {

#ifdef NDEBUG
constexpr const char* kBuild = "Release";
#else
constexpr const char* kBuild = "Dev (assertions on)";
#endif

Nanoseconds now(clockid_t clock) {
  timespec ts{};
  ::clock_gettime(clock, &ts);
  return std::chrono::seconds(ts.tv_sec) + Nanoseconds(ts.tv_nsec);
}

void busy_wait(Nanoseconds span) {
  const Nanoseconds until = now(CLOCK_MONOTONIC) + span;
  while (span.count() > 0 && now(CLOCK_MONOTONIC) < until) {
  }
}

double at(std::vector<double>& all, std::size_t percent) {
  std::sort(all.begin(), all.end());
  return all[std::min(all.size() * percent / 100, all.size() - 1)];
}

// One spec, from the root folder to the value; the number of its mounts and devices.
Result<std::pair<std::size_t, std::size_t>> one(const std::string& dir) {
  const auto root = host::Root::open(dir);
  if (!root) return Failure(root.error());
  const auto spec = decide::generate_cdi(host::find_driver_files(*root));
  if (!spec) return Failure(spec.error());
  return std::pair(spec->edits.mounts.size(), spec->devices.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t calls = 1000;
  Nanoseconds handicap{0};
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    const auto span = format::parse_duration(argv[i + 1]);
    if (flag == "--calls")
      calls = std::clamp<std::size_t>(std::strtoul(argv[i + 1], nullptr, 10), 10, 1000000);
    if (flag == "--handicap" && span) handicap = *span;
  }
  if (argc % 2 != 0 || argc < 2) {
    fmt::print(stderr, "usage: bench_cdi ROOT [--calls N] [--handicap 1ms]\n");
    return 2;
  }
  double load[3] = {};
  ::getloadavg(load, 3);
  const auto first = one(argv[1]);
  if (!first) {
    fmt::print(stderr, "error: {}\n", first.error().sentence());
    return 1;
  }
  fmt::print("build {}, load {:.2f}; {} mounts, {} devices\n", kBuild, load[0], first->first,
             first->second);
  std::vector<double> wall, cpu;
  for (std::size_t i = 0; i < calls; ++i) {
    const auto wall_before = now(CLOCK_MONOTONIC), cpu_before = now(CLOCK_THREAD_CPUTIME_ID);
    if (!one(argv[1])) return 1;
    busy_wait(handicap);
    wall.push_back(
        std::chrono::duration<double, std::milli>(now(CLOCK_MONOTONIC) - wall_before).count());
    cpu.push_back(
        std::chrono::duration<double, std::milli>(now(CLOCK_THREAD_CPUTIME_ID) - cpu_before)
            .count());
  }
  fmt::print(
      "find and generate  n {}  median {:.3f} ms wall, {:.3f} ms CPU  p99 {:.3f} ms wall, {:.3f} "
      "ms CPU\n",
      calls, at(wall, 50), at(cpu, 50), at(wall, 99), at(cpu, 99));
  return 0;
}
