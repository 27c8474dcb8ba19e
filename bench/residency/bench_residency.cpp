// How long one step of the residency machine takes, on one core: 64 GPUs, 200 models that are in.
//   busy     the gateway reports use of a model, and nobody waits
//   tick     the ledger changed, and nobody waits
//   arrive   a request for a model that fits nowhere now: order, bound, victims; then it leaves
//   explain  what that request waits for
// Usage: bench_residency [--rounds N] [--handicap 1ms] [--check]
// --handicap puts a busy wait into the measured path and must show; --check exits 1 where the
// median of busy or tick is over 50 us.
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "decide/placement/decide.h"
#include "decide/residency/residency.h"

namespace estiva::decide {
namespace {

using namespace residency;
using Clock = std::chrono::steady_clock;

constexpr unsigned kGpus = 64;
constexpr unsigned kModels = 200;
constexpr int kBatch = 100;  // steps a sample
constexpr double kGoalUs = 50;

struct Options {
  int rounds = 200;
  std::chrono::nanoseconds handicap{0};
  bool check = false;
};

std::string name_of(unsigned i) {
  return fmt::format("model-{}", i);
}

Ledger machine_with_leases() {
  Readings readings;
  readings.begun_at = {1};
  readings.driver.state = DriverState::ready;
  for (unsigned i = 0; i < kGpus; ++i) {
    Gpu& gpu = readings.gpus.emplace_back();
    gpu.identity.id.uuid = fmt::format("GPU-{:08x}-1234-5678-9abc-def012345678", i * 2654435761u);
    gpu.identity.index = i;
    gpu.sample.memory = GpuMemory{gib(80), {}, gib(80), {}, true};
    gpu.sample.processes = std::vector<GpuProcess>{};
  }
  Ledger ledger(PlacementPolicy{}, "node", 1);
  ledger.observe(readings);
  for (unsigned i = 0; i < kModels; ++i) {
    AssignRequest request;
    request.model = name_of(i);
    request.shares = on_any_gpus(1, gib(18));
    request.shares[0].gpu = std::to_string(i % kGpus);
    ledger.apply(decide_assign(ledger, request));
  }
  return ledger;
}

std::vector<ModelSpec> specs() {
  std::vector<ModelSpec> all;
  for (unsigned i = 0; i <= kModels; ++i) {
    ModelSpec& spec = all.emplace_back();
    spec.name = i < kModels ? name_of(i) : "new";
    spec.vram = gib(18);
  }
  all.back().vram = gib(40);
  return all;
}

void busy_wait(std::chrono::nanoseconds how_long) {
  if (how_long.count() == 0) return;
  const auto end = Clock::now() + how_long;
  while (Clock::now() < end) {
  }
}

double measure(const Options& options, const char* name, const std::function<void()>& once) {
  std::vector<double> us;
  for (int i = 0; i < options.rounds; ++i) {
    const auto begin = Clock::now();
    for (int j = 0; j < kBatch; ++j) {
      once();
      busy_wait(options.handicap);
    }
    const std::chrono::duration<double, std::micro> took = Clock::now() - begin;
    us.push_back(took.count() / kBatch);
  }
  std::sort(us.begin(), us.end());
  const double median = us[us.size() / 2];
  fmt::print("{:<10} n={} median={:.2f}us p99={:.2f}us per_second={:.0f}\n", name,
             options.rounds * kBatch, median, us[us.size() * 99 / 100], 1e6 / median);
  return median;
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
      fmt::print(stderr, "usage: bench_residency [--rounds N] [--handicap 1ms] [--check]\n");
      std::exit(2);
    }
  }
  return options;
}

int run(const Options& options) {
  const Ledger ledger = machine_with_leases();
  ResidencyMachine machine({}, specs());
  SteadyTime now{1'000'000'000};
  for (unsigned i = 0; i < kModels; ++i) machine.step(Adopted{name_of(i), false, 1}, now, ledger);
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  fmt::print("residency: {} GPUs, {} models in, load={:.2f} build={} handicap={}us\n", kGpus,
             kModels, load, ESTIVA_BUILD_TYPE, options.handicap.count() / 1000);
  std::uint64_t began = 0;
  const std::string used = name_of(77);
  const double busy = measure(options, "busy", [&] {
    now.ns += 1000;
    machine.step(Busy{used, 1, ++began}, now, ledger);
  });
  const double tick = measure(options, "tick", [&] {
    now.ns += 1000;
    machine.step(Tick{}, now, ledger);
  });
  Options fewer = options;
  fewer.rounds = std::max(1, options.rounds / 20);
  Ticket ticket = 0;
  measure(fewer, "arrive", [&] {
    now.ns += 1000;
    machine.step(Arrived{++ticket, "new"}, now, ledger);
    machine.step(Left{ticket}, now, ledger);
  });
  machine.step(Arrived{++ticket, "new"}, now, ledger);
  measure(fewer, "explain", [&] { machine.explain(ticket, now, ledger); });
  if (!options.check || std::max(busy, tick) <= kGoalUs) return 0;
  fmt::print(stderr, "the slower of busy and tick takes {:.1f} us; the goal is {:.0f}\n",
             std::max(busy, tick), kGoalUs);
  return 1;
}

}  // namespace
}  // namespace estiva::decide

int main(int argc, char** argv) {
  return estiva::decide::run(estiva::decide::parse(argc, argv));
}
