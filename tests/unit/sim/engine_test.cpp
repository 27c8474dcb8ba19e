// The machine's behaviour: memory, lag, out-of-memory, heat, health, the time line.
#include "sim/core/engine.h"

#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <memory>
#include <random>

namespace estiva::sim {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMiB = 1u << 20;

class Machine {
 public:
  explicit Machine(std::string_view text)
      : state_(static_cast<State*>(std::calloc(1, sizeof(State))), std::free) {
    ParsedScenario parsed = parse_scenario(text);
    EXPECT_FALSE(parsed.problem) << parsed.problem->sentence("text");
    scenario_ = std::move(parsed.scenario);
    build(*state_, scenario_);
  }
  Outcome does(std::string_view text) {
    const ParsedCommand parsed = parse_command(text, state_->gpu_count);
    EXPECT_FALSE(parsed.problem) << parsed.problem->sentence("command");
    return apply(*state_, parsed.command);
  }
  void at(std::int64_t ns) { advance(*state_, scenario_, ns); }
  State* operator->() { return state_.get(); }
  Gpu& gpu(unsigned i) { return state_->gpus[i]; }

 private:
  std::unique_ptr<State, void (*)(void*)> state_;
  Scenario scenario_;
};

TEST(Engine, AllocationsBeyondTheCardAreRefusedAndCounted) {
  Machine m("gpu rtx3060-12g\n");
  const std::uint64_t room = free_bytes(m.gpu(0));
  EXPECT_TRUE(m.does("alloc 7 0 " + std::to_string(room)).ok);
  const Outcome refused = m.does("alloc 8 0 1B");
  EXPECT_TRUE(refused.out_of_memory);
  EXPECT_EQ(m->ooms, 1u);
  EXPECT_EQ(m.gpu(0).ooms, 1u);
  EXPECT_TRUE(m.does("exit 7").ok);
  EXPECT_EQ(free_bytes(m.gpu(0)), room);
  EXPECT_TRUE(m.does("alloc 8 0 1B").ok);
}

TEST(Engine, ALagHidesAllocationsButNotTheirRoom) {
  Machine m("gpu rtx3060-12g\nlag 5s\n");
  EXPECT_TRUE(m.does("alloc 7 0 1GiB").ok);
  EXPECT_EQ(m.gpu(0).used_bytes, 1024 * kMiB);
  m.at(4 * kSecond + 999'000'000);
  EXPECT_EQ(m.gpu(0).visible_bytes, 0u);
  EXPECT_FALSE(find_process(*m.operator->(), 7, 0)->visible);
  m.at(5 * kSecond);
  EXPECT_EQ(m.gpu(0).visible_bytes, 1024 * kMiB);
  EXPECT_TRUE(find_process(*m.operator->(), 7, 0)->visible);
}

TEST(Engine, AProcessThatEndsBeforeItShowsNeverShows) {
  Machine m("gpu rtx3060-12g\nlag 5s\n");
  EXPECT_TRUE(m.does("alloc 7 0 1GiB").ok);
  EXPECT_TRUE(m.does("exit 7").ok);
  m.at(10 * kSecond);
  EXPECT_EQ(m.gpu(0).visible_bytes, 0u);
  EXPECT_EQ(m.gpu(0).used_bytes, 0u);
}

TEST(Engine, FreeingMoreThanHeldIsRefused) {
  Machine m("gpu rtx3060-12g\nprocess 7 gpu 0 vram 10MiB\n");
  EXPECT_FALSE(m.does("free 7 0 11MiB").ok);
  EXPECT_TRUE(m.does("free 7 0 4MiB").ok);
  EXPECT_EQ(m.gpu(0).used_bytes, 6 * kMiB);
  EXPECT_FALSE(m.does("free 9 0").ok);
}

TEST(Engine, MemoryIsConservedUnderRandomCommands) {
  Machine m("gpu gtx1050ti-4g times 3\nlag 300ms\n");
  std::mt19937 random(20251121);
  std::int64_t now = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string pid = std::to_string(1 + random() % 40), gpu = std::to_string(random() % 3);
    switch (random() % 5) {
      case 0:
        m.does("exit " + pid);
        break;
      case 1:
        m.does("free " + pid + " " + gpu);
        break;
      case 2:
        m.at(now += random() % 200'000'000);
        break;
      default:
        m.does("alloc " + pid + " " + gpu + " " + std::to_string(random() % 900) + "MiB");
    }
    for (unsigned g = 0; g < 3; ++g) {
      std::uint64_t sum = 0;
      for (const Process& p : m->processes) sum += p.pid != 0 && p.gpu == g ? p.used_bytes : 0;
      ASSERT_EQ(sum, m.gpu(g).used_bytes);
      ASSERT_LE(sum + m.gpu(g).card.reserved_bytes, m.gpu(g).card.total_bytes);
    }
  }
  m.at(now + kSecond);  // everything has shown by now
  for (unsigned g = 0; g < 3; ++g) EXPECT_EQ(m.gpu(g).visible_bytes, m.gpu(g).used_bytes);
  EXPECT_GT(m->ooms, 0u);
}

