// The checkpoint of an engine's processes: real processes, the real helper program, and a stand-in
// for the driver's library (tests/stub_cuda/stub_checkpoint.c) that fails where a test says so.
#include "engines/checkpoint.h"

#include <boost/asio/awaitable.hpp>
#include <csignal>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <sys/wait.h>
#include <unistd.h>

#include "host/process.h"
#include "host/spawn.h"

namespace estiva::engines {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class CheckpointTest : public testing::Test {
 protected:
  CheckpointTest() {
    std::string name = "/tmp/estiva-checkpoint-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    ::setenv("STUB_CHECKPOINT", folder_.c_str(), 1);
    settings_.program = std::string(ESTIVA_BUILD_DIR) + "/estiva-checkpoint";
    settings_.library = std::string(ESTIVA_BUILD_DIR) + "/stub/libcuda_checkpoint.so";
    settings_.lock_limit = 100ms;
    settings_.limit = 20s;
    write("free", "0");
  }
  ~CheckpointTest() override {
    for (const Holder& holder : unit_) end(holder);
    std::filesystem::remove_all(folder_);
  }

  static void end(const Holder& holder) {
    ::kill(holder.pid, SIGKILL);
    ::waitpid(holder.pid, nullptr, 0);
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text << '\n';
  }
  std::string read(const std::string& name) const {
    std::string line;
    std::ifstream file(folder_ + "/" + name);
    std::getline(file, line);
    return line;
  }
  // A process of the engine, with so many bytes on the GPU; none: it does not use CUDA.
  Holder add(std::optional<int> bytes = 100) {
    host::Spawn what;
    what.words = {"sleep", "1000"};
    pid_t pid = 0;
    EXPECT_EQ(host::spawn(what, pid), 0);
    const Holder holder = *host::identify(root_, pid, "boot");
    if (bytes) {
      write(std::to_string(pid), "0");
      write(fmt::format("size.{}", pid), std::to_string(*bytes));
    }
    unit_.push_back(holder);
    return holder;
  }
  void fault(const char* verb, const Holder& holder, const std::string& what) {
    write(fmt::format("fault.{}.{}", verb, holder.pid), what);
  }
  void no_faults() {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().filename().string().starts_with("fault."))
        std::filesystem::remove(entry.path());
    }
  }

  static net::Awaitable<void> keep(net::Awaitable<Result<void>> work,
                                   std::optional<Result<void>>& result) {
    result = co_await std::move(work);
  }
  Result<void> wait_for(net::Awaitable<Result<void>> work) {
    std::optional<Result<void>> result;
    loop_.spawn(keep(std::move(work), result));
    while (!result) loop_.run_for(10ms);
    return *result;
  }
  Result<void> freeze() {
    Checkpoint checkpoint(loop_, settings_);
    return wait_for(checkpoint.freeze(unit_));
  }
  Result<void> thaw() {
    Checkpoint checkpoint(loop_, settings_);
    return wait_for(checkpoint.thaw(unit_));
  }
  // Of each process of the unit: 0 running, 1 locked, 2 checkpointed, 3 failed.
  std::vector<std::string> states() const {
    std::vector<std::string> states;
    for (const Holder& holder : unit_) states.push_back(read(std::to_string(holder.pid)));
    return states;
  }
  std::vector<std::string> calls() const {
    std::vector<std::string> lines;
    std::ifstream file(folder_ + "/calls");
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::string call(const char* verb, std::size_t process) const {
    return fmt::format("{} {}", verb, unit_[process].pid);
  }

  net::Loop loop_;
  host::Root root_ = *host::Root::open("/");
  std::string folder_;
  CheckpointSettings settings_;
  std::vector<Holder> unit_;
};

TEST_F(CheckpointTest, AllProcessesGoAndComeBackInOrder) {
  add(100), add(std::nullopt), add(200);
  ASSERT_TRUE(freeze());
  EXPECT_THAT(states(), ElementsAre("2", "", "2")) << "one without CUDA is left out";
  EXPECT_EQ(read("free"), "300");
  ASSERT_TRUE(thaw());
  EXPECT_THAT(states(), ElementsAre("0", "", "0"));
  EXPECT_EQ(read("free"), "0");
  EXPECT_THAT(calls(), ElementsAre(call("lock", 0), call("lock", 2), call("checkpoint", 0),
                                   call("checkpoint", 2), call("restore", 2), call("restore", 0),
                                   call("unlock", 2), call("unlock", 0)));
}

TEST_F(CheckpointTest, ALockThatTakesTooLongIsTakenBack) {
  add(), fault("lock", add(), "600");
  const auto frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::refused);
  EXPECT_THAT(frozen.error().what, HasSubstr("not ready in time"));
  EXPECT_THAT(states(), ElementsAre("0", "0"));
  no_faults();
  EXPECT_TRUE(freeze()) << "and later it can be done";
}

TEST_F(CheckpointTest, AFailureThatLeavesAProcessLockedIsRolledBack) {
  add(), add(), fault("checkpoint", add(), "999");
  const auto frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::refused);
  EXPECT_THAT(states(), ElementsAre("0", "0", "0"));
  EXPECT_EQ(read("free"), "0");
}

