// The law in a control group, and when a swapoff would kill.
#include "decide/memory/scope.h"

#include <gtest/gtest.h>

namespace estiva::decide::memory {
namespace {

constexpr std::uint64_t kMargin = 16 * kMiB;

TEST(InGroup, ItsLimitStandsForTheRam) {
  MemorySample host;
  host.total = 64 * kGiB, host.available = 40 * kGiB, host.swap_free = 4 * kGiB;
  host.disk_free = 7;
  GroupMemory group;
  group.limit = kGiB, group.current = 700 * kMiB, group.inactive_file = 100 * kMiB;
  group.swap_current = 50 * kMiB, group.anon = 500 * kMiB, group.unevictable = 20 * kMiB;
  const MemorySample seen = in_group(host, group);
  EXPECT_EQ(seen.total, kGiB);
  EXPECT_EQ(seen.available, 424 * kMiB);
  EXPECT_EQ(seen.swap_free, 4 * kGiB);
  EXPECT_EQ(seen.swap_total, 4 * kGiB + 50 * kMiB);
  EXPECT_EQ(seen.anon, 500 * kMiB);
  EXPECT_EQ(seen.mlocked, 20 * kMiB);
  EXPECT_EQ(seen.disk_free, 7U);
}

TEST(InGroup, AGroupHasNoMoreThanTheMachine) {
  MemorySample host;
  host.total = 8 * kGiB, host.available = 100 * kMiB, host.swap_free = kGiB;
  GroupMemory group;
  EXPECT_EQ(in_group(host, group).total, 8 * kGiB) << "no limit";
  EXPECT_EQ(in_group(host, group).available, 100 * kMiB);
  group.limit = 4 * kGiB;
  EXPECT_EQ(in_group(host, group).available, 100 * kMiB);
  group.current = 5 * kGiB;
  EXPECT_EQ(in_group(host, group).available, 0U) << "a limit that was lowered";
  group.swap_limit = 300 * kMiB, group.swap_current = 100 * kMiB;
  EXPECT_EQ(in_group(host, group).swap_free, 200 * kMiB);
}

TEST(MayRetire, TheMeasuredTrapIsRefusedWithItsNumbers) {
  // 514 MiB swapped of a group at its limit of 512 MiB, 20 GiB free on the host.
  const GroupRoom groups[] = {{512 * kMiB, 512 * kMiB, 514 * kMiB, -1}};
  const RetireCheck check = may_retire(514 * kMiB, groups, 1, 20 * kGiB, kGiB, kMargin);
  EXPECT_FALSE(check.may);
  EXPECT_EQ(check.group, 0);
  EXPECT_EQ(check.needed, 530 * kMiB);
  EXPECT_EQ(check.room, 0U);
}

TEST(MayRetire, AParentsLimitCountsToo) {
  const GroupRoom groups[] = {{kGiB, 990 * kMiB, 100 * kMiB, -1},
                              {kNoLimit, 50 * kMiB, 100 * kMiB, 0}};
  const RetireCheck check = may_retire(30 * kMiB, groups, 2, 20 * kGiB, kGiB, kMargin);
  EXPECT_FALSE(check.may);
  EXPECT_EQ(check.group, 0);
  EXPECT_EQ(check.room, 34 * kMiB);
  const GroupRoom roomy[] = {{kGiB, 900 * kMiB, 100 * kMiB, -1},
                             {kNoLimit, 50 * kMiB, 100 * kMiB, 0}};
  EXPECT_TRUE(may_retire(30 * kMiB, roomy, 2, 20 * kGiB, kGiB, kMargin).may);
}

TEST(MayRetire, AGroupThatHasNothingSwappedNeedsNothing) {
  const GroupRoom groups[] = {{kGiB, kGiB, 0, -1}, {kGiB, 0, kGiB, -1}};
  const RetireCheck check = may_retire(100 * kMiB, groups, 2, 20 * kGiB, kGiB, kMargin);
  EXPECT_TRUE(check.may);
  EXPECT_EQ(check.group, 1) << "the tightest that passed";
  EXPECT_EQ(check.needed, 116 * kMiB);
}

TEST(MayRetire, AGroupNeedsNoMoreThanItHasSwapped) {
  const GroupRoom groups[] = {{kGiB, kGiB - 20 * kMiB, 2 * kMiB, -1}};
  EXPECT_TRUE(may_retire(500 * kMiB, groups, 1, 20 * kGiB, kGiB, kMargin).may);
}

TEST(MayRetire, TheMachineNeedsItsReserve) {
  const RetireCheck check = may_retire(500 * kMiB, nullptr, 0, kGiB, 600 * kMiB, kMargin);
  EXPECT_FALSE(check.may);
  EXPECT_EQ(check.group, -1);
  EXPECT_EQ(check.needed, 1100 * kMiB);
  EXPECT_TRUE(may_retire(424 * kMiB, nullptr, 0, kGiB, 600 * kMiB, kMargin).may);
}

// 65 groups, each the parent of the one before: the first has pages, the one `full` steps up no
// room.
bool may_with_full(int full) {
  GroupRoom groups[66];
  for (int i = 0; i < 66; ++i) groups[i] = {kGiB, 0, 0, i + 1};
  groups[0].swapped = kMiB;
  groups[full].current = kGiB;
  return may_retire(kMiB, groups, 66, 20 * kGiB, 0, kMargin).may;
}

TEST(MayRetire, SixtyFourOfALineAreLookedAt) {
  EXPECT_FALSE(may_with_full(0));
  EXPECT_FALSE(may_with_full(63));
  EXPECT_TRUE(may_with_full(64));
}

TEST(MayRetire, ALoopOfParentsEnds) {
  const GroupRoom groups[] = {{kGiB, 0, kMiB, 1}, {kGiB, 0, 0, 0}, {kGiB, 0, kMiB, 99}};
  EXPECT_TRUE(may_retire(kMiB, groups, 3, 20 * kGiB, 0, kMargin).may);
}

}  // namespace
}  // namespace estiva::decide::memory
