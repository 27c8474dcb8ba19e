// The supervisor's decisions, without a process: events and times in, effects out.
#include <functional>
#include <gtest/gtest.h>
#include <random>

#include "gpu/sensor_policy.h"

namespace estiva::gpu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Phase = SensorPolicy::Phase;

SteadyTime at(double s) {
  return {static_cast<std::int64_t>(s * 1e9)};
}
DriverStatus said(DriverState state) {
  DriverStatus driver;
  driver.state = state;
  return driver;
}
const Ending kSegv{"signal 11 (Segmentation fault)", false};
const Ending kKilled{"signal 9 (Killed)", true};

// Started at 0, driver initialised, first read answered at 0.1 s: a sensor in good health.
SensorPolicy healthy(PolicyLimits limits = {}) {
  SensorPolicy policy(limits);
  policy.start(at(0));
  const Effects spawned = policy.spawned(at(0), 42);
  policy.driver_said(at(0.05), said(DriverState::ready));
  policy.answered(at(0.1), spawned.read->id);
  return policy;
}

TEST(Policy, TheFirstReadIsSentAtOnceAndAsksForEverything) {
  SensorPolicy policy({});
  const Effects started = policy.start(at(0));
  EXPECT_TRUE(started.spawn);
  EXPECT_EQ(policy.status().state, DriverState::initialising);
  const Effects spawned = policy.spawned(at(0), 42);
  ASSERT_TRUE(spawned.read.has_value());
  EXPECT_EQ(spawned.read->tiers, Tiers::all());
}

TEST(Policy, AnAnswerMakesItReady) {
  SensorPolicy policy = healthy();
  EXPECT_EQ(policy.status().state, DriverState::ready);
  EXPECT_EQ(policy.phase(), Phase::running);
  EXPECT_EQ(policy.answered_read_at(), at(0));
}

TEST(Policy, ReadersThatComeWhileAReadIsInFlightShareTheNextOne) {
  SensorPolicy policy = healthy();
  const auto first = policy.request(at(1), Tier::memory);
  const auto second = policy.request(at(1.01), Tier::processes);
  const auto third = policy.request(at(1.02), Tier::memory);
  ASSERT_TRUE(first.id && second.id && third.id);
  EXPECT_TRUE(first.effects.read.has_value());
  EXPECT_FALSE(second.effects.read.has_value());
  EXPECT_NE(*first.id, *second.id) << "the read in flight was sent before the question";
  EXPECT_EQ(*second.id, *third.id);
  const Effects answered = policy.answered(at(1.03), *first.id);
  EXPECT_EQ(answered.answered, first.id);
  ASSERT_TRUE(answered.read.has_value());
  EXPECT_EQ(answered.read->id, *second.id);
  EXPECT_EQ(answered.read->tiers, Tier::memory | Tier::processes);
}

TEST(Policy, AHungCallIsReportedWithinOneIntervalAndKilledAfterThree) {
  SensorPolicy policy = healthy(PolicyLimits::of_interval(seconds(1)));
  policy.request(at(1), Tier::fast);
  EXPECT_EQ(policy.wake_at(), at(1.75));
  EXPECT_FALSE(policy.tick(at(1.7)).publish);
  const Effects late = policy.tick(at(1.75));
  EXPECT_TRUE(late.publish);
  EXPECT_TRUE(late.drop_readers);
  EXPECT_FALSE(late.kill);
  EXPECT_EQ(policy.status().state, DriverState::unresponsive);
  EXPECT_EQ(policy.wake_at(), at(4));
  EXPECT_TRUE(policy.tick(at(4)).kill);
  EXPECT_EQ(policy.status().missed_deadlines, 1U);
}

TEST(Policy, ALateAnswerEndsTheTroubleWithoutAKill) {
  SensorPolicy policy = healthy();
  const auto ticket = policy.request(at(1), Tier::fast);
  policy.tick(at(2));
  const Effects answered = policy.answered(at(2.5), *ticket.id);
  EXPECT_TRUE(answered.answered.has_value());
  EXPECT_EQ(policy.status().state, DriverState::ready);
  EXPECT_EQ(policy.status().missed_deadlines, 1U);
}

TEST(Policy, NobodyWaitsForAReadThatIsLate) {
  SensorPolicy policy = healthy();
  policy.request(at(1), Tier::fast);
  policy.tick(at(2));
  EXPECT_FALSE(policy.request(at(2.1), Tier::memory).id.has_value());
}

TEST(Policy, AHangInInitHasTheStartLimitAndIsThenUnresponsive) {
  SensorPolicy policy({});
  policy.start(at(0));
  policy.spawned(at(0), 42);
  EXPECT_FALSE(policy.tick(at(14)).kill);
  EXPECT_EQ(policy.status().state, DriverState::initialising);
  EXPECT_TRUE(policy.tick(at(15)).kill);
  EXPECT_EQ(policy.status().state, DriverState::unresponsive);
}

