// kill -9 at every point where a crash leaves another state behind, of apply, of undo, and of both:
// afterwards one undo brings back every byte, mode, owner, time, link, unit state and module.
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <functional>
#include <random>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/act/act_fixture.h"

namespace estiva::act::test {
namespace {

namespace fs = std::filesystem;

constexpr int kNever = 1 << 30;

// What one child did.
enum class Child { ended, killed, failed };

// A machine of its own, so that every point of a crash begins with a fresh tree.
class World : public ActTest {
 public:
  World() {
    machine_.generate = [](const Step&) -> Result<std::string> { return "generated"; };
  }
  void TestBody() override {}

  // Runs `work` in a child that is killed at its n-th boundary.
  Child killed_at(int n, const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      int left = n;
      machine_.boundary = [&left] {
        if (left-- == 0) ::kill(::getpid(), SIGKILL);
      };
      ::_exit(work() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGKILL ? Child::killed : Child::failed;
    return WEXITSTATUS(status) == 0 ? Child::ended : Child::failed;
  }
  Child apply_until(int n, const Plan& plan) {
    return killed_at(n, [&] { return is_well(do_it(plan)); });
  }
  // Says why not: only the child knows.
  static bool is_well(const Result<RunReport>& report) {
    if (report && !report->error) return true;
    fmt::print(stderr, "{}\n", report ? report->error->sentence() : report.error().sentence());
    return false;
  }
  Child undo_until(int n) {
    return killed_at(n, [&] {
      const auto runs = list_runs(journal_);
      if (!runs || runs->empty()) return true;
      return is_well(undo_it(runs->back().id));
    });
  }
  // Undoes what there is to undo; why it did not work, and what differs.
  std::string undo_all(const std::map<std::string, std::string>& before) {
    machine_.boundary = {};
    const auto runs = list_runs(journal_);
    if (!runs) return runs.error().sentence();
    for (auto run = runs->rbegin(); run != runs->rend(); ++run) {
      const auto report = undo_it(run->id);
      if (!report) return report.error().sentence();
      if (report->error) return report->error->sentence();
      if (phase_of(run->id) != RunPhase::undone) return "the phase is wrong";
    }
    return difference(before, now());
  }

  // A step of each kind.
  Plan fill() {
    ::chmod(put("/etc/docker/daemon.json", "{\"old\":1}\n").c_str(), 0640);
    put("/srv/real", "through a link");
    fs::create_symlink("../srv/real", at("/etc/link"));
    fs::create_symlink("old", at("/etc/replaced"));
    put("/etc/removed", "bytes");
    fs::create_symlink("gone", at("/etc/removed-link"));
    put("/etc/mode", "m");
    put("/etc/cdi/old.yaml", "old spec");
    put("/proc/sys/vm/swappiness", "60\n");
    put("/run/fake-gpus/GPU-1", "Prohibited");
    put("/sys/fs/selinux/booleans/container_use_devices", "0 0");
    put("/run/fake-active/docker.service", "\n");
    put("/run/fake-active/stopped.service", "\n");
    put("/etc/systemd/system/disabled.service", "[Install]\nWantedBy=x.target\n");
    fs::create_directories(at("/etc/systemd/system/x.target.wants"));
    fs::create_symlink("../disabled.service",
                       at("/etc/systemd/system/x.target.wants/disabled.service"));
    Step link = write_step("/etc/replaced", "");
    link.link_to = "new";
    Step mode = step_of(StepKind::set_mode, "/etc/mode");
    mode.mode = 0600;
    std::vector<Step> steps = {
        write_step("/etc/docker/daemon.json", "{\"new\":2}\n", format::sha256_hex("{\"old\":1}\n")),
        write_step("/opt/new/deep/file", "new", "absent"),
        write_step("/opt/new/second", "new", "absent"),
        write_step("/etc/link", "changed"),
        link,
        step_of(StepKind::remove_file, "/etc/removed"),
        step_of(StepKind::remove_file, "/etc/removed-link"),
        mode,
        step_of(StepKind::run_generator, "/etc/cdi/old.yaml"),
        step_of(StepKind::run_generator, "/etc/cdi/new.yaml"),
        step_of(StepKind::set_sysctl, "vm.swappiness", "10"),
        step_of(StepKind::load_module, "tun"),
        step_of(StepKind::set_compute_mode, "GPU-1", "Default"),
        step_of(StepKind::set_boolean, "container_use_devices", "on"),
        write_step("/etc/systemd/system/a.service", "[Install]\nWantedBy=y.target\n", "absent"),
        step_of(StepKind::reload_units, ""),
        step_of(StepKind::enable_unit, "a.service"),
        step_of(StepKind::start_unit, "a.service"),
        step_of(StepKind::disable_unit, "disabled.service"),
        step_of(StepKind::stop_unit, "stopped.service"),
        step_of(StepKind::restart_unit, "docker.service"),
        step_of(StepKind::reload_unit, "docker.service"),
        write_step("/etc/docker/daemon.json", "{\"newest\":3}\n"),
    };
    if (::geteuid() == 0) steps.push_back(step_of(StepKind::make_node, "/dev/x", "c 1 3"));
    return plan_of(steps);
  }
};

// Without the times of files: two runs are not at the same moment.
std::map<std::string, std::string> timeless(std::map<std::string, std::string> all) {
  for (auto& [path, what] : all) {
    const auto dot = what.find('.');
    if (what.starts_with("10") && dot != what.npos) {
      const auto begin = what.rfind(' ', dot), end = what.find(' ', dot);
      what.erase(begin, end - begin);
    }
  }
  return all;
}

// In memory where there is such a place: these tests wait for thousands of fsyncs, and a process
// that is killed leaves the same behind on any file system.
class Crash : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const char* usual = std::getenv("TMPDIR");
    usual_ = usual == nullptr ? "" : usual;
    if (::access("/dev/shm", W_OK | X_OK) == 0) ::setenv("TMPDIR", "/dev/shm", 1);
  }
  static void TearDownTestSuite() {
    ::unsetenv("TMPDIR");
    if (!usual_.empty()) ::setenv("TMPDIR", usual_.c_str(), 1);
  }
  inline static std::string usual_;
};

TEST_F(Crash, AtEveryPointOfApplyTheUndoIsExact) {
  int n = 0;
  for (Child child = Child::killed; child == Child::killed; ++n) {
    World world;
    const Plan plan = world.fill();
    const auto before = world.now();
    child = world.apply_until(n, plan);
    ASSERT_NE(child, Child::failed) << n;
    ASSERT_EQ(world.undo_all(before), "") << "killed at point " << n;
    // And nothing is in the way of the next run.
    const auto again = world.do_it(plan);
    ASSERT_TRUE(again && !again->error) << n << (again ? "" : again.error().sentence());
  }
  fmt::print("{} points of a crash in apply\n", n - 1);
  EXPECT_GT(n, 100);
}

TEST_F(Crash, AtEveryPointOfUndoTheNextUndoIsExact) {
  int n = 0;
  for (Child child = Child::killed; child == Child::killed; ++n) {
    World world;
    const Plan plan = world.fill();
    const auto before = world.now();
    ASSERT_EQ(world.apply_until(kNever, plan), Child::ended);
    child = world.undo_until(n);
    ASSERT_NE(child, Child::failed) << n;
    ASSERT_EQ(world.undo_all(before), "") << "killed at point " << n;
  }
  fmt::print("{} points of a crash in undo\n", n - 1);
  EXPECT_GT(n, 60);
}

TEST_F(Crash, AtEveryPointOfApplyTheRunCanBeContinued) {
  World whole;
  const Plan plan = whole.fill();
  ASSERT_EQ(whole.apply_until(kNever, plan), Child::ended);
  const auto wanted = timeless(whole.now());
  int n = 0;
  for (Child child = Child::killed; child == Child::killed; ++n) {
    World world;
    world.fill();
    const auto before = world.now();
    child = world.apply_until(n, plan);
    const auto runs = *list_runs(world.journal_);
    if (child == Child::ended) break;
    // Before the first record there is nothing to continue: it can be begun afresh.
    if (runs.empty() || runs.back().phase == RunPhase::undone) {
      ASSERT_EQ(world.apply_until(kNever, plan), Child::ended) << n;
    } else if (runs.back().phase == RunPhase::interrupted) {
      const auto refused = world.do_it(plan);
      ASSERT_FALSE(refused) << n;
      ASSERT_EQ(refused.error().kind, ErrorKind::refused) << n;
      const auto report = continue_run(world.machine_, world.journal_, runs.back().id);
      ASSERT_TRUE(report) << n << ": " << report.error().sentence();
      ASSERT_FALSE(report->error) << n << ": " << report->error->sentence();
    }
    ASSERT_EQ(difference(wanted, timeless(world.now())), "") << n;
    ASSERT_EQ(world.undo_all(before), "") << "killed at point " << n;
  }
  EXPECT_GT(n, 100);
}

TEST_F(Crash, InApplyThenInUndoThenInItsNext) {
  std::mt19937 random(20260101);
  for (int i = 0; i < 60; ++i) {
    World world;
    const Plan plan = world.fill();
    const auto before = world.now();
    const int first = static_cast<int>(random() % 160), second = static_cast<int>(random() % 90),
              third = static_cast<int>(random() % 60);
    ASSERT_NE(world.apply_until(first, plan), Child::failed);
    ASSERT_NE(world.undo_until(second), Child::failed);
    ASSERT_NE(world.undo_until(third), Child::failed);
    ASSERT_EQ(world.undo_all(before), "") << first << " " << second << " " << third;
  }
}

// --- random plans over random trees
// ---------------------------------------------------------------

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }
  template <class T>
  T one_of(std::initializer_list<T> all) {
    return *(all.begin() + below(all.size()));
  }
  std::string path() {
    return one_of<std::string>({"/a", "/b", "/dir/a", "/dir/b", "/alias/a", "/alias/new/c",
                                "/new/x/y", "/new/x/z", "/link", "/dir", "/a/below", "/alias"});
  }
  std::string bytes() {
    return one_of<std::string>(
        {"", "1", "two\n", std::string("\0\xff", 2), std::string(70'000, 'x')});
  }

 private:
  std::mt19937_64 random_;
};

void grow_tree(Chance& chance, const std::string& top) {
  fs::create_directories(top + "/dir");
  if (chance.below(2)) fs::create_symlink("dir", top + "/alias");
  if (chance.below(2)) fs::create_symlink(chance.path(), top + "/link");
  for (const char* name : {"/a", "/b", "/dir/a", "/dir/b"}) {
    if (chance.below(2)) continue;
    std::ofstream(top + name) << chance.bytes();
    ::chmod((top + name).c_str(), chance.one_of<mode_t>({0644, 0600, 0755, 0444}));
  }
}

Step random_step(Chance& chance) {
  Step step;
  step.kind = chance.one_of({StepKind::write_file, StepKind::write_file, StepKind::write_file,
                             StepKind::remove_file, StepKind::set_mode, StepKind::run_generator});
  step.target = chance.path();
  step.content = chance.bytes();
  if (step.kind == StepKind::write_file && chance.below(4) == 0) step.link_to = chance.path();
  if (step.kind == StepKind::set_mode || chance.below(2)) {
    step.mode = chance.one_of<mode_t>({0600, 0644, 0755});
  }
  return step;
}

// Why it went wrong; empty: all is well. `done` counts the plans that were carried out to the end.
std::string try_random(std::uint64_t seed, int& refused, int& killed, int& done) {
  Chance chance(seed);
  World world;
  grow_tree(chance, world.tree_.path());
  std::vector<Step> steps;
  for (std::size_t i = 1 + chance.below(6); i > 0; --i) steps.push_back(random_step(chance));
  const Plan plan = plan_of(steps);
  const auto before = world.now();
  const int point = static_cast<int>(chance.below(70));
  const Child child = world.apply_until(point, plan);
  (child == Child::failed ? refused : child == Child::killed ? killed : done) += 1;
  if (chance.below(2)) world.undo_until(static_cast<int>(chance.below(30)));
  return world.undo_all(before);
}

// Seed 1075: what was never there stands in the way of nothing, though its folder is a file by now.
TEST_F(Crash, APathBelowAFileIsAbsent) {
  World world;
  const auto before = world.now();
  const Plan plan =
      plan_of({step_of(StepKind::remove_file, "/alias/a"), write_step("/alias", "x")});
  ASSERT_EQ(world.apply_until(kNever, plan), Child::ended);
  EXPECT_EQ(world.undo_all(before), "");
}

// Seed 21564: nor does it where a link on the way leads back to itself by now.
TEST_F(Crash, APathBelowALinkToItselfIsAbsent) {
  World world;
  const auto before = world.now();
  Step loop = step_of(StepKind::write_file, "/alias");
  loop.link_to = "/alias/new/c";
  const Plan plan = plan_of({step_of(StepKind::remove_file, "/alias/new/c"), loop});
  ASSERT_EQ(world.apply_until(kNever, plan), Child::ended);
  EXPECT_EQ(world.undo_all(before), "");
}

// Seed 1277: the folder that a later step made in its place is nobody's change.
TEST_F(Crash, AFolderInThePlaceOfARemovedLink) {
  for (int n : {0, 5, 10, 15, 20, 25, 30, kNever}) {
    World world;
    fs::create_directories(world.at("/dir"));
    fs::create_symlink("dir", world.at("/alias"));
    const auto before = world.now();
    const Plan plan =
        plan_of({step_of(StepKind::remove_file, "/alias"), write_step("/alias/a", "x")});
    ASSERT_NE(world.apply_until(n, plan), Child::failed);
    EXPECT_EQ(world.undo_all(before), "") << n;
  }
}

TEST_F(Crash, RandomPlansOverRandomTreesAreUndoneExactly) {
  const char* replay = std::getenv("ESTIVA_SEED");
  const std::uint64_t first = replay ? std::strtoull(replay, nullptr, 10) : 1;
  const std::uint64_t count = replay ? 1 : std::getenv("ESTIVA_LONG") ? 50'000 : 600;
  int refused = 0, killed = 0, done = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    ASSERT_EQ(try_random(seed, refused, killed, done), "") << "ESTIVA_SEED=" << seed;
  }
  fmt::print("{} plans from seed {}: {} refused or stopped, {} killed, {} carried out\n", count,
             first, refused, killed, done);
  if (!replay) {
    EXPECT_GT(refused, 0);
    EXPECT_GT(killed, 0);
    EXPECT_GT(done, 0);
  }
}

}  // namespace
}  // namespace estiva::act::test
