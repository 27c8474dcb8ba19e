// The law tick by tick: limits, sizes, sleep, clocks, and who goes first.
#include "decide/memory/law.h"

#include <gtest/gtest.h>

#include "decide/memory/law_parts.h"
#include "unit/decide/memory/law_room.h"

namespace estiva::decide::memory {
namespace {

TEST(MostSwap, TheSmallestOfThreeLimits) {
  MemorySample sample = machine();
  EXPECT_EQ(most_swap({}, sample, 0), 3 * kGiB) << "three times the RAM";
  sample.total = 64 * kGiB;
  EXPECT_EQ(most_swap({}, sample, 0), 50 * kGiB) << "an eighth of the volume";
  sample.disk_free = 50 * kGiB;
  EXPECT_EQ(most_swap({}, sample, 0), 10 * kGiB) << "a tenth of the volume stays free";
  EXPECT_EQ(most_swap({}, sample, 3 * kGiB), 13 * kGiB) << "what is ours already counts as free";
  sample.disk_total = 160 * kGiB;
  EXPECT_EQ(most_swap({}, sample, 0), 20 * kGiB);
  sample.disk_free = 30 * kGiB;
  EXPECT_EQ(most_swap({}, sample, 0), 10 * kGiB) << "20 GiB stay free";
}

TEST(MostSwap, ASmallDiskStillGetsTwoGibibytesDownToATenthFree) {
  MemorySample sample = machine();
  sample.disk_total = 12 * kGiB;
  sample.disk_free = 6 * kGiB;
  EXPECT_EQ(most_swap({}, sample, 0), 2 * kGiB);
  sample.disk_free = 2 * kGiB;
  EXPECT_EQ(most_swap({}, sample, 0), 2 * kGiB - sample.disk_total / 10);
  sample.disk_free = kGiB;
  EXPECT_EQ(most_swap({}, sample, 0), 0U);
}

TEST(MostSwap, ASetFloorIsKeptAndASetCapToo) {
  MemorySample sample = machine();
  LawSettings settings;
  settings.cap = 16 * kGiB;
  EXPECT_EQ(most_swap(settings, sample, 0), 16 * kGiB);
  settings.disk_floor = 299 * kGiB;
  EXPECT_EQ(most_swap(settings, sample, 0), kGiB);
  settings.disk_floor = 300 * kGiB;
  EXPECT_EQ(most_swap(settings, sample, 0), 0U) << "no exception from what a person set";
  settings = {};
  settings.cap = kGiB;
  sample.disk_total = 8 * kGiB, sample.disk_free = 7 * kGiB;
  EXPECT_EQ(most_swap(settings, sample, 0), kGiB) << "nor above a cap that a person set";
}

TEST(LawTick, TheFloorStandsInTwoHalves) {
  LawState state;
  MemorySample sample = machine();
  Decision first = decide_tick(state, {}, sample, {});
  ASSERT_EQ(first.action_count, 1U);
  EXPECT_EQ(first.actions[0].kind, ActionKind::prepare);
  EXPECT_EQ(first.actions[0].size, 512 * kMiB);
  EXPECT_EQ(first.sleep_ns, 5 * kMs) << "what was begun is finished at once";
  SwapAreas areas{};
  areas[0] = {7, AreaState::prepared, 512 * kMiB, 0, 0};
  sample.at_ns += 5 * kMs;
  const Decision second = decide_tick(state, {}, sample, areas);
  ASSERT_EQ(second.action_count, 1U);
  EXPECT_EQ(second.actions[0].kind, ActionKind::activate);
  EXPECT_EQ(second.actions[0].area, 7U);
}

TEST(LawTick, NothingIsDoneAtRest) {
  LawState state;
  MemorySample sample = machine();
  const SwapAreas areas = standing(sample);
  for (int i = 0; i < 2000; ++i, sample.at_ns += kSecond) {
    const Decision decision = decide_tick(state, {}, sample, areas);
    ASSERT_EQ(decision.action_count, 0U) << i;
    ASSERT_EQ(decision.blocked, Blocked::none);
    ASSERT_EQ(decision.left_ns, -1);
  }
}

TEST(LawTick, SleepIsAQuarterOfTheTimeThatTheFastestFillingWouldTake) {
  LawState state;
  MemorySample sample = machine();
  const SwapAreas areas = standing(sample);
  LawSettings settings;
  settings.cores = 4;
  const Decision decision = decide_tick(state, settings, sample, areas);
  const double headroom = 0.9 * static_cast<double>(sample.available) + 1.0 * kGiB;
  EXPECT_EQ(decision.headroom, static_cast<std::uint64_t>(headroom));
  EXPECT_NEAR(static_cast<double>(decision.sleep_ns), headroom / (4 * 2.4e9) / 4 * 1e9, kMs);
  sample.total = sample.available = 512 * kGiB;
  sample.at_ns += kSecond;
  EXPECT_EQ(decide_tick(state, settings, sample, areas).sleep_ns, kSecond);
  sample.available = sample.swap_free = 0;
  sample.at_ns += kSecond;
  EXPECT_EQ(decide_tick(state, settings, sample, areas).sleep_ns, 5 * kMs);
}

TEST(LawTick, ARateIsBelievedAtOnceAndForgottenSlowly) {
  LawState state;
  MemorySample sample = machine(64 * kGiB);
  const SwapAreas areas = standing(sample);
  decide_tick(state, {}, sample, areas);
  sample.at_ns += 20 * kMs;
  sample.available -= 20 * kMiB;
  EXPECT_NEAR(decide_tick(state, {}, sample, areas).rate, 1000.0 * kMiB, 1e6);
  sample.at_ns += 200 * kMs;
  const double after = decide_tick(state, {}, sample, areas).rate;
  EXPECT_LT(after, 1000.0 * kMiB);
  EXPECT_GT(after, 850.0 * kMiB);
  for (int i = 0; i < 40; ++i) sample.at_ns += kSecond, decide_tick(state, {}, sample, areas);
  EXPECT_LT(state.rate, 1e6);
  EXPECT_GT(state.fastest, 900.0 * kMiB) << "the fastest is kept for about an hour";
}

TEST(LawTick, PagesThatGoToSwapAreNoDemand) {
  LawState state;
  MemorySample sample = machine();
  const SwapAreas areas = standing(sample);
  decide_tick(state, {}, sample, areas);
  sample.at_ns += 20 * kMs;
  sample.swap_free -= 100 * kMiB, sample.available += 100 * kMiB;
  EXPECT_EQ(decide_tick(state, {}, sample, areas).rate, 0);
  sample.at_ns += 20 * kMs;
  sample.swap_cached = 50 * kMiB, sample.available -= 50 * kMiB;
  EXPECT_EQ(decide_tick(state, {}, sample, areas).rate, 0) << "read back, and still in swap";
}

TEST(LawTick, ALateLoopNeedsMoreInReserve) {
  LawState state;
  MemorySample sample = machine(64 * kGiB);
  const SwapAreas areas = standing(sample);
  const std::int64_t asked = decide_tick(state, {}, sample, areas).sleep_ns;
  sample.at_ns += asked + 300 * kMs;
  EXPECT_EQ(decide_tick(state, {}, sample, areas).reaction_ns, 305 * kMs);
  sample.at_ns += 600 * kSecond / 100;
  EXPECT_GE(decide_tick(state, {}, sample, areas).reaction_ns, 305 * kMs);
}

TEST(LawTick, AClockThatJumpsStartsTheEstimatesAnew) {
  for (const std::int64_t jump : {-30 * kSecond, 3600 * kSecond}) {
    LawState state;
    MemorySample sample = machine();
    sample.at_ns = 1000 * kSecond;
    SwapAreas areas = standing(sample);
    areas[2] = {3, AreaState::active, 256 * kMiB, 0, 0};
    decide_tick(state, {}, sample, areas);
    sample.at_ns += jump;
    sample.available /= 2;
    const Decision decision = decide_tick(state, {}, sample, areas);
    EXPECT_EQ(decision.rate, 0) << jump;
    EXPECT_EQ(decision.reaction_ns, 5 * kMs) << jump;
    EXPECT_FALSE(has(decision, ActionKind::retire)) << "an hour asleep is no hour of calm";
    for (int i = 0; i < 299; ++i) {
      sample.at_ns += kSecond;
      ASSERT_FALSE(has(decide_tick(state, {}, sample, areas), ActionKind::retire)) << i;
    }
    sample.at_ns += kSecond;
    EXPECT_TRUE(has(decide_tick(state, {}, sample, areas), ActionKind::retire)) << jump;
  }
}

// After five quiet minutes; returns the area that goes, 0: none.
std::uint32_t goes(SwapAreas areas, MemorySample sample, const LawSettings& settings = {}) {
  LawState state;
  for (int i = 0; i <= 300; ++i, sample.at_ns += kSecond) {
    const Decision decision = decide_tick(state, settings, sample, areas);
    for (std::uint32_t k = 0; k < decision.action_count; ++k)
      if (decision.actions[k].kind == ActionKind::retire) return decision.actions[k].area;
  }
  return 0;
}

TEST(LawShrink, TheNewestThenTheLargestAndOnlyEmptyOnes) {
  MemorySample sample = machine();
  SwapAreas areas = standing(sample);
  areas[2] = {3, AreaState::active, 256 * kMiB, 0, 10};
  areas[3] = {4, AreaState::active, 300 * kMiB, 0, 10};
  areas[4] = {5, AreaState::active, 256 * kMiB, 0, 5};
  sample.swap_total = sample.swap_free = kGiB + 812 * kMiB;
  EXPECT_EQ(goes(areas, sample), 4U);
  areas[3].used = kMiB;
  EXPECT_EQ(goes(areas, sample), 3U);
  areas[3].used = kMiB - 1;
  EXPECT_EQ(goes(areas, sample), 4U) << "nearly empty is empty";
  areas[2].used = areas[3].used = 2 * kMiB;
  EXPECT_EQ(goes(areas, sample), 5U);
  areas[4].state = AreaState::retiring;
  EXPECT_EQ(goes(areas, sample), 0U) << "one at a time";
}

TEST(LawShrink, TheFloorStays) {
  MemorySample sample = machine();
  const SwapAreas areas = standing(sample);
  EXPECT_EQ(goes(areas, sample), 0U);
  LawSettings settings;
  settings.floor = 512 * kMiB;
  EXPECT_NE(goes(areas, sample, settings), 0U);
}

TEST(LawShrink, WhatIsNeededTwiceOverStays) {
  MemorySample sample = machine();
  sample.available = 0;
  SwapAreas areas = standing(sample, 512 * kMiB);
  areas[2] = {3, AreaState::active, 256 * kMiB, 0, 10};
  sample.anon = sample.total;
  // R is half a second of 250 MB/s: 119 MiB. After it went, 2 R must be there.
  sample.swap_total = kGiB + 256 * kMiB;
  sample.swap_free = 256 * kMiB + 240 * kMiB;
  EXPECT_EQ(goes(areas, sample), 3U);
  sample.swap_free = 256 * kMiB + 235 * kMiB;
  EXPECT_EQ(goes(areas, sample), 0U);
}

TEST(LawShrink, WhoeverWaitsForMemoryEndsTheCalm) {
  MemorySample sample = machine();
  SwapAreas areas = standing(sample);
  areas[2] = {3, AreaState::active, 256 * kMiB, 0, 10};
  sample.has_psi = true;
  LawState state;
  for (int i = 0; i < 400; ++i) {
    sample.at_ns += kSecond;
    sample.psi_some_us += 5000;  // half a percent
    ASSERT_FALSE(has(decide_tick(state, {}, sample, areas), ActionKind::retire)) << i;
  }
}

TEST(LawShrink, APreparedFileThatWasNotNeededGoesToo) {
  MemorySample sample = machine();
  SwapAreas areas = standing(sample);
  areas[2] = {3, AreaState::prepared, 256 * kMiB, 0, 10};
  LawState state;
  bool gone = false;
  for (int i = 0; i <= 300 && !gone; ++i, sample.at_ns += kSecond)
    gone = has(decide_tick(state, {}, sample, areas), ActionKind::discard);
  EXPECT_TRUE(gone);
}

TEST(LawGrow, WhatIsInTheWayIsNamed) {
  MemorySample sample = machine();
  LawSettings settings;
  settings.floor = 0;
  LawState state;
  EXPECT_TRUE(has(pressed(state, sample, {}, settings), ActionKind::prepare));
  const auto blocked = [&](MemorySample now, SwapAreas areas, LawSettings with) {
    LawState fresh;
    const Decision decision = pressed(fresh, now, areas, with);
    EXPECT_FALSE(has(decision, ActionKind::prepare));
    EXPECT_GT(decision.missing, 0U);
    EXPECT_TRUE(has(decision, ActionKind::brake));
    return decision.blocked;
  };
  for (const Blocked why : {Blocked::not_root, Blocked::stopped, Blocked::file_system}) {
    settings.blocked = why;
    EXPECT_EQ(blocked(sample, {}, settings), why);
  }
  settings.blocked = Blocked::none;
  MemorySample full = sample;
  full.slots_free = 0;
  EXPECT_EQ(blocked(full, {}, settings), Blocked::slots);
  full = sample;
  full.disk_free = 40 * kGiB;
  EXPECT_EQ(blocked(full, {}, settings), Blocked::disk_floor);
  SwapAreas areas{};
  for (std::uint32_t i = 0; i < kMostAreas; ++i)
    areas[i] = {i + 1, AreaState::active, 64 * kMiB, 64 * kMiB, 0};
  EXPECT_EQ(blocked(sample, areas, settings), Blocked::slots) << "eight of ours";
  areas = {};
  areas[0] = {1, AreaState::active, 3 * kGiB, 3 * kGiB, 0};
  EXPECT_EQ(blocked(sample, areas, settings), Blocked::cap);
}

TEST(LawGrow, EightSlotsReachTheCapInEqualRatios) {
  MemorySample sample = machine(64 * kGiB);
  sample.disk_total = 8000 * kGiB, sample.disk_free = 6000 * kGiB;
  SwapAreas areas{};
  std::uint64_t ours = 0, last = 0;
  for (std::uint32_t i = 0; i < kMostAreas; ++i) {
    LawState state;
    sample.swap_total = ours, sample.swap_free = 0;
    sample.available = 1;
    sample.anon = sample.total;
    sample.at_ns = kSecond;
    LawSettings settings;
    settings.floor = 0;
    Decision decision = decide_tick(state, settings, sample, areas);
    ASSERT_EQ(decision.actions[0].kind, ActionKind::prepare) << i;
    const std::uint64_t size = decision.actions[0].size;
    EXPECT_GE(size, last) << i;
    EXPECT_EQ(size % kMiB, 0U);
    areas[i] = {i + 1, AreaState::active, size, size, 0};
    ours += size;
    last = size;
  }
  EXPECT_NEAR(static_cast<double>(ours), 192.0 * kGiB, 8.0 * kMiB);
}

TEST(LawGrow, ARegrowDoublesTheWaitAndALateOneResetsIt) {
  MemorySample sample = machine();
  SwapAreas areas{};
  areas[0] = {1, AreaState::prepared, 256 * kMiB, 0, 0};
  LawSettings settings;
  settings.floor = 0;
  LawState state;
  decide_tick(state, settings, sample, areas);
  ASSERT_EQ(state.calm_wanted_ns, settings.calm_ns);
  const auto regrow = [&](std::int64_t after) {
    state.retired_ns = state.last.at_ns;
    state.last.at_ns = state.anchor.at_ns = state.calm_since_ns = state.retired_ns + after - kMs;
    MemorySample now = sample;
    now.at_ns = state.retired_ns + after;
    now.available = 10 * kMiB, now.anon = 900 * kMiB;
    return has(decide_tick(state, settings, now, areas), ActionKind::activate);
  };
  for (const int minutes : {10, 20, 40, 80, 120, 120}) {
    ASSERT_TRUE(regrow(1800 * kSecond));
    EXPECT_EQ(state.calm_wanted_ns, minutes * 60 * kSecond);
  }
  ASSERT_TRUE(regrow(1801 * kSecond));
  EXPECT_EQ(state.calm_wanted_ns, settings.calm_ns);
}

TEST(LawRelief, ModelsAreAskedForOnceInTenSecondsAndABrakeIsLetGo) {
  MemorySample sample = machine();
  sample.slots_free = 0;
  LawSettings settings;
  settings.floor = 0;
  LawState state;
  const Decision first = pressed(state, sample, {}, settings);
  ASSERT_TRUE(has(first, ActionKind::ask_unload));
  ASSERT_TRUE(has(first, ActionKind::brake));
  MemorySample now = state.last;
  int asked = 0, released = 0;
  for (int i = 1; i <= 20; ++i) {
    now.at_ns += kSecond;
    now.available = (i < 11 ? 10 : 900) * kMiB;
    const Decision decision = decide_tick(state, settings, now, {});
    asked += has(decision, ActionKind::ask_unload) ? 1 : 0;
    released += has(decision, ActionKind::release_brake) ? 1 : 0;
    EXPECT_TRUE(i >= 4 || released == 0) << i;
  }
  EXPECT_EQ(asked, 1) << "ten seconds after the first";
  EXPECT_EQ(released, 1);
}

TEST(LawHeadroom, MemAvailableIsNotBelievedWhileEveryoneWaits) {
  LawState state;
  MemorySample sample = machine();
  sample.has_psi = true;
  const SwapAreas areas = standing(sample);
  const std::uint64_t before = decide_tick(state, {}, sample, areas).headroom;
  for (int i = 0; i < 5; ++i) {
    sample.at_ns += kSecond;
    sample.psi_some_us += 900'000, sample.psi_full_us += 900'000;
    decide_tick(state, {}, sample, areas);
  }
  sample.at_ns += kMs;
  EXPECT_EQ(decide_tick(state, {}, sample, areas).headroom, kGiB) << "swap alone";
  EXPECT_GT(before, kGiB);
}

TEST(LawDevice, WhatItTakesIsLearnedWhileItIsWaitedFor) {
  LawState state;
  MemorySample sample = machine();
  sample.has_psi = sample.has_vmstat = true;
  const SwapAreas areas = standing(sample);
  const double start = decide_tick(state, {}, sample, areas).write_out;
  const auto second = [&](std::uint64_t out, std::uint64_t waited_us) {
    sample.at_ns += kSecond;
    sample.swapped_out += out;
    sample.psi_io_some_us += waited_us;
    return decide_tick(state, {}, sample, areas).write_out;
  };
  EXPECT_EQ(second(30 * kMiB, 0), start) << "little was written because little was wanted";
  EXPECT_LT(second(30 * kMiB, 900'000), start);
  for (int i = 0; i < 60; ++i) second(30 * kMiB, 900'000);
  EXPECT_NEAR(state.write_out, 30.0 * kMiB, 1e6);
  for (int i = 0; i < 10; ++i) second(2 * kGiB, 100'000);
  EXPECT_NEAR(state.write_out, 2.0 * kGiB, 1e7);
}

}  // namespace
}  // namespace estiva::decide::memory
