// What sampling the host costs: CPU time of one call, on this machine, of the fast part (every
// second), of the disks (every 10 s) and of the process table with N processes; and what all of it
// comes to in a second. bench_observe [--processes N] [--calls N] [--handicap 1ms]
#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <fmt/format.h>
#include <signal.h>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include "format/size.h"
#include "observe/host_sampler.h"
#include "observe/process_table.h"

using namespace estiva;

namespace {

#ifdef NDEBUG
constexpr const char* kBuild = "Release";
#else
constexpr const char* kBuild = "Dev (assertions on)";
#endif

struct Options {
  std::size_t processes = 0;  // beside those that run already
  std::size_t calls = 2000;
  Nanoseconds handicap{0};
};

Nanoseconds cpu_time() {
  timespec ts{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return std::chrono::seconds(ts.tv_sec) + Nanoseconds(ts.tv_nsec);
}

void busy_wait(Nanoseconds span) {
  const Nanoseconds until = cpu_time() + span;
  while (span.count() > 0 && cpu_time() < until) {
  }
}

struct Figures {
  double median_us = 0, p99_us = 0;
};

template <class Work>
Figures measure(const std::string& name, std::size_t calls, Nanoseconds handicap, Work work) {
  std::vector<double> us;
  for (std::size_t i = 0; i < calls; ++i) {
    const Nanoseconds before = cpu_time();
    work();
    busy_wait(handicap);
    us.push_back(std::chrono::duration<double, std::micro>(cpu_time() - before).count());
  }
  std::sort(us.begin(), us.end());
  const Figures figures{us[us.size() / 2], us[us.size() * 99 / 100]};
  fmt::print("{:<28} n {:>6}  median {:>9.1f} us CPU  p99 {:>9.1f} us CPU\n", name, calls,
             figures.median_us, figures.p99_us);
  return figures;
}

std::vector<pid_t> start_sleepers(std::size_t count) {
  std::vector<pid_t> pids;
  for (std::size_t i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid < 0) break;
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
    pids.push_back(pid);
  }
  return pids;
}

int wrong_usage() {
  fmt::print(stderr, "usage: bench_observe [--processes N] [--calls N] [--handicap 1ms]\n");
  return 2;
}

bool parse_options(int argc, char** argv, Options& options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--processes") {
      options.processes = std::min<std::size_t>(std::strtoul(argv[i + 1], nullptr, 10), 20000);
    } else if (flag == "--calls") {
      options.calls = std::clamp<std::size_t>(std::strtoul(argv[i + 1], nullptr, 10), 100, 1000000);
    } else if (flag == "--handicap") {
      const auto span = format::parse_duration(argv[i + 1]);
      if (!span) return false;
      options.handicap = *span;
    } else {
      return false;
    }
  }
  return argc % 2 == 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse_options(argc, argv, options)) return wrong_usage();
  double load[3] = {};
  ::getloadavg(load, 3);
  fmt::print("build {}, load {:.2f}\n", kBuild, load[0]);

  auto sampler = observe::HostSampler::open({});
  const auto root = host::Root::open();
  if (!sampler || !root) return 1;
  sampler->sample();
  const auto sleepers = start_sleepers(options.processes);
  observe::ProcessTable table;
  table.scan(*root, steady_now());

  // The parts that are not due are skipped by the sampler itself; p99 holds the calls that had one.
  const auto fast =
      measure("fast part", options.calls, options.handicap, [&] { sampler->sample(); });
  const auto disks = measure("fast part + disks", options.calls / 10, options.handicap,
                             [&] { sampler->sample({.disks = true}); });
  const auto scan =
      measure(fmt::format("process table, {} of them", table.size()), options.calls / 20,
              options.handicap, [&] { table.scan(*root, steady_now()); });
  const auto gap = std::chrono::duration<double>(
      observe::next_process_scan(Nanoseconds(static_cast<std::int64_t>(scan.median_us * 1e3))));
  const double per_second =
      fast.median_us + (disks.median_us - fast.median_us) / 10 + scan.median_us / gap.count();
  fmt::print(
      "at 1 Hz: {:.0f} us CPU a second = {:.4f} % of a core (process table every {:.0f} s)\n",
      per_second, per_second / 1e4, gap.count());
  for (const pid_t pid : sleepers) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  return 0;
}
