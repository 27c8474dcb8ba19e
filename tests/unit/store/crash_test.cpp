// kill -9 at every boundary between a change and its acknowledgement, in a child process: what it
// acknowledged (over a pipe) is there afterwards; what it did not is there whole or not at all.
#include <gtest/gtest.h>
#include <random>
#include <set>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/store/fixture.h"

namespace estiva::store {
namespace {

// Step n of the script: two grants, then the release of the first of them, and so on.
Write step(std::uint64_t n) {
  if (n % 3 != 0) return Write::grant(lease_for_test(n));
  Lease gone = lease_for_test(n - 2);
  gone.sequence = n;
  return Write::release(gone, n - 2, "script");
}

// Runs the script in groups, writing the number of each acknowledged step to `out`.
int run_script(const std::string& dir, CrashAt crash, int out, std::uint64_t steps,
               std::uint64_t group) {
  Options options = options_for_test();
  options.crash = crash;
  auto store = Store::open(dir, options);
  if (!store) return 1;
  for (std::uint64_t n = (*store)->opened().last_sequence + 1; n <= steps;) {
    std::promise<void> last;
    for (std::uint64_t i = 0; i < group; ++i, ++n) {
      (*store)->submit(step(n), [&last, n, i, out, group](Result<Durable> r) {
        const std::uint64_t number = r ? n : 0;
        if (write(out, &number, sizeof number) != sizeof number) _exit(2);
        if (i + 1 == group) last.set_value();
      });
    }
    last.get_future().wait();
  }
  return 0;
}

// Reads until the pipe ends or so many numbers came.
void read_numbers(int fd, std::set<std::uint64_t>& numbers, std::size_t most = SIZE_MAX) {
  std::uint64_t number = 0;
  while (numbers.size() < most && read(fd, &number, sizeof number) == sizeof number) {
    numbers.insert(number);
  }
}

// The ledger after `last` steps of the script were applied.
std::vector<Lease> ledger_after(std::uint64_t last) {
  std::vector<Lease> leases;
  for (std::uint64_t n = 1; n <= last; ++n) {
    if (n % 3 == 0) continue;
    if (n % 3 == 1 && n + 2 <= last) continue;  // released again
    leases.push_back(lease_for_test(n));
  }
  return leases;
}

// Steps are applied in order, so whatever survived must be the ledger after some number of them,
// not less than what was acknowledged; and the journal must have exactly those steps.
void expect_consistent(const std::string& dir, const std::set<std::uint64_t>& acknowledged) {
  auto store = Store::open(dir, options_for_test());
  ASSERT_TRUE(store) << store.error().sentence();
  const std::uint64_t last = (*store)->opened().last_sequence;
  EXPECT_EQ(acknowledged.count(0), 0U) << "a step was refused";
  if (!acknowledged.empty()) {
    EXPECT_GE(last, *acknowledged.rbegin());
  }
  EXPECT_EQ((*store)->opened().leases, ledger_after(last));
  const auto records = read_and_wait(**store, {.limit = kMaxJournalRead});
  ASSERT_TRUE(records);
  EXPECT_EQ(records->size(), last);
  for (const JournalRecord& record : *records) {
    EXPECT_TRUE(record.intact);
    EXPECT_EQ(record.position, record.sequence);
  }
}

struct Outcome {
  int status = 0;
  std::set<std::uint64_t> acknowledged;
};

// From outside: after so many answers and a little more.
struct Kill {
  std::size_t after_answers = 0;
  useconds_t and_microseconds = 0;
};

Outcome crash_once(const std::string& dir, CrashAt crash, std::uint64_t steps, std::uint64_t group,
                   std::optional<Kill> killing = std::nullopt) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  Outcome outcome;
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    _exit(run_script(dir, crash, ends[1], steps, group));
  }
  close(ends[1]);
  if (killing) {
    read_numbers(ends[0], outcome.acknowledged, killing->after_answers);
    usleep(killing->and_microseconds);
    kill(child, SIGKILL);
  }
  read_numbers(ends[0], outcome.acknowledged);
  close(ends[0]);
  waitpid(child, &outcome.status, 0);
  return outcome;
}

class CrashTest : public testing::TestWithParam<CrashPoint> {};

TEST_P(CrashTest, what_was_acknowledged_survives_and_nothing_is_half_there) {
  for (const std::uint64_t group : {1, 6}) {
    for (const std::uint64_t nth : {1, 2, 3, 7}) {
      TempDir dir;
      const Outcome outcome = crash_once(dir.path(), {GetParam(), nth}, 600, group);
      ASSERT_TRUE(WIFSIGNALED(outcome.status) && WTERMSIG(outcome.status) == SIGKILL)
          << "the crash point was not reached: status " << outcome.status;
      expect_consistent(dir.path(), outcome.acknowledged);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(At, CrashTest, testing::ValuesIn(kCrashPoints),
                         [](const auto& named) { return std::string(to_name(named.param)); });

TEST(Crash, the_script_runs_to_its_end_when_nothing_kills_it) {
  TempDir dir;
  const Outcome outcome = crash_once(dir.path(), {}, 60, 6);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.acknowledged.size(), 60U);
  expect_consistent(dir.path(), outcome.acknowledged);
}

// Among them the instants no crash point names: checkpoints, trims, opening, recovery.
TEST(Crash, kills_at_random_instants_on_one_database) {
  std::mt19937_64 random(5);
  TempDir dir;
  std::set<std::uint64_t> acknowledged;
  for (int round = 0; round < 40; ++round) {
    const Kill killing{random() % 40, static_cast<useconds_t>(random() % 3000)};
    const Outcome outcome = crash_once(dir.path(), {}, 1'000'000, 1 + random() % 8, killing);
    acknowledged.insert(outcome.acknowledged.begin(), outcome.acknowledged.end());
    auto store = Store::open(dir.path(), options_for_test());
    ASSERT_TRUE(store) << store.error().sentence();
    const std::uint64_t last = (*store)->opened().last_sequence;
    ASSERT_EQ((*store)->opened().leases, ledger_after(last)) << "round " << round;
    if (!acknowledged.empty()) {
      ASSERT_GE(last, *acknowledged.rbegin()) << "round " << round;
    }
  }
  EXPECT_GT(acknowledged.size(), 100U);
}

}  // namespace
}  // namespace estiva::store
