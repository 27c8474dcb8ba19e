// The edges of the law: what is still one thing and already another.
#include <algorithm>
#include <gtest/gtest.h>
#include <vector>

#include "decide/memory/law_parts.h"
#include "unit/decide/memory/law_room.h"

namespace estiva::decide::memory {
namespace {

TEST(LawEdges, TenSecondsLateIsLateAndMoreIsAJump) {
  for (const auto& [gap, late] :
       {std::pair{10 * kSecond, kSecond}, {10 * kSecond + 1, 0 * kSecond}}) {
    LawState state;
    MemorySample sample = machine();
    const SwapAreas areas = standing(sample);
    decide_tick(state, {}, sample, areas);
    sample.at_ns += gap;
    EXPECT_EQ(decide_tick(state, {}, sample, areas).reaction_ns, 5 * kMs + late);
  }
}

TEST(LawEdges, TwiceTheSameInstantChangesNothing) {
  LawState state;
  MemorySample sample = machine();
  const SwapAreas areas = standing(sample);
  decide_tick(state, {}, sample, areas);
  sample.available /= 2;
  EXPECT_EQ(decide_tick(state, {}, sample, areas).rate, 0);
  EXPECT_EQ(state.late_ns, 0);
}

TEST(LawEdges, ASlopeIsBelievedFromTwentyMillisecondsOn) {
  for (const std::int64_t span : {19, 20}) {
    LawState state;
    MemorySample sample = machine();
    const SwapAreas areas = standing(sample);
    decide_tick(state, {}, sample, areas);
    sample.at_ns += span * kMs;
    sample.available -= 50 * kMiB;
    EXPECT_EQ(decide_tick(state, {}, sample, areas).rate > 0, span == 20) << span;
  }
}

TEST(LawEdges, LockedGrowthIsMoreThanHalfOfAllAndMoreThanEightMegabytesASecond) {
  LawState state;
  const auto is_locked = [&](double all, double locked) {
    state.rate = all, state.locked_rate = locked;
    return is_locked_growth(state);
  };
  EXPECT_FALSE(is_locked(1e6, 1e6));
  EXPECT_TRUE(is_locked(1e6, 1.1e6));
  EXPECT_FALSE(is_locked(100e6, 50e6));
  EXPECT_TRUE(is_locked(100e6, 51e6));
}

// Whether a third, empty area is still there after five minutes in which demand once rose by
// `rise`.
bool stays_after(std::uint64_t rise) {
  MemorySample sample = machine();
  sample.available = 512 * kMiB;  // an eighth of it is 64 MiB
  SwapAreas areas = standing(sample);
  areas[2] = {3, AreaState::active, 256 * kMiB, 0, 10};
  sample.swap_total = sample.swap_free = kGiB + 256 * kMiB;
  LawState state;
  for (int i = 0; i <= 300; ++i, sample.at_ns += kSecond) {
    if (i == 100) sample.swap_free -= rise;
    if (has(decide_tick(state, {}, sample, areas), ActionKind::retire)) return false;
  }
  return true;
}

TEST(LawEdges, SixtyFourMebibytesMoreAreStillCalm) {
  EXPECT_FALSE(stays_after(0));
  EXPECT_FALSE(stays_after(64 * kMiB));
  EXPECT_TRUE(stays_after(64 * kMiB + 1));
}

// The seconds at which areas are retired; one that is retired is gone with the next tick.
std::vector<int> retirements(SwapAreas areas, MemorySample sample,
                             std::vector<std::uint32_t>& ids) {
  std::vector<int> when;
  LawState state;
  for (int i = 0; i <= 330; ++i, sample.at_ns += kSecond) {
    const Decision decision = decide_tick(state, {}, sample, areas);
    if (!has(decision, ActionKind::retire)) continue;
    when.push_back(i);
    ids.push_back(decision.actions[0].area);
    for (SwapArea& area : areas) {
      if (area.id != decision.actions[0].area) continue;
      sample.swap_total -= area.size, sample.swap_free -= area.size;
      area = {};
    }
  }
  return when;
}

TEST(LawEdges, OneGoesEachFiveSecondsTheLargestOfTheNewestFirst) {
  MemorySample sample = machine();
  SwapAreas areas = standing(sample);
  areas[2] = {3, AreaState::active, 300 * kMiB, 0, 10};
  areas[3] = {4, AreaState::active, 256 * kMiB, 0, 10};
  areas[4] = {5, AreaState::active, 400 * kMiB, 0, 9};
  sample.swap_total = sample.swap_free = kGiB + 956 * kMiB;
  std::vector<std::uint32_t> ids;
  EXPECT_EQ(retirements(areas, sample, ids), (std::vector<int>{300, 305, 310}));
  EXPECT_EQ(ids, (std::vector<std::uint32_t>{3, 4, 5}));
}

// 1500 MiB are left, it fills at 1000 MiB a second: no file can be made, but nothing is needed yet.
TEST(LawEdges, WhatCantBeMadeAheadIsSaidAndNobodyIsBraked) {
  MemorySample sample = machine(4 * kGiB);
  sample.slots_free = 0;
  LawSettings settings;
  settings.floor = 0;
  LawState state;
  decide_tick(state, settings, sample, {});
  sample.at_ns += 1000 * kMs;
  sample.anon = 2 * kGiB;
  sample.available -= 1000 * kMiB;
  decide_tick(state, settings, sample, {});
  sample.at_ns += 1000 * kMs;
  sample.available = 1600 * kMiB;
  const Decision decision = decide_tick(state, settings, sample, {});
  EXPECT_LT(decision.left_ns, 2 * kSecond);
  EXPECT_EQ(decision.blocked, Blocked::slots);
  EXPECT_EQ(decision.missing, 0U);
  EXPECT_FALSE(has(decision, ActionKind::brake));
}

TEST(LawEdges, ABrakeIsRenewedEachSecondAndLetGoAtTwiceTheReserve) {
  MemorySample sample = machine(10 * kGiB);
  sample.slots_free = 0;
  LawSettings settings;
  settings.floor = 0, settings.write_out = 20e6;
  LawState state;
  ASSERT_TRUE(has(pressed(state, sample, {}, settings), ActionKind::brake));
  MemorySample now = state.last;
  int braked = 0;
  for (int i = 1; i <= 20; ++i) {
    now.at_ns += 100 * kMs;
    now.available = 1;
    state.rate = 1e9;
    braked += has(decide_tick(state, settings, now, {}), ActionKind::brake) ? 1 : 0;
  }
  EXPECT_EQ(braked, 2);
  now.anon = now.total;
  now.available = 0, now.swap_total = now.swap_free = 2 * kGiB - 1;
  now.at_ns += 9 * kSecond;
  EXPECT_FALSE(has(decide_tick(state, settings, now, {}), ActionKind::release_brake));
  now.swap_total = now.swap_free = 2 * kGiB;
  now.at_ns += kSecond;
  const Decision decision = decide_tick(state, settings, now, {});
  EXPECT_EQ(decision.required, kGiB);
  ASSERT_TRUE(has(decision, ActionKind::release_brake));
  EXPECT_EQ(decision.actions[0].size, 0U);
}

TEST(LawEdges, AHalfOfTheFloorIsWholeMebibytes) {
  LawState state;
  LawSettings settings;
  settings.floor = 512 * kMiB + 2;
  EXPECT_EQ(decide_tick(state, settings, machine(), {}).actions[0].size, 257 * kMiB);
  LawState other;
  settings.floor = 512 * kMiB;
  EXPECT_EQ(decide_tick(other, settings, machine(), {}).actions[0].size, 256 * kMiB);
}

TEST(LawEdges, ABrakeNamesNoAreaAndSaysWhatIsMissing) {
  MemorySample sample = machine();
  sample.slots_free = 0;
  LawSettings settings;
  settings.floor = 0;
  LawState state;
  const Decision decision = pressed(state, sample, {}, settings);
  for (std::uint32_t i = 0; i < decision.action_count; ++i) {
    const Action& action = decision.actions[i];
    EXPECT_EQ(action.area, 0U);
    if (action.kind == ActionKind::brake) {
      EXPECT_EQ(action.size, decision.missing);
    }
  }
}

// RAM 10 GiB on a slow device: R is a tenth of it, 1 GiB.
bool third_goes_with(std::uint64_t left) {
  MemorySample sample = machine(10 * kGiB);
  sample.available = 0, sample.anon = sample.total;
  SwapAreas areas{};
  areas[0] = {1, AreaState::active, 4 * kGiB, 2 * kGiB, 0};
  areas[1] = {2, AreaState::active, kGiB, 0, 10};
  sample.swap_total = 5 * kGiB, sample.swap_free = kGiB + left;
  LawSettings settings;
  settings.write_out = 20e6;
  LawState state;
  for (int i = 0; i <= 300; ++i, sample.at_ns += kSecond)
    if (has(decide_tick(state, settings, sample, areas), ActionKind::retire)) return true;
  return false;
}

TEST(LawEdges, TwiceTheReserveIsEnoughToLetAnAreaGo) {
  EXPECT_TRUE(third_goes_with(2 * kGiB));
  EXPECT_FALSE(third_goes_with(2 * kGiB - 1));
}

// What is asked of the models is what will be missing within two seconds; of locked memory, R.
TEST(LawEdges, ModelsAreAskedForWhatWillBeMissing) {
  for (const bool locked : {false, true}) {
    LawState state;
    MemorySample sample = machine(4 * kGiB);
    const SwapAreas areas = standing(sample);
    decide_tick(state, {}, sample, areas);
    sample.at_ns += 1000 * kMs;
    sample.anon = 3 * kGiB;
    sample.available -= 1500 * kMiB;
    if (locked) sample.mlocked = 1500 * kMiB;
    if (!locked) sample.available -= 900 * kMiB;
    const Decision decision = decide_tick(state, {}, sample, areas);
    const auto ahead = static_cast<std::uint64_t>(decision.rate * 2);
    ASSERT_TRUE(has(decision, ActionKind::ask_unload)) << locked;
    const Action& ask =
        *std::find_if(decision.actions.begin(), decision.actions.end(),
                      [](const Action& one) { return one.kind == ActionKind::ask_unload; });
    const std::uint64_t wanted = decision.required + ahead;
    EXPECT_EQ(ask.size,
              wanted > decision.headroom ? wanted - decision.headroom : decision.required);
    EXPECT_GT(ask.size, 100 * kMiB);
  }
}

TEST(LawEdges, AFifthActionIsDropped) {
  Decision decision;
  for (int i = 0; i < 5; ++i) act(decision, ActionKind::brake, static_cast<std::uint32_t>(i), 0);
  EXPECT_EQ(decision.action_count, 4U);
  EXPECT_EQ(decision.actions[3].area, 3U);
}

// A folder that can't take a file, for whatever reason, is not asked 200 times a second.
TEST(Law, AFileThatCannotBeMadeIsTriedEverMoreSeldom) {
  LawState state;
  MemorySample sample = machine();
  const SwapAreas none{};
  int asked = 0, blocked = 0;
  for (int i = 0; i < 2000; ++i, sample.at_ns += 5 * kMs) {
    sample.available = 10 * kMiB;
    const Decision decision = decide_tick(state, {}, sample, none);
    asked += has(decision, ActionKind::prepare);
    blocked += decision.blocked == Blocked::failed;
  }
  EXPECT_GE(asked, 5);
  EXPECT_LE(asked, 9);  // at 0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3 s, and later of 10
  EXPECT_EQ(asked + blocked, 2000);
  SwapAreas made{};
  made[0] = {1, AreaState::active, 512 * kMiB, 0, sample.at_ns};
  state.prepare_asked = true;
  decide_tick(state, {}, sample, made);
  EXPECT_EQ(state.failures, 0U);
}

// Two models' weights that don't fit together: the kernel drops what is needed next. Swap takes
// none of those pages; an idle model that is unloaded does.
TEST(Law, FilesThatAreReadAgainAndAgainAskForModelsAndNotForSwap) {
  LawState state;
  MemorySample sample = machine(64 * kGiB);
  sample.has_psi = sample.has_vmstat = true;
  sample.available = 8 * kGiB;
  const SwapAreas areas = standing(sample);
  int grown = 0, asked = 0;
  for (int i = 0; i < 600; ++i) {
    sample.at_ns += 50 * kMs;
    sample.psi_some_us += 40'000, sample.psi_full_us += 25'000;
    sample.refault_file += 5'000, sample.refault_anon += 10;
    const Decision decision = decide_tick(state, {}, sample, areas);
    grown += has(decision, ActionKind::prepare) || has(decision, ActionKind::activate);
    asked += has(decision, ActionKind::ask_unload);
  }
  EXPECT_EQ(grown, 0);
  EXPECT_GE(asked, 2);
  EXPECT_LE(asked, 4);  // once in ten seconds
  EXPECT_TRUE(is_file_thrash(state));
  // The same stalls of anonymous pages that come back are what swap is for.
  state.anon_refaults = state.file_refaults;
  EXPECT_FALSE(is_file_thrash(state));
}

TEST(Law, AHogThatLocksSlowlyIsNamedToo) {
  LawState state;
  LawSettings settings;
  settings.floor = 0;
  MemorySample sample = machine();
  sample.available = 200 * kMiB;
  std::int64_t named_ns = -1;
  for (int i = 0; i < 40 && named_ns < 0; ++i) {
    sample.at_ns += 50 * kMs;
    sample.available -= 250'000;  // 5 MB a second
    sample.mlocked += 250'000;
    const Decision decision = decide_tick(state, settings, sample, {});
    if (decision.blocked == Blocked::nothing_swappable) named_ns = (i + 1) * 50 * kMs;
  }
  EXPECT_GT(named_ns, 0);
  EXPECT_LE(named_ns, kSecond);
}

}  // namespace
}  // namespace estiva::decide::memory
