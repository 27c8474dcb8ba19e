// How many placement decisions a second, in memory, on one core: 64 GPUs, 200 leases. Four kinds:
//   apply    a decision that grants, charged and then rolled back (one of each)
//   grant    a decision that grants, alone
//   refuse   a decision that refuses; without and with the words of the refusal
//   again    a model that has a lease already
//   observe  a read of all GPUs and their processes taken in
// Usage: bench_ledger [--rounds N] [--handicap 1ms] [--check]
// --handicap puts a busy wait into the measured path and must show; --check exits 1 below 200,000
// decisions a second (deciding, charging and rolling back count as one).
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "decide/placement/decide.h"
#include "decide/placement/explain.h"

namespace estiva::decide {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kGpus = 64;
constexpr unsigned kLeases = 200;
constexpr int kBatch = 100;  // decisions a sample: the clock costs little beside them
constexpr double kTarget = 200'000;

struct Options {
  int rounds = 500;
  std::chrono::nanoseconds handicap{0};
  bool check = false;
};

Readings machine() {
  Readings readings;
  readings.begun_at = {1};
  readings.driver.state = DriverState::ready;
  for (unsigned i = 0; i < kGpus; ++i) {
    Gpu& gpu = readings.gpus.emplace_back();
    gpu.identity.id.uuid = fmt::format("GPU-{:08x}-1234-5678-9abc-def012345678", i * 2654435761u);
    gpu.identity.index = i;
    gpu.sample.memory = GpuMemory{gib(80), mib(500), gib(80) - mib(500), {}, true};
    gpu.sample.utilization = Ratio{(i * 37 % 100) / 100.0};
    gpu.sample.processes = std::vector<GpuProcess>{};
  }
  return readings;
}

AssignRequest request(std::string model, Bytes bytes) {
  AssignRequest r;
  r.model = std::move(model);
  r.shares = on_any_gpus(1, bytes);
  return r;
}

// 200 leases, each with one process of 4 GiB on its GPU.
Ledger busy_ledger(Readings& readings) {
  Ledger ledger(PlacementPolicy{}, "node", 1);
  ledger.observe(readings);
  for (unsigned i = 0; i < kLeases; ++i) {
    AssignRequest r = request(fmt::format("model-{}", i), gib(5));
    r.choice = Choice::least_utilized;
    r.shares[0].gpu = std::to_string(i % kGpus);
    const Lease lease = ledger.apply(decide_assign(ledger, r)).lease;
    const auto pid = static_cast<pid_t>(1000 + i);
    Gpu& gpu = readings.gpus[i % kGpus];
    auto list = *gpu.sample.processes;
    list.emplace_back().pid = pid;
    list.back().used = gib(4);
    gpu.sample.processes = list;
    readings.owners.push_back({pid, 1, lease.id});
  }
  ++readings.begun_at.ns;
  ledger.observe(readings);
  return ledger;
}

double load_average() {
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  return load;
}

void busy_wait(std::chrono::nanoseconds how_long) {
  if (how_long.count() == 0) return;
  const auto end = Clock::now() + how_long;
  while (Clock::now() < end) {
  }
}

double percentile(const std::vector<double>& sorted, double p) {
  return sorted[static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1))];
}

// Runs `once` in batches; prints the time of one and returns how many a second at the median.
double measure(const Options& options, const char* name, const std::function<void()>& once) {
  std::vector<double> ns;
  for (int i = 0; i < options.rounds; ++i) {
    const auto begin = Clock::now();
    for (int j = 0; j < kBatch; ++j) {
      once();
      busy_wait(options.handicap);
    }
    const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
    ns.push_back(took.count() / kBatch);
  }
  std::sort(ns.begin(), ns.end());
  const double median = percentile(ns, 0.5);
  fmt::print("{:<16} n={} median={:.0f}ns p99={:.0f}ns per_second={:.0f}\n", name,
             options.rounds * kBatch, median, percentile(ns, 0.99), 1e9 / median);
  return 1e9 / median;
}

std::chrono::nanoseconds parse_wait(const std::string& text) {
  const double number = std::strtod(text.c_str(), nullptr);
  if (text.ends_with("ms")) return std::chrono::nanoseconds(static_cast<long>(number * 1e6));
  if (text.ends_with("us")) return std::chrono::nanoseconds(static_cast<long>(number * 1e3));
  fmt::print(stderr, "--handicap takes 1ms or 10us, not {}\n", text);
  std::exit(2);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--check")
      options.check = true;
    else if (word == "--rounds" && i + 1 < argc)
      options.rounds = std::max(1, std::atoi(argv[++i]));
    else if (word == "--handicap" && i + 1 < argc)
      options.handicap = parse_wait(argv[++i]);
    else {
      fmt::print(stderr, "usage: bench_ledger [--rounds N] [--handicap 1ms] [--check]\n");
      std::exit(2);
    }
  }
  return options;
}

int run(const Options& options) {
  Readings readings = machine();
  Ledger ledger = busy_ledger(readings);
  fmt::print("ledger: {} GPUs, {} leases, load={:.2f} build={} handicap={}us\n", kGpus, kLeases,
             load_average(), ESTIVA_BUILD_TYPE, options.handicap.count() / 1000);
  const AssignRequest fits = request("new", gib(8)), full = request("new", gib(79));
  const AssignRequest known = request("model-7", gib(5));
  double slowest = measure(options, "apply",
                           [&] { ledger.roll_back(ledger.apply(decide_assign(ledger, fits))); });
  slowest = std::min(slowest, measure(options, "grant", [&] { decide_assign(ledger, fits); }));
  slowest = std::min(slowest, measure(options, "refuse", [&] { decide_assign(ledger, full); }));
  slowest = std::min(slowest, measure(options, "again", [&] { decide_assign(ledger, known); }));
  Options fewer = options;
  fewer.rounds = std::max(1, options.rounds / 50);
  measure(fewer, "refuse+explain",
          [&] { explain_refusal(ledger, full, decide_assign(ledger, full)); });
  measure(fewer, "observe", [&] {
    ++readings.begun_at.ns;
    ledger.observe(readings);
  });
  if (!options.check || slowest >= kTarget) return 0;
  fmt::print(stderr, "the slowest decision runs {:.0f} times a second; the goal is {:.0f}\n",
             slowest, kTarget);
  return 1;
}

}  // namespace
}  // namespace estiva::decide

int main(int argc, char** argv) {
  return estiva::decide::run(estiva::decide::parse(argc, argv));
}