TEST(Engine, TheSameTimeIsTheSameStateHoweverItWasReached) {
  const char* text =
      "gpu rtx4090-24g\nload 0 60 sway 20 every 7s\nat 3s load 0 95\nat 8s load 0 0\n";
  Machine once(text), often(text);
  once.at(12 * kSecond);
  for (std::int64_t t = 0; t <= 12 * kSecond; t += 7'000'000) often.at(t);
  often.at(12 * kSecond);
  EXPECT_EQ(once.gpu(0).temperature, often.gpu(0).temperature);
  EXPECT_EQ(once.gpu(0).energy_mj, often.gpu(0).energy_mj);
  EXPECT_EQ(once.gpu(0).utilization, often.gpu(0).utilization);
}

TEST(Engine, LoadHeatsTheCardAndRestCoolsIt) {
  Machine m("gpu rtx3060-12g\nload 0 100\nat 120s load 0 0\n");
  const double cold = m.gpu(0).temperature;
  m.at(119 * kSecond);
  EXPECT_GT(m.gpu(0).temperature, cold + 20);
  EXPECT_LE(m.gpu(0).temperature, m.gpu(0).card.full_load_c + 1);
  EXPECT_GT(m.gpu(0).power_mw, 160000);
  EXPECT_TRUE(m.gpu(0).reasons & 0x4);  // power cap
  m.at(240 * kSecond);
  EXPECT_LT(m.gpu(0).temperature, cold + 3);
  EXPECT_EQ(m.gpu(0).reasons, 0x1u);  // idle
  EXPECT_EQ(m.gpu(0).performance_state, 8u);
}

TEST(Engine, ACardAtItsSlowdownTemperatureSlowsDown) {
  Machine m("gpu rtx3060-12g\nload 0 90\n");
  m.at(kSecond);
  const unsigned fast = m.gpu(0).sm_mhz;
  m.does("temperature 0 96");
  m.at(2 * kSecond);
  EXPECT_TRUE(m.gpu(0).reasons & 0x40);
  EXPECT_LT(m.gpu(0).sm_mhz, fast * 6 / 10);
  EXPECT_GT(m.gpu(0).throttle_thermal_ns, 0u);
}

TEST(Engine, UnpluggedCardsLeaveTheListAndComeBackInPlace) {
  Machine m("gpu gtx1050ti-4g times 3\nprocess 7 gpu 1 vram 1GiB\n");
  EXPECT_TRUE(m.does("unplug 1").ok);
  EXPECT_EQ(m->order_count, 2u);
  EXPECT_EQ(m->order[1], 2u);
  EXPECT_EQ(find_process(*m.operator->(), 7, 1), nullptr);
  EXPECT_FALSE(m.does("unplug 1").ok);
  EXPECT_FALSE(m.does("alloc 7 1 1MiB").ok);
  EXPECT_TRUE(m.does("plug 1").ok);
  EXPECT_EQ(m->order[1], 1u);
  EXPECT_TRUE(m.does("renumber 2 0 1").ok);
  EXPECT_EQ(m->order[0], 2u);
  EXPECT_FALSE(m.does("renumber 2 0").ok);
}