TEST_F(CheckpointTest, FailedInTheMiddleMeansKill) {
  add(), fault("checkpoint", add(), "999 3"), add();
  const auto frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::failed);
  EXPECT_THAT(frozen.error().remedy, HasSubstr("stopped and started anew"));
  // Also for one who asks again.
  const auto again = freeze();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind, ErrorKind::refused) << "the first of it is checkpointed";
}

TEST_F(CheckpointTest, ARollBackThatFailsMeansKill) {
  fault("restore", add(), "999"), fault("checkpoint", add(), "999");
  const auto frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::failed);
}

TEST_F(CheckpointTest, OneThatDiesMeanwhileMeansKill) {
  add();
  fault("checkpoint", add(), "die");
  const auto frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::failed);
  EXPECT_THAT(frozen.error().what, HasSubstr(std::to_string(unit_[1].pid)));
}

TEST_F(CheckpointTest, OneThatHasEndedIsNoPartOfAThaw) {
  add(), add();
  ASSERT_TRUE(freeze());
  fault("restore", unit_[0], "die");
  const auto thawed = thaw();
  ASSERT_FALSE(thawed);
  EXPECT_EQ(thawed.error().kind, ErrorKind::failed);
}

TEST_F(CheckpointTest, WhereMemoryWasTakenItStaysFrozen) {
  add(100), add(200);
  ASSERT_TRUE(freeze());
  write("free", "250");
  const auto thawed = thaw();
  ASSERT_FALSE(thawed);
  EXPECT_EQ(thawed.error().kind, ErrorKind::no_room);
  EXPECT_THAT(states(), ElementsAre("2", "2")) << "the one that was back is gone again";
  EXPECT_EQ(read("free"), "250");
  write("free", "300");
  EXPECT_TRUE(thaw());
  EXPECT_THAT(states(), ElementsAre("0", "0"));
}

TEST_F(CheckpointTest, ACallThatHangsIsEnded) {
  settings_.limit = 300ms;
  fault("checkpoint", add(), "hang");
  const SteadyTime begun = steady_now();
  const auto frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::timed_out);
  EXPECT_THAT(frozen.error().remedy, HasSubstr("stopped and started anew"));
  EXPECT_LT(steady_now() - begun, 15s);
}

TEST_F(CheckpointTest, AStrangerWithTheSameNumberIsNotTouched) {
  add();
  unit_[0].start_ticks += 1;
  const auto frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_THAT(states(), ElementsAre("0"));
  EXPECT_THAT(calls(), ElementsAre()) << "the driver was not asked to do anything";
}

TEST_F(CheckpointTest, WithoutCudaOrWithoutADriverNothingHappens) {
  add(std::nullopt);
  auto frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::refused);
  EXPECT_THAT(frozen.error().what, HasSubstr("uses CUDA"));
  for (const char* library : {"/stub/libcuda_empty.so", "/stub/libcuda_absent.so"}) {
    settings_.library = ESTIVA_BUILD_DIR + std::string(library);
    frozen = freeze();
    ASSERT_FALSE(frozen);
    EXPECT_EQ(frozen.error().kind, ErrorKind::refused) << library;
    EXPECT_THAT(frozen.error().what, HasSubstr("570"));
  }
  settings_.program = "/no/such/program";
  frozen = freeze();
  ASSERT_FALSE(frozen);
  EXPECT_EQ(frozen.error().kind, ErrorKind::refused);
}

CheckpointFacts good() {
  return {true, "570.86.15", "x86_64", false, false, false, std::string()};
}

TEST(CheckpointGate, EachConditionClosesIt) {
  EXPECT_EQ(may_checkpoint(good()).gate, CheckpointGate::open);
  const auto closed = [](auto change) {
    CheckpointFacts facts = good();
    change(facts);
    const CheckpointVerdict verdict = may_checkpoint(facts);
    EXPECT_EQ(verdict.gate, CheckpointGate::closed);
    return verdict.why;
  };
  EXPECT_THAT(closed([](auto& facts) { facts.is_wanted = false; }), HasSubstr("may_checkpoint"));
  EXPECT_THAT(closed([](auto& facts) { facts.driver = "565.57.01"; }), HasSubstr("565.57.01"));
  EXPECT_THAT(closed([](auto& facts) { facts.driver = ""; }), HasSubstr("570"));
  EXPECT_THAT(closed([](auto& facts) { facts.machine = "aarch64"; }), HasSubstr("aarch64"));
  EXPECT_THAT(closed([](auto& facts) { facts.is_on_mig = true; }), HasSubstr("MIG"));
  EXPECT_THAT(closed([](auto& facts) { facts.uses_managed_memory = true; }), HasSubstr("managed"));
  EXPECT_THAT(closed([](auto& facts) { facts.shares_memory = true; }), HasSubstr("610"));
  EXPECT_THAT(closed([](auto& facts) { facts.trial = "it hung"; }), HasSubstr("it hung"));
}

TEST(CheckpointGate, SharedMemoryNeedsDriver610AndAFirstTrialIsATrial) {
  CheckpointFacts facts = good();
  facts.shares_memory = true;
  facts.driver = "610.01";
  EXPECT_EQ(may_checkpoint(facts).gate, CheckpointGate::open);
  facts.trial.reset();
  EXPECT_EQ(may_checkpoint(facts).gate, CheckpointGate::trial);
}

}  // namespace
}  // namespace estiva::engines