TEST(Policy, AReadCountsFromTheMomentTheDriverWasReady) {
  SensorPolicy policy({});
  policy.start(at(0));
  policy.spawned(at(0), 42);
  policy.driver_said(at(10), said(DriverState::ready));
  EXPECT_FALSE(policy.tick(at(10.9)).publish);
  EXPECT_TRUE(policy.tick(at(11)).publish);
}

TEST(Policy, AKilledSensorIsReplacedOnlyWhenItWasReaped) {
  SensorPolicy policy = healthy();
  policy.request(at(1), Tier::fast);
  policy.tick(at(2));
  policy.tick(at(4));
  EXPECT_EQ(policy.phase(), Phase::dying);
  EXPECT_FALSE(policy.tick(at(4.5)).spawn);
  policy.ended(at(4.6), kKilled);
  EXPECT_EQ(policy.status().state, DriverState::unresponsive) << "until a new one answers";
  EXPECT_FALSE(policy.tick(at(4.7)).spawn);
  EXPECT_TRUE(policy.tick(at(4.85)).spawn);
  EXPECT_EQ(policy.status().sensor_restarts, 1U);
}

TEST(Policy, ASensorThatCantBeReapedIsStuckAndGetsNoSibling) {
  SensorPolicy policy = healthy();
  policy.request(at(1), Tier::fast);
  policy.tick(at(2));
  policy.tick(at(4));
  const Effects stuck = policy.tick(at(6));
  EXPECT_TRUE(stuck.publish);
  EXPECT_EQ(policy.status().state, DriverState::stuck);
  EXPECT_FALSE(policy.wake_at().has_value());
  for (double t = 7; t < 3600; t += 60) EXPECT_FALSE(policy.tick(at(t)).spawn) << t;
  EXPECT_FALSE(policy.request(at(3600), Tier::memory).id.has_value());
  policy.ended(at(3700), kKilled);
  EXPECT_EQ(policy.status().state, DriverState::unresponsive);
  EXPECT_TRUE(policy.tick(at(3731)).spawn);
}

TEST(Policy, ACrashSaysHowItEndedAndIsRestarted) {
  SensorPolicy policy = healthy();
  policy.request(at(1), Tier::fast);
  const Effects ended = policy.ended(at(1.2), kSegv);
  EXPECT_TRUE(ended.publish);
  EXPECT_TRUE(ended.drop_readers);
  EXPECT_EQ(policy.status().state, DriverState::crashed);
  EXPECT_NE(policy.status().reason.find("signal 11"), std::string::npos);
  EXPECT_TRUE(policy.tick(at(1.5)).spawn);
}

TEST(Policy, BackoffDoublesUpToItsMostAndIsForgottenAfterAMinuteOfHealth) {
  SensorPolicy policy = healthy();
  double now = 1;
  double before = 0;
  Effects spawned;
  for (int i = 0; i < 12; ++i) {
    policy.ended(at(now), kSegv);
    ASSERT_TRUE(policy.wake_at().has_value());
    const double wait = static_cast<double>((*policy.wake_at() - at(now)).count()) / 1e9;
    EXPECT_GE(wait, before);
    EXPECT_LE(wait, 30.0);
    before = wait;
    now += wait;
    spawned = policy.spawned(at(now), 43);
  }
  EXPECT_EQ(before, 30.0);
  policy.driver_said(at(now), said(DriverState::ready));
  policy.answered(at(now + 0.1), spawned.read->id);
  const auto ticket = policy.request(at(now + 61), Tier::fast);
  policy.answered(at(now + 61.1), *ticket.id);
  policy.ended(at(now + 62), kSegv);
  EXPECT_EQ(policy.wake_at(), at(now + 62) + milliseconds(250));
}

TEST(Policy, AMalformedMessageEndsTheSensor) {
  SensorPolicy policy = healthy();
  const Effects effects = policy.malformed(at(1));
  EXPECT_TRUE(effects.kill);
  EXPECT_EQ(policy.status().state, DriverState::crashed);
  policy.ended(at(1.1), kKilled);
  EXPECT_EQ(policy.status().state, DriverState::crashed);
}

TEST(Policy, AnAnswerToAnotherQuestionIsMalformed) {
  SensorPolicy policy = healthy();
  const auto ticket = policy.request(at(1), Tier::fast);
  EXPECT_TRUE(policy.answered(at(1.1), *ticket.id + 7).kill);
}