TEST(Engine, RecoveringACardEndsItsProcesses) {
  Machine m("gpu rtx3060-12g\nprocess 7 gpu 0 vram 1GiB\n");
  m.does("lose 0");
  EXPECT_FALSE(m.does("alloc 7 0 1MiB").ok);
  m.does("recover 0");
  EXPECT_EQ(m.gpu(0).used_bytes, 0u);
  EXPECT_TRUE(m.does("alloc 7 0 1MiB").ok);
}

TEST(Engine, MigInstancesHaveTheirOwnRoom) {
  Machine m("gpu a100-80g\nmig 0 1g.10gb 3g.40gb\n");
  EXPECT_TRUE(m.does("alloc 7 0 9GiB instance 0").ok);
  EXPECT_TRUE(m.does("alloc 8 0 2GiB instance 0").out_of_memory);
  EXPECT_TRUE(m.does("alloc 8 0 2GiB instance 1").ok);
  EXPECT_FALSE(m.does("mig 0 7g.80gb 1g.10gb").ok);
  EXPECT_FALSE(m.does("mig 0 9g.90gb").ok);
  Machine other("gpu rtx3060-12g\n");
  EXPECT_FALSE(other.does("mig 0 1g.10gb").ok);
}

TEST(Engine, ASleepingCardThatWasWokenSleepsAgain) {
  Machine m("gpu gtx1050ti-4g may-sleep\nsleep 0\n");
  m.at(kSecond);
  EXPECT_TRUE(m.gpu(0).asleep);
  m.gpu(0).wake_request.store(1);
  m.at(2 * kSecond);
  EXPECT_FALSE(m.gpu(0).asleep);
  m.at(6 * kSecond);
  EXPECT_FALSE(m.gpu(0).asleep);
  m.at(7 * kSecond);
  EXPECT_TRUE(m.gpu(0).asleep);
}

TEST(Engine, ARepeatedTimeLineBeginsAgain) {
  Machine m("gpu rtx3060-12g\nload 0 10\nat 5s load 0 80\nat 6s xid 0 43\nrepeat 10s\n");
  m.at(9 * kSecond);
  EXPECT_NEAR(m.gpu(0).utilization, 80, 1e-9);
  m.at(11 * kSecond);
  EXPECT_NEAR(m.gpu(0).utilization, 10, 1e-9);
  m.at(97 * kSecond);
  EXPECT_EQ(m->xid_sequence, 10u);
  EXPECT_EQ(m->xids[3].code, 43u);
  EXPECT_EQ(m->xids[3].at_ns, 36 * kSecond);
}

TEST(Engine, SixtyFourCardsHaveDifferentNamesEverywhere) {
  Machine m("gpu h100-80g times 64\n");
  ASSERT_EQ(m->order_count, 64u);
  for (unsigned i = 1; i < 64; ++i) {
    EXPECT_STRNE(m.gpu(i).uuid, m.gpu(i - 1).uuid);
    EXPECT_STRNE(m.gpu(i).bus_id, m.gpu(i - 1).bus_id);
  }
}

TEST(Engine, FaultsAreBoundedAndCanBeCleared) {
  Machine m("gpu gb10\n");
  for (unsigned i = 0; i < kMaxFaults; ++i) EXPECT_TRUE(m.does("fault PowerUsage error 3").ok);
  EXPECT_FALSE(m.does("fault all hang").ok);
  EXPECT_TRUE(m.does("clear-faults PowerUsage").ok);
  EXPECT_TRUE(m.does("fault all hang").ok);
}

}  // namespace
}  // namespace estiva::sim
