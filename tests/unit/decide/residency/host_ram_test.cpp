// The RAM of sleeping models: by hand.
#include "decide/residency/host_ram.h"

#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

constexpr Bytes gib(std::uint64_t n) {
  return {n << 30};
}

HostMemory memory(Bytes total, Bytes available) {
  HostMemory host;
  host.total = total;
  host.available = available;
  return host;
}

TEST(HostRam, HalfOfWhatIsAvailableAndOfWhatTheyTake) {
  EXPECT_EQ(sleepers_budget(memory(gib(64), gib(40)), gib(0)), gib(20));
  // They took 10 of it: the same 50 are theirs to share, whoever has them now.
  EXPECT_EQ(sleepers_budget(memory(gib(64), gib(40)), gib(10)), gib(25));
}

TEST(HostRam, TheyGiveWayBeforeTheMachineSwaps) {
  // A twentieth of 64 GiB is 3.2 GiB: 2.2 are missing, and they give back so much.
  const Bytes reserve{gib(64).value / 20};
  EXPECT_EQ(sleepers_budget(memory(gib(64), gib(1)), gib(10)), gib(10) - (reserve - gib(1)));
  EXPECT_EQ(sleepers_budget(memory(gib(64), gib(1)), gib(1)), Bytes{});
  // A small machine keeps 1 GiB.
  EXPECT_EQ(sleepers_budget(memory(gib(8), Bytes{gib(1).value / 2}), gib(2)),
            gib(2) - Bytes{gib(1).value / 2});
  EXPECT_EQ(sleepers_budget(memory(gib(8), gib(1)), gib(1)), gib(1));
}

}  // namespace
}  // namespace estiva::decide