TEST(Policy, AMismatchIsShownAndReadByAFreshProcess) {
  SensorPolicy policy = healthy();
  const auto ticket = policy.request(at(1), Tier::fast);
  policy.driver_said(at(1.1), said(DriverState::mismatch));
  const Effects answered = policy.answered(at(1.1), *ticket.id);
  EXPECT_TRUE(answered.quit);
  EXPECT_EQ(policy.status().state, DriverState::mismatch);
  policy.ended(at(1.2), {"exit code 0", true});
  EXPECT_EQ(policy.status().state, DriverState::mismatch);
  EXPECT_TRUE(policy.tick(at(2)).spawn);
}

TEST(Policy, AMachineWithoutDriverKeepsItsSensorAndAsksOn) {
  SensorPolicy policy({});
  policy.start(at(0));
  const Effects spawned = policy.spawned(at(0), 42);
  policy.driver_said(at(0.1), said(DriverState::no_driver));
  EXPECT_FALSE(policy.answered(at(0.1), spawned.read->id).quit);
  EXPECT_TRUE(policy.request(at(1), Tier::memory).id.has_value());
}

TEST(Policy, ReleasedIsSaidOnlyWhenTheHandlesAreGone) {
  SensorPolicy policy = healthy();
  EXPECT_TRUE(policy.release(at(1)).quit);
  EXPECT_NE(policy.status().state, DriverState::released);
  policy.ended(at(1.1), {"exit code 0", true});
  EXPECT_EQ(policy.status().state, DriverState::released);
  EXPECT_FALSE(policy.wake_at().has_value());
  EXPECT_FALSE(policy.request(at(2), Tier::memory).id.has_value());
  policy.reacquire(at(3));
  EXPECT_TRUE(policy.tick(at(3)).spawn);
}

TEST(Policy, ASensorThatDoesNotLeaveIsKilled) {
  SensorPolicy policy = healthy();
  policy.stop(at(1));
  EXPECT_FALSE(policy.tick(at(1.9)).kill);
  EXPECT_TRUE(policy.tick(at(2)).kill);
  policy.ended(at(2.1), kKilled);
  EXPECT_EQ(policy.phase(), Phase::stopped);
  EXPECT_FALSE(policy.wake_at().has_value());
}

TEST(Policy, AMissingProgramIsAStateWithARemedy) {
  SensorPolicy policy({});
  policy.start(at(0));
  const Effects effects = policy.spawn_failed(at(0), fail("start /x: No such file").value());
  EXPECT_TRUE(effects.publish);
  EXPECT_EQ(policy.status().state, DriverState::failed);
  EXPECT_NE(policy.status().reason.find("/x"), std::string::npos);
  EXPECT_FALSE(policy.status().remedy.empty());
  EXPECT_TRUE(policy.tick(at(1)).spawn);
}

// Whatever happens in whatever order: never two sensors, never a read to a sensor that is not
// there, never an answer that was not asked for, and never a wait without an end.
TEST(Policy, RandomEventsNeverMakeTwoSensors) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    std::mt19937 random(seed);
    SensorPolicy policy({});
    int alive = 0;
    std::uint64_t in_flight = 0;
    double now = 0;
    const std::function<void(const Effects&)> apply = [&](const Effects& e) {
      if (e.read) {
        ASSERT_EQ(alive, 1) << seed;
        in_flight = e.read->id;
      }
      if (e.spawn) {
        ASSERT_EQ(alive, 0) << seed;
        if (random() % 5 == 0) {
          apply(policy.spawn_failed(at(now), Error{}));
        } else {
          alive = 1;
          apply(policy.spawned(at(now), 7));
        }
      }
    };
    apply(policy.start(at(0)));
    for (int step = 0; step < 200; ++step) {
      now += static_cast<double>(random() % 2000) / 1000.0;
      switch (random() % 9) {
        case 0:
          apply(policy.request(at(now), Tier::memory).effects);
          break;
        case 1:
        case 2:
          if (alive && policy.is_reading()) apply(policy.answered(at(now), in_flight));
          break;
        case 3:
          if (alive) apply(policy.driver_said(at(now), said(DriverState::ready)));
          break;
        case 4:
          if (alive) alive = 0, apply(policy.ended(at(now), kSegv));
          break;
        case 5:
          if (alive) apply(policy.hung_up(at(now)));
          break;
        case 6:
          apply(random() % 2 ? policy.release(at(now)) : policy.reacquire(at(now)));
          break;
        default:
          apply(policy.tick(at(now)));
          break;
      }
      const Phase phase = policy.phase();
      ASSERT_EQ(alive == 1, phase == Phase::running || phase == Phase::leaving ||
                                phase == Phase::dying || phase == Phase::stuck)
          << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace estiva::gpu
