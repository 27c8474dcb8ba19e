#include "decide/refusal_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

using namespace std::chrono_literals;

TEST(RefusalLog, TheSameAgainIsNoNewsForTenMinutes) {
  RefusalLog log;
  const SteadyTime start{1'000'000'000'000};
  EXPECT_TRUE(log.is_news("a", "no room", start));
  EXPECT_FALSE(log.is_news("a", "no room", start + 1s));
  EXPECT_FALSE(log.is_news("a", "no room", start + 599s));
  EXPECT_TRUE(log.is_news("a", "no room", start + 600s));
  EXPECT_FALSE(log.is_news("a", "no room", start + 1199s));
}

TEST(RefusalLog, AnotherReasonOrModelIsNews) {
  RefusalLog log;
  const SteadyTime now{5};
  EXPECT_TRUE(log.is_news("a", "no room", now));
  EXPECT_TRUE(log.is_news("b", "no room", now));
  EXPECT_TRUE(log.is_news("a", "no driver", now));
  EXPECT_TRUE(log.is_news("a", "no room", now));
  EXPECT_FALSE(log.is_news("b", "no room", now));
}

TEST(RefusalLog, WhatWasGrantedMeanwhileIsNewsAgain) {
  RefusalLog log;
  EXPECT_TRUE(log.is_news("a", "no room", {5}));
  log.forget("a");
  EXPECT_TRUE(log.is_news("a", "no room", {6}));
}

TEST(RefusalLog, ItsMemoryIsBoundedAndTheOldestGoes) {
  RefusalLog log;
  for (std::size_t i = 0; i < RefusalLog::kMostModels; ++i) {
    EXPECT_TRUE(log.is_news(fmt::format("m{}", i), "no room", {static_cast<std::int64_t>(i)}));
  }
  EXPECT_TRUE(log.is_news("one more", "no room", {2000}));
  EXPECT_FALSE(log.is_news("m1", "no room", {2001}));
  EXPECT_TRUE(log.is_news("m0", "no room", {2002})) << "it was the oldest";
}

}  // namespace
}  // namespace estiva::decide
