// Durable grants a second: B grants are handed over, the clock stops when the last callback of the
// B came (after COMMIT). Each grant carries what the daemon writes: a lease, its decision, and
// readings that the batch shares. The leases are released again outside the measured path.
//
//   bench_store [--seconds S] [--dir DIR] [--handicap 1ms]
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <mutex>
#include <stdlib.h>
#include <sys/stat.h>

#include "store/store.h"

namespace estiva::store {
namespace {

using Clock = std::chrono::steady_clock;
using Micros = std::chrono::duration<double, std::micro>;

struct Flags {
  double seconds = 2;
  std::string dir = ".";
  Micros handicap{0};
};

// Counts answers down to zero.
class Answers {
 public:
  void expect(std::size_t count) { left_ = count; }
  void one(bool good) {
    const std::lock_guard guard(mutex_);
    bad_ += good ? 0 : 1;
    if (--left_ == 0) all_.notify_one();
  }
  void wait() {
    std::unique_lock guard(mutex_);
    all_.wait(guard, [this] { return left_ == 0; });
  }
  std::size_t bad() const { return bad_; }

 private:
  std::mutex mutex_;
  std::condition_variable all_;
  std::size_t left_ = 0, bad_ = 0;
};

struct Row {
  std::size_t batch = 0, grants = 0, rounds = 0, failed = 0;
  double seconds = 0;
  std::vector<double> micros;  // of each round
};

Lease make_lease(const Opened& opened, std::uint64_t sequence) {
  Lease lease;
  lease.id = fmt::format("l-{:012}", sequence);
  lease.model = fmt::format("qwen2.5-7b-instruct-{}", sequence);
  lease.shares = {{DeviceId{"nvidia", "GPU-5f1c7a52-3b1e-4c55-9e0d-0123456789ab", ""}, mib(3500)}};
  lease.holder = Holder{4242, 123456, "6f0a3f3e-4c8e-4dd0-8f0e-0123456789ab"};
  lease.granted_at = wall_now();
  lease.node_id = opened.node_id;
  lease.boot_epoch = opened.boot_epoch;
  lease.sequence = sequence;
  return lease;
}

void busy_wait(Micros time) {
  for (const auto end = Clock::now() + time; Clock::now() < end;) {
  }
}

class Bench {
 public:
  Bench(Store& store, const Flags& flags)
      : store_(store), flags_(flags), sequence_(store.opened().last_sequence) {}

  Row measure(std::size_t batch) {
    Row row;
    row.batch = batch;
    run_rounds(row, flags_.seconds * 0.1);  // warm up
    const std::size_t failed = answers_.bad();
    row = Row{};
    row.batch = batch;
    run_rounds(row, flags_.seconds);
    row.failed = answers_.bad() - failed;
    std::sort(row.micros.begin(), row.micros.end());
    return row;
  }

 private:
  void run_rounds(Row& row, double seconds) {
    while (row.seconds < seconds) {
      prepare(row.batch);
      const double micros = round(row.batch);
      row.micros.push_back(micros);
      row.seconds += micros / 1e6;
      row.grants += row.batch;
      ++row.rounds;
      release_all();
    }
  }

  void prepare(std::size_t batch) {
    const auto readings = std::make_shared<const std::string>(fmt::format("{:>2000}", sequence_));
    writes_.clear();
    held_.clear();
    for (std::size_t i = 0; i < batch; ++i) {
      held_.push_back(make_lease(store_.opened(), ++sequence_));
      writes_.push_back(Write::grant(
          held_.back(), Decision{std::string(160, 'q'), readings, std::string(80, 'a')}));
    }
  }

  double round(std::size_t batch) {
    answers_.expect(batch);
    const auto begun = Clock::now();
    if (flags_.handicap.count() > 0) busy_wait(flags_.handicap);
    for (Write& write : writes_) {
      store_.submit(std::move(write), [this](Result<Durable> r) { answers_.one(r.has_value()); });
    }
    answers_.wait();
    return Micros(Clock::now() - begun).count();
  }

  void release_all() {
    answers_.expect(held_.size());
    for (Lease& lease : held_) {
      const std::uint64_t expected = lease.sequence;
      lease.sequence = ++sequence_;
      store_.submit(Write::release(std::move(lease), expected, "bench"),
                    [this](Result<Durable> r) { answers_.one(r.has_value()); });
    }
    answers_.wait();
  }

  Store& store_;
  const Flags& flags_;
  std::uint64_t sequence_;
  std::vector<Write> writes_;
  std::vector<Lease> held_;
  Answers answers_;
};

double at(const std::vector<double>& sorted, double share) {
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

void print(const Row& row) {
  fmt::print(
      "store.grants batch={} n={} grants_per_second={:.0f} commit_median_us={:.0f} "
      "commit_p99_us={:.0f} failed={}\n",
      row.batch, row.rounds, static_cast<double>(row.grants) / row.seconds, at(row.micros, 0.5),
      at(row.micros, 0.99), row.failed);
}

Flags parse(int count, char** words) {
  Flags flags;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view word = words[i];
    if (word == "--seconds") flags.seconds = atof(words[i + 1]);
    if (word == "--dir") flags.dir = words[i + 1];
    if (word == "--handicap") flags.handicap = std::chrono::milliseconds(atoi(words[i + 1]));
  }
  return flags;
}

int run(const Flags& flags) {
  std::string dir = flags.dir + "/bench-store-XXXXXX";
  if (!mkdtemp(dir.data())) {
    fmt::print(stderr, "error: no folder can be made in {}. Name another with --dir.\n", flags.dir);
    return 2;
  }
  std::string load;
  std::getline(std::ifstream("/proc/loadavg"), load);
  fmt::print("build={} load=\"{}\" handicap_us={:.0f}\n", ESTIVA_BUILD_TYPE, load,
             flags.handicap.count());
  int status = 0;
  {
    auto store = Store::open(dir, Options{});
    if (!store) {
      fmt::print(stderr, "error: {}\n", store.error().sentence());
      return 1;
    }
    Bench bench(**store, flags);
    for (const std::size_t batch : {1, 8, 64}) {
      const Row row = bench.measure(batch);
      print(row);
      status |= row.failed > 0 ? 1 : 0;
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(dir, ignored);
  return status;
}

}  // namespace
}  // namespace estiva::store

int main(int count, char** words) {
  return estiva::store::run(estiva::store::parse(count, words));
}
