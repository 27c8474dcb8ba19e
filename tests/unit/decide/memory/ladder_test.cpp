// The ladder: gentle levers first, each with its numbers, and nobody ended whom nobody declared.
#include "decide/memory/ladder.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "decide/memory/halt.h"

namespace estiva::decide::memory {
namespace {

using Kinds = std::vector<LeverKind>;
constexpr std::int64_t kSecond = 1'000'000'000;

GroupLook group(std::string name, double growth = 0) {
  GroupLook look;
  look.name = std::move(name);
  look.memory = gib(2);
  look.growth = growth;
  look.is_managed = true;
  return look;
}

// 100 MiB are left, 300 MiB must be there, and it fills at 200 MiB a second: 600 MiB are missing.
LadderLook pressed(Blocked blocked = Blocked::none) {
  LadderLook look;
  look.at_ns = 1000 * kSecond;
  look.law.headroom = 100 * kMiB;
  look.law.required = 300 * kMiB;
  look.law.rate = 200.0 * kMiB;
  look.law.left_ns = kSecond / 2;
  look.law.blocked = blocked;
  return look;
}

Ladder climb(const LadderLook& look, LadderState state = {}) {
  return decide_ladder(state, {}, look);
}

Kinds kinds(const Ladder& ladder) {
  Kinds kinds;
  for (const Lever& lever : ladder.pull) kinds.push_back(lever.kind);
  return kinds;
}

TEST(Ladder, NothingWhereEnoughIsThere) {
  LadderLook look = pressed();
  look.law.headroom = 700 * kMiB;
  look.idle_models = {{"llama", gib(4), std::chrono::seconds(60)}};
  look.groups = {group("a", 1e9)};
  EXPECT_TRUE(climb(look).pull.empty());
  look.law.headroom = 699 * kMiB;
  EXPECT_EQ(kinds(climb(look)), Kinds{LeverKind::unload_model});
}

TEST(Ladder, OneIdleModelFirstTheOneIdleLongest) {
  LadderLook look = pressed();
  look.idle_models = {{"tts", mib(400), std::chrono::seconds(60)},
                      {"llama", mib(700), std::chrono::seconds(90)},
                      {"on-gpu", Bytes{}, std::chrono::hours(5)}};
  const Ladder ladder = climb(look);
  ASSERT_EQ(kinds(ladder), Kinds{LeverKind::unload_model});
  const Lever& lever = ladder.pull[0];
  EXPECT_EQ(lever.target, "llama");
  EXPECT_EQ(
      lever.reason,
      "100 MiB of memory and swap are left, 700 MiB are needed; it fills at 200 MiB a second");
  EXPECT_EQ(lever.effect, "model 'llama' is unloaded: idle for 1m30s, it holds 700 MiB");
  EXPECT_FALSE(lever.undo.empty());
}

TEST(Ladder, TheNextModelOnlyAfterTenSeconds) {
  LadderLook look = pressed();
  look.idle_models = {{"llama", mib(700), std::chrono::seconds(90)}};
  LadderState state;
  decide_ladder(state, {}, look);
  look.at_ns += 10 * kSecond - 1;
  EXPECT_EQ(kinds(decide_ladder(state, {}, look)), Kinds{LeverKind::grow_swap});
  look.at_ns += 1;
  EXPECT_EQ(kinds(decide_ladder(state, {}, look)), Kinds{LeverKind::unload_model});
}

TEST(Ladder, EachRungGetsWhatTheOneBeforeLeft) {
  LadderLook look = pressed();
  look.idle_models = {{"tts", mib(400), std::chrono::seconds(60)}};
  GroupLook idle = group("idle"), small = group("small"), waits = group("waits"),
            safe = group("sshd");
  for (GroupLook* one : {&idle, &small, &waits, &safe})
    one->is_idle = true, one->reclaimable = gib(1);
  small.reclaimable = mib(10);
  waits.stalled = 0.02;
  safe.is_protected = true;
  GroupLook bare = idle;
  bare.reclaimable = Bytes{};
  look.groups = {bare, safe, waits, idle, small, group("busy", 1e8)};
  const Ladder ladder = climb(look);
  ASSERT_EQ(kinds(ladder), (Kinds{LeverKind::unload_model, LeverKind::reclaim, LeverKind::reclaim,
                                  LeverKind::grow_swap}));
  EXPECT_EQ(ladder.pull[1].target, "idle");
  EXPECT_EQ(ladder.pull[1].amount, 64 * kMiB);
  EXPECT_EQ(ladder.pull[1].bound, 64 * kMiB);
  EXPECT_EQ(ladder.pull[2].amount, 10 * kMiB);
  EXPECT_EQ(ladder.pull[3].amount, (600 - 400 - 64 - 10) * kMiB);
}

TEST(Ladder, WhereSwapCantGrowTheFastestIsBrakedAndAdmissionPaused) {
  LadderLook look = pressed(Blocked::disk_floor);
  GroupLook safe = group("docker", 9e9);
  safe.is_protected = true;
  look.groups = {group("slow", 1e6), group("fast", 200.0 * kMiB), safe};
  const Ladder ladder = climb(look);
  ASSERT_EQ(kinds(ladder), (Kinds{LeverKind::brake, LeverKind::pause_admission}));
  EXPECT_EQ(ladder.pull[0].target, "fast");
  EXPECT_EQ(ladder.pull[0].amount, 2 * kGiB);
  EXPECT_EQ(ladder.pull[0].ttl, std::chrono::seconds(60));
  EXPECT_EQ(ladder.pull[0].effect,
            "fast grows by 200 MiB a second and is slowed at 2.00 GiB (memory.high)");
  EXPECT_EQ(ladder.pull[0].undo, "memory.high as it was, after 1m at most");
  look.groups[1].is_freezable = true;
  EXPECT_EQ(climb(look).pull[0].kind, LeverKind::freeze);
  look.law.left_ns = 2 * kSecond;
  EXPECT_TRUE(climb(look).pull.empty()) << "not pressing yet";
}

TEST(Ladder, LockedMemoryIsShortThoughSwapIsNot) {
  LadderLook look = pressed(Blocked::nothing_swappable);
  look.law.headroom = 10 * kGiB;
  look.idle_models = {{"llama", mib(100), std::chrono::seconds(90)}};
  look.groups = {group("pinned", 1e8)};
  EXPECT_EQ(kinds(climb(look)),
            (Kinds{LeverKind::unload_model, LeverKind::brake, LeverKind::pause_admission}));
}

// Braked for `seconds`, admission paused, 100 MiB of 300 left.
LadderLook at_the_end(std::int64_t seconds) {
  LadderLook look = pressed(Blocked::cap);
  look.groups = {group("keep"), group("batch", 1e8)};
  look.groups[0].kill_order = 20;
  look.groups[1].kill_order = 10;
  look.in_force = {{LeverKind::brake, "batch", look.at_ns - seconds * kSecond, 0},
                   {LeverKind::pause_admission, "", look.at_ns - seconds * kSecond, 0}};
  return look;
}

TEST(Ladder, OneIsEndedOnlyAtTheVeryEnd) {
  EXPECT_TRUE(climb(at_the_end(9)).pull.empty()) << "the brake has not had its time";
  const Ladder ladder = climb(at_the_end(10));
  ASSERT_EQ(kinds(ladder), Kinds{LeverKind::kill});
  EXPECT_EQ(ladder.pull[0].target, "batch");
  EXPECT_EQ(ladder.pull[0].effect,
            "batch is ended, 2.00 GiB and 1 process; by the declared order it is the first");
  LadderLook look = at_the_end(10);
  look.law.headroom = 150 * kMiB;
  EXPECT_TRUE(climb(look).pull.empty()) << "half of the reserve is still there";
  look = at_the_end(10);
  look.in_force.pop_back();
  EXPECT_EQ(kinds(climb(look)), Kinds{LeverKind::pause_admission}) << "admission comes first";
  look = at_the_end(10);
  look.in_force.push_back({LeverKind::kill, "other", look.at_ns, 0});
  EXPECT_TRUE(climb(look).pull.empty()) << "one at a time";
  look = at_the_end(10);
  for (GroupLook& one : look.groups) one.kill_order.reset();
  EXPECT_TRUE(climb(look).pull.empty()) << "nobody is declared";
}

TEST(Ladder, WhereNobodyGrowsWhoCouldBeBrakedTheEndComesWithoutABrake) {
  LadderLook look = at_the_end(1);
  look.in_force.erase(look.in_force.begin());
  look.groups[1].growth = 0;
  EXPECT_EQ(kinds(climb(look)), Kinds{LeverKind::kill});
}

TEST(Ladder, WhoGrowsIsBrakedBeforeAnyoneIsEnded) {
  LadderLook look = at_the_end(10);
  look.in_force.erase(look.in_force.begin());
  EXPECT_EQ(kinds(climb(look)), Kinds{LeverKind::brake});
}

TEST(Victims, ByDeclaredOrderThenBySizeThenByName) {
  std::vector<GroupLook> groups = {group("b"), group("a"), group("large"), group("first")};
  for (GroupLook& one : groups) one.kill_order = 5;
  groups[2].memory = gib(3);
  groups[3].kill_order = -1;
  const VictimOrder victims = order_victims(groups, {});
  EXPECT_EQ(victims.order, (std::vector<std::string>{"first", "large", "a", "b"}));
  EXPECT_TRUE(victims.spared.empty());
}

TEST(Victims, WhoIsSparedAndWhy) {
  std::vector<GroupLook> groups = {group("sshd"), group("foreign"), group("undeclared"),
                                   group("session"), group("batch")};
  for (GroupLook& one : groups) one.kill_order = 1;
  groups[0].is_protected = true;
  groups[1].is_managed = false;
  groups[2].kill_order.reset();
  groups[3].processes = 65;
  groups[4].processes = 64;
  const VictimOrder victims = order_victims(groups, {});
  EXPECT_EQ(victims.order, std::vector<std::string>{"batch"});
  std::string table;
  for (const Spared& one : victims.spared) table += one.name + ": " + one.why + "\n";
  EXPECT_EQ(table,
            "sshd: it is protected\nforeign: estiva did not make it\n"
            "undeclared: no order is declared for it\n"
            "session: it has 65 processes, and at most 64 may be ended at once\n");
}

TEST(Weights, WaitingAndNotBeingBusyMovesAWeight) {
  LadderLook look;
  look.cpu_used = Ratio{1.0};
  look.groups = {group("models"), group("batch"), group("sshd"), group("foreign")};
  look.groups[0].cpu = 0.3, look.groups[1].cpu = 0.5, look.groups[2].cpu = 0.9;
  look.groups[3].cpu = 0.9;
  look.groups[2].is_protected = true;
  look.groups[3].is_managed = false;
  look.cpu_stalled = 0.39;
  EXPECT_TRUE(climb(look).pull.empty());
  look.cpu_stalled = 0.40;
  const Ladder ladder = climb(look);
  ASSERT_EQ(kinds(ladder), Kinds{LeverKind::weigh_cpu});
  EXPECT_EQ(ladder.pull[0].target, "batch");
  EXPECT_EQ(ladder.pull[0].amount, 50U);
  EXPECT_EQ(ladder.pull[0].reason,
            "tasks waited for a CPU 40 % of the last minute; batch takes the most of it");
  EXPECT_EQ(ladder.pull[0].effect, "cpu.weight of batch becomes 50, it was 100");
  EXPECT_EQ(ladder.pull[0].undo, "100 again, after 10m at most or at a reboot");
  look.groups[1].cpu_weight = 15;
  EXPECT_EQ(climb(look).pull[0].amount, 10U);
  look.groups[1].cpu_weight = 10;
  EXPECT_EQ(climb(look).pull[0].target, "models") << "ten is the least";
  look.in_force = {{LeverKind::weigh_cpu, "batch", look.at_ns, 100}};
  EXPECT_TRUE(climb(look).pull.empty());
}

TEST(Weights, DisksAreWeighedByTheirOwnPressure) {
  LadderLook look;
  look.groups = {group("a"), group("b")};
  look.groups[0].cpu = 0.9, look.groups[1].io = 0.5;
  look.io_stalled = 0.5;
  const Ladder ladder = climb(look);
  ASSERT_EQ(kinds(ladder), Kinds{LeverKind::weigh_io});
  EXPECT_EQ(ladder.pull[0].effect, "io.weight of b becomes 50, it was 100");
}

std::size_t let_go_after(LadderLook look, LeverKind kind, std::int64_t seconds) {
  look.at_ns = 1000 * kSecond;
  look.in_force = {{kind, "a", (1000 - seconds) * kSecond, 100}};
  return climb(look).let_go.size();
}

TEST(LetGo, ABrakeOnceTwiceTheReserveIsThereOrItsTimeIsOver) {
  LadderLook calm = pressed();
  calm.law.headroom = 2 * kGiB, calm.law.rate = 0;
  for (const LeverKind kind : {LeverKind::brake, LeverKind::freeze, LeverKind::pause_admission}) {
    EXPECT_EQ(let_go_after(calm, kind, 4), 0U);
    EXPECT_EQ(let_go_after(calm, kind, 5), 1U);
    EXPECT_EQ(let_go_after(pressed(), kind, 59), 0U);
    EXPECT_EQ(let_go_after(pressed(), kind, 60), 1U);
  }
  calm.law.headroom = 599 * kMiB;
  EXPECT_EQ(let_go_after(calm, LeverKind::brake, 30), 0U);
  calm.law.headroom = 600 * kMiB;
  EXPECT_EQ(let_go_after(calm, LeverKind::brake, 30), 1U);
}

TEST(LetGo, AWeightWhenNobodyWaitsOrAfterTenMinutes) {
  LadderLook look;
  look.cpu_stalled = 0.2, look.io_stalled = 0.05;
  EXPECT_EQ(let_go_after(look, LeverKind::weigh_cpu, 599), 0U);
  EXPECT_EQ(let_go_after(look, LeverKind::weigh_cpu, 600), 1U);
  EXPECT_EQ(let_go_after(look, LeverKind::weigh_io, 5), 1U);
  EXPECT_EQ(let_go_after(look, LeverKind::weigh_io, 4), 0U);
  look.io_stalled = look.cpu_stalled = 0.10;
  EXPECT_EQ(let_go_after(look, LeverKind::weigh_cpu, 5), 0U) << "ten is not below ten";
  EXPECT_EQ(let_go_after(look, LeverKind::weigh_io, 5), 0U);
  look.io_stalled = 0.2, look.cpu_stalled = 0.05;
  EXPECT_EQ(let_go_after(look, LeverKind::weigh_cpu, 5), 1U);
  EXPECT_EQ(let_go_after(look, LeverKind::weigh_io, 5), 0U);
}

TEST(Thresholds, TheSeedsThreeAlwaysLeaveAnEvent) {
  LadderState state;
  LadderLook look;
  look.cpu_used = Ratio{0.90}, look.memory_used = Ratio{0.85}, look.disk_used = Ratio{0.90};
  look.disk = "/srv";
  const Ladder ladder = decide_ladder(state, {}, look);
  EXPECT_TRUE(ladder.pull.empty()) << "no lever for what is only full";
  using What = Crossing::What;
  EXPECT_EQ(ladder.crossings, (std::vector<Crossing>{{What::cpu, true, {0.90}, {0.90}},
                                                     {What::memory, true, {0.85}, {0.85}},
                                                     {What::disk, true, {0.90}, {0.90}}}));
  ASSERT_EQ(ladder.findings.size(), 1U);
  EXPECT_EQ(ladder.findings[0].title, "the disk of /srv is used to 90 %");
  EXPECT_TRUE(decide_ladder(state, {}, look).crossings.empty()) << "once";
  look.cpu_used = Ratio{0.86};
  EXPECT_TRUE(decide_ladder(state, {}, look).crossings.empty()) << "not yet back";
  look.cpu_used = Ratio{0.84};
  EXPECT_EQ(decide_ladder(state, {}, look).crossings,
            (std::vector<Crossing>{{What::cpu, false, {0.84}, {0.90}}}));
  look.memory_used.reset();
  EXPECT_TRUE(decide_ladder(state, {}, look).crossings.empty()) << "unknown is not low";
}

TEST(Thresholds, BelowThemNothing) {
  LadderLook look;
  look.cpu_used = Ratio{0.89}, look.memory_used = Ratio{0.84}, look.disk_used = Ratio{0.89};
  const Ladder ladder = climb(look);
  EXPECT_TRUE(ladder.crossings.empty());
  EXPECT_TRUE(ladder.findings.empty());
}

TEST(Halt, EachReasonHasItsNumbersAndARemedy) {
  Decision decision;
  EXPECT_EQ(explain_halt(decision).name, "none");
  EXPECT_TRUE(explain_halt(decision).remedy.empty());
  decision.missing = 300 * kMiB;
  decision.swappable = 20 * kMiB;
  std::string names;
  for (int i = 1; i <= static_cast<int>(Blocked::failed); ++i) {
    decision.blocked = static_cast<Blocked>(i);
    const Halt halt = explain_halt(decision);
    names += std::string(halt.name) + " ";
    const char* bytes = decision.blocked == Blocked::nothing_swappable ? "20.0 MiB" : "300 MiB";
    EXPECT_NE(halt.why.find(bytes), std::string::npos) << halt.why;
    EXPECT_FALSE(halt.remedy.empty()) << halt.name;
  }
  EXPECT_EQ(names, "nothing_swappable disk_floor cap slots file_system not_root stopped failed ");
}

TEST(Levers, Names) {
  EXPECT_EQ(to_name(LeverKind::unload_model), "unload_model");
  EXPECT_EQ(to_name(LeverKind::pause_admission), "pause_admission");
  EXPECT_EQ(to_name(LeverKind::weigh_io), "weigh_io");
}

}  // namespace
}  // namespace estiva::decide::memory
