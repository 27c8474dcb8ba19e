#include "observe/assemble.h"

#include <gtest/gtest.h>

namespace estiva::observe {
namespace {

using namespace std::chrono_literals;

Sources sources_with(DriverState state, SteadyTime read_at) {
  auto view = std::make_shared<gpu::SensorView>();
  view->driver.state = state;
  view->read_at = read_at;
  view->gpus.resize(2);
  Sources sources;
  sources.now = {100'000'000'000};
  sources.gpus = view;
  return sources;
}

TEST(Staleness, TwoIntervalsAreFreshAndMoreIsStale) {
  const SteadyTime now{10'000'000'000};
  EXPECT_FALSE(is_stale({8'000'000'000}, now, 1s));
  EXPECT_TRUE(is_stale({7'999'999'999}, now, 1s));
  EXPECT_TRUE(is_stale({0}, now, 1h));
  EXPECT_FALSE(is_stale({11'000'000'000}, now, 1s));  // sent after `now` was taken
}

TEST(Assemble, BeforeTheFirstAnswerTheWorldSaysInitialisingAndStale) {
  Sources sources;
  sources.now = {5};
  const auto world = assemble(sources);
  EXPECT_EQ(world.driver.state, DriverState::initialising);
  EXPECT_TRUE(world.stale);
  EXPECT_TRUE(world.gpus.empty());
  EXPECT_EQ(world.host.cpu.why(), Missing::not_read);
}

TEST(Assemble, AHungDriverKeepsTheLastGpusMarkedStale) {
  const auto world = assemble(sources_with(DriverState::unresponsive, {97'000'000'000}));
  EXPECT_TRUE(world.stale);
  EXPECT_EQ(world.gpus.size(), 2u);
  EXPECT_EQ(world.gpus_read_at.ns, 97'000'000'000);
}

TEST(Assemble, NoGpuIsNotStale) {
  for (const auto state : {DriverState::absent, DriverState::no_driver, DriverState::no_library}) {
    EXPECT_FALSE(assemble(sources_with(state, {0})).stale) << to_name(state);
  }
  EXPECT_TRUE(assemble(sources_with(DriverState::ready, {0})).stale);
  EXPECT_FALSE(assemble(sources_with(DriverState::ready, {99'000'000'000})).stale);
}

TEST(Assemble, EverySourceArrives) {
  auto sources = sources_with(DriverState::ready, {99'500'000'000});
  sources.node_id = "n";
  sources.boot_epoch = 3;
  sources.sequence = 9;
  sources.wall = {77};
  sources.simulated = true;
  auto host = std::make_shared<HostSample>();
  host->cores = 12;
  sources.host = host;
  sources.leases.resize(1);
  sources.overcommitted = {"GPU-1"};
  const auto world = assemble(sources);
  EXPECT_EQ(world.node_id, "n");
  EXPECT_EQ(world.boot_epoch, 3u);
  EXPECT_EQ(world.sequence, 9u);
  EXPECT_EQ(world.wall.ns, 77);
  EXPECT_EQ(world.made_at.ns, 100'000'000'000);
  EXPECT_TRUE(world.simulated);
  EXPECT_EQ(world.host.cores, 12u);
  EXPECT_EQ(world.leases.size(), 1u);
  EXPECT_EQ(world.overcommitted, std::vector<std::string>{"GPU-1"});
}

}  // namespace
}  // namespace estiva::observe
