// Who is told how much.
#include "decide/notify_limit.h"

#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

using namespace std::chrono_literals;
using enum HealthState;

class NotifyLimitTest : public testing::Test {
 protected:
  bool tells(HealthState state, const std::string& key = "a") {
    return limit_.tells(key, state, now_);
  }
  SteadyTime now_{1'000'000'000'000};
  NotifyLimit limit_{degraded, 5};
};

TEST_F(NotifyLimitTest, FromTheStateThatIsAskedForOnAndItsEnd) {
  EXPECT_FALSE(tells(warn));
  EXPECT_FALSE(tells(unknown));
  EXPECT_FALSE(tells(ok)) << "the end of what was not told";
  EXPECT_TRUE(tells(degraded));
  EXPECT_FALSE(tells(degraded)) << "said already";
  EXPECT_TRUE(tells(unhealthy));
  EXPECT_FALSE(tells(degraded)) << "milder";
  EXPECT_TRUE(tells(ok));
  EXPECT_FALSE(tells(ok));
}

TEST_F(NotifyLimitTest, WhatFlapsIsSaidOnceInTenMinutes) {
  EXPECT_TRUE(tells(degraded));
  EXPECT_TRUE(tells(ok));
  now_ = now_ + (10min - 1ns);
  EXPECT_FALSE(tells(degraded));
  EXPECT_FALSE(tells(ok)) << "its beginning was not said";
  EXPECT_TRUE(tells(unhealthy)) << "another state";
  EXPECT_TRUE(tells(ok));
  now_ = now_ + 1ns;
  EXPECT_TRUE(tells(degraded));
}

TEST_F(NotifyLimitTest, AtMostSoManyAnHourAndTheRestIsCounted) {
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(tells(unhealthy, std::to_string(i)));
  EXPECT_EQ(limit_.held_back(), 0U);
  for (int i = 5; i < 8; ++i) EXPECT_FALSE(tells(unhealthy, std::to_string(i)));
  EXPECT_FALSE(tells(ok, "0"));
  EXPECT_EQ(limit_.held_back(), 4U);
  EXPECT_EQ(limit_.held_back(), 0U) << "said once";
  now_ = now_ + (1h - 1ns);
  EXPECT_FALSE(tells(unhealthy, "9"));
  now_ = now_ + 1ns;
  EXPECT_TRUE(tells(unhealthy, "9"));
}

TEST_F(NotifyLimitTest, KeysAreApart) {
  EXPECT_TRUE(tells(degraded, "a"));
  EXPECT_TRUE(tells(degraded, "b"));
  EXPECT_TRUE(tells(ok, "a"));
  EXPECT_FALSE(tells(ok, "a"));
  EXPECT_TRUE(tells(ok, "b"));
}

}  // namespace
}  // namespace estiva::decide
