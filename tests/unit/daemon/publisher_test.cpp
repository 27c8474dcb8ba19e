// How often Worlds are shown, and what they say of their age.
#include "daemon/publisher.h"

#include "api/json.h"
#include "keeper_fixture.h"

namespace estiva::daemon {
namespace {

class PublisherTest : public KeeperTest {
 protected:
  Publisher::Facts facts() { return {"node", 1, false, 1s, false}; }
  Publisher publisher_{*loop_, facts(), *keeper_};

  static std::shared_ptr<const HostSample> sample_of(SteadyTime read_at) {
    auto sample = std::make_shared<HostSample>();
    sample->read_at = read_at;
    return sample;
  }
};

TEST_F(PublisherTest, AReaderSeesAChangeThatIsNotYetShown) {
  const WorldPtr before = publisher_.published();
  publisher_.leases_changed();
  EXPECT_GT(publisher_.world()->sequence, before->sequence);
}

// A World that a reader had made early must not make the next publication come early.
TEST_F(PublisherTest, TwoPublicationsAreNeverCloserThanTheGap) {
  int judged = 0;
  for (int i = 0; i < 20 && judged < 3; ++i) {
    const WorldPtr before = publisher_.published();
    publisher_.leases_changed();
    (void)publisher_.world();
    ASSERT_TRUE(run_until([&] { return publisher_.published() != before; }));
    const SteadyTime shown_at = steady_now();
    loop_->run_for(5ms);
    const WorldPtr shown = publisher_.published();
    publisher_.leases_changed();
    const bool again = publisher_.published() != shown;
    // run_until() looks every 10 ms, so the publication may be that much older.
    if (steady_now() - shown_at > Publisher::kShortestGap - 15ms) continue;
    ++judged;
    EXPECT_FALSE(again);
  }
  EXPECT_GT(judged, 0) << "this machine is too busy to judge";
}

TEST_F(PublisherTest, AMachineThatCannotBeReadIsNoticed) {
  publisher_.take_host(sample_of(steady_now()));
  EXPECT_FALSE(publisher_.world()->host_stale);
  publisher_.take_host(sample_of(SteadyTime{steady_now().ns - Nanoseconds(10s).count()}));
  const WorldPtr world = publisher_.world();
  EXPECT_TRUE(world->host_stale);
  const std::string status = api::status_json(*world);
  EXPECT_NE(status.find("\"name\":\"host_status\",\"state\":\"UNKNOWN\""), std::string::npos)
      << status;
  EXPECT_NE(status.find("10 s old"), std::string::npos) << status;
}

// One World for both halves of a second; should the second half hang, the first is shown anyway.
TEST_F(PublisherTest, AViewIsShownWithTheLookAtTheMachineThatFollowsIt) {
  Publisher::Facts quick = facts();
  quick.interval = 100ms;
  Publisher publisher(*loop_, quick, *keeper_);
  const auto view = std::make_shared<gpu::SensorView>();
  view->gpus = {gpu_with(0, gib(8), gib(1), {})};
  std::this_thread::sleep_for(60ms);
  const WorldPtr before = publisher.published();
  publisher.take_gpus(view, true);
  EXPECT_EQ(publisher.published(), before);
  EXPECT_EQ(publisher.world()->gpus.size(), 1u) << "a reader has it at once";
  publisher.take_host(sample_of(steady_now()));
  ASSERT_NE(publisher.published(), before);
  EXPECT_EQ(publisher.published()->gpus.size(), 1u);

  const auto bare = std::make_shared<gpu::SensorView>();
  std::this_thread::sleep_for(60ms);
  publisher.take_gpus(bare, true);
  EXPECT_EQ(publisher.published()->gpus.size(), 1u);
  std::this_thread::sleep_for(60ms);
  publisher.tick();
  EXPECT_EQ(publisher.published()->gpus.size(), 0u) << "the look never came";

  std::this_thread::sleep_for(60ms);
  publisher.take_gpus(view);
  EXPECT_EQ(publisher.published()->gpus.size(), 1u) << "nothing to wait for";
}

TEST_F(PublisherTest, WhereNothingArrivesTheAgeStillShows) {
  Publisher::Facts quick = facts();
  quick.interval = 50ms;
  Publisher publisher(*loop_, quick, *keeper_);
  const std::uint64_t first = publisher.published()->sequence;
  loop_->run_for(60ms);
  std::this_thread::sleep_for(60ms);
  publisher.tick();
  EXPECT_GT(publisher.published()->sequence, first);
}

}  // namespace
}  // namespace estiva::daemon
