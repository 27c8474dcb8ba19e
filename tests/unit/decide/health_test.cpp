// Every condition of a GPU's health: what raises it, a near miss, and its end. The limits are those
// of the reference table, worked out by hand here.
#include "unit/decide/health_fixture.h"

namespace estiva::decide {
namespace {

class Health : public HealthFixture {};

TEST_F(Health, AWellGpuHasNoCondition) {
  pass(700s);
  ASSERT_EQ(tracker_.health().size(), 2u);
  EXPECT_EQ(open(), "");
  EXPECT_EQ(first().state, HealthState::ok);
  EXPECT_EQ(worst_of(tracker_.health()), HealthState::ok);
}

TEST_F(Health, WarmIsFiveBelowTheSlowdownAndEndsThreeLower) {
  hot(84.9);
  EXPECT_EQ(open(), "");
  hot(85);
  EXPECT_EQ(open(), "temperature:WARN");
  EXPECT_FALSE(first().conditions[0].blocks_placement);
  EXPECT_EQ(first().conditions[0].since, now_);
  EXPECT_NE(first().conditions[0].reason.find("90 C"), std::string::npos);
  hot(82);
  EXPECT_EQ(open(), "temperature:WARN") << "it would flap otherwise";
  hot(81.9);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, TheSlowdownItselfCountsAfterHalfAMinute) {
  hot(90, 30s);  // 29 s passed between the first reading and the last
  EXPECT_EQ(open(), "temperature:WARN");
  hot(89, 1s);
  hot(90, 30s);
  EXPECT_EQ(open(), "temperature:WARN") << "a break starts the count anew";
  pass(1s);
  EXPECT_EQ(open(), "temperature:DEGRADED");
  hot(87, 1s);
  EXPECT_EQ(open(), "temperature:DEGRADED");
  hot(86.9, 1s);
  EXPECT_EQ(open(), "temperature:WARN");
}

TEST_F(Health, ThreeBelowTheShutdownIsCriticalAtOnce) {
  hot(94.9);
  EXPECT_EQ(open(), "temperature:WARN");
  hot(95);
  EXPECT_EQ(open(), "temperature:UNHEALTHY");
  EXPECT_TRUE(first().conditions[0].blocks_placement);
  EXPECT_NE(first().conditions[0].reason.find("98 C"), std::string::npos);
  hot(92);
  EXPECT_EQ(open(), "temperature:UNHEALTHY");
  hot(91.9);
  EXPECT_EQ(open(), "temperature:WARN");
}

TEST_F(Health, WithoutALimitOfItsOwnItIsNinety) {
  gpus_[0].identity.slowdown_at = gpus_[0].identity.shutdown_at = Missing::not_supported;
  hot(89.9);
  EXPECT_EQ(open(), "temperature:WARN");
  hot(90);
  EXPECT_EQ(open(), "temperature:UNHEALTHY");
  hot(84);
  EXPECT_EQ(open(), "temperature:WARN");
  hot(81);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, ALimitInTheSettingsGoesBeforeTheDevices) {
  tracker_ = HealthTracker({Celsius{70}});
  hot(64.9);
  EXPECT_EQ(open(), "");
  hot(69.9);
  EXPECT_EQ(open(), "temperature:WARN");
  hot(70);
  EXPECT_EQ(open(), "temperature:UNHEALTHY");
  EXPECT_NE(first().conditions[0].reason.find("health.max_temperature"), std::string::npos);
}

TEST_F(Health, AHardwareSlowdownCountsByItsShareOfTenMinutes) {
  pass(1s);
  sample().clock_event_reasons = std::uint64_t{0x40};
  pass(30s);  // 30 of 600: 5 %
  EXPECT_EQ(open(), "");
  sample().clock_event_reasons = std::uint64_t{0x80};
  pass(1s);
  EXPECT_EQ(open(), "hardware_slowdown:DEGRADED");
  pass(269s);  // 300 of 600
  EXPECT_EQ(open(), "hardware_slowdown:DEGRADED");
  pass(1s);
  EXPECT_EQ(open(), "hardware_slowdown:UNHEALTHY");
  EXPECT_FALSE(first().conditions[0].blocks_placement);
  sample().clock_event_reasons = std::uint64_t{0};
  pass(620s);  // the window and one slot
  EXPECT_EQ(open(), "");
}

TEST_F(Health, WhatIsNobodysIllnessIsNotCounted) {
  sample().clock_event_reasons = std::uint64_t{0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x100};
  pass(700s);
  EXPECT_EQ(open(), "") << "idle, user's clocks, power cap, any change, sync boost, display";
}

TEST_F(Health, ADriverThatCoolsIsAWarning) {
  pass(1s);
  sample().clock_event_reasons = std::uint64_t{0x20};
  pass(30s);
  EXPECT_EQ(open(), "");
  pass(1s);
  EXPECT_EQ(open(), "thermal_slowdown:WARN");
  sample().clock_event_reasons = std::uint64_t{0};
  pass(620s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, ALongGapBetweenReadingsIsNotCountedAsSlowedDown) {
  sample().clock_event_reasons = std::uint64_t{0x40};
  pass(1s);
  now_ = now_ + 400s;
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, AnErrorThatEccCouldNotCorrectStopsPlacementUntilTheReset) {
  sample().ecc_uncorrected = std::uint64_t{1};
  pass(1s);
  EXPECT_EQ(open(), "ecc_uncorrected:UNHEALTHY");
  EXPECT_TRUE(first().conditions[0].blocks_placement);
  sample().ecc_uncorrected = Missing::failed;
  pass(1s);
  EXPECT_EQ(open(), "ecc_uncorrected:UNHEALTHY") << "a missing figure heals nothing";
  sample().ecc_uncorrected = std::uint64_t{0};
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, ANarrowLinkIsJudgedUnderLoadForAMinute) {
  sample().pcie_width = 8U;
  pass(60s);  // 59 s between the first and the last
  EXPECT_EQ(open(), "");
  pass(1s);
  EXPECT_EQ(open(), "pcie_width:DEGRADED");
  EXPECT_NE(first().conditions[0].reason.find("8 of 16"), std::string::npos);
  sample().utilization = Ratio{0};
  sample().pcie_width = 16U;
  pass(60s);
  EXPECT_EQ(open(), "pcie_width:DEGRADED") << "at rest it proves nothing";
  sample().utilization = Ratio{0.9};
  pass(10s);
  EXPECT_EQ(open(), "pcie_width:DEGRADED");
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, ALinkAtRestMayBeNarrowAndSlow) {
  sample().pcie_width = 8U;
  sample().pcie_generation = 1U;
  sample().utilization = Ratio{0.3};
  pass(120s);
  EXPECT_EQ(open(), "");
  sample().utilization = Ratio{0.9};
  sample().performance_state = 3U;
  pass(120s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, ASlowLinkIsAWarning) {
  sample().pcie_generation = 3U;
  pass(60s);
  EXPECT_EQ(open(), "");
  pass(1s);
  EXPECT_EQ(open(), "pcie_generation:WARN");
  sample().pcie_generation = 4U;
  pass(11s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, AFanThatStandsStillInTheHeat) {
  sample().fan = Ratio{0};
  hot(80, 60s);
  EXPECT_EQ(open(), "") << "many fans rest below 80 C";
  hot(81, 30s);
  EXPECT_EQ(open(), "");
  pass(1s);
  EXPECT_EQ(open(), "fan:WARN");
  sample().fan = Ratio{0.2};
  pass(10s);
  EXPECT_EQ(open(), "fan:WARN");
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, AFanThatRestsAgainIsWellOnceItIsThreeCooler) {
  sample().fan = Ratio{0};
  hot(81, 31s);
  hot(77, 60s);
  EXPECT_EQ(open(), "fan:WARN");
  hot(76.9, 11s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, ALinkWithoutALimitIsNotJudged) {
  gpus_[0].identity.pcie_max_width = Missing::not_supported;
  gpus_[0].identity.pcie_max_generation = Missing::not_supported;
  sample().pcie_width = sample().pcie_generation = 1U;
  pass(120s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, MemoryHasALimitOfItsOwn) {
  gpus_[0].identity.memory_max = Celsius{105};
  sample().memory_temperature = Celsius{99.9};
  pass(40s);
  EXPECT_EQ(open(), "");
  sample().memory_temperature = Celsius{100};
  pass(1s);
  EXPECT_EQ(open(), "memory_temperature:WARN");
  sample().memory_temperature = Celsius{105};
  pass(30s);
  EXPECT_EQ(open(), "memory_temperature:WARN");
  pass(1s);
  EXPECT_EQ(open(), "memory_temperature:DEGRADED");
  sample().memory_temperature = Celsius{102};
  pass(1s);
  EXPECT_EQ(open(), "memory_temperature:DEGRADED");
  sample().memory_temperature = Celsius{101.9};
  pass(1s);
  EXPECT_EQ(open(), "memory_temperature:WARN");
  sample().memory_temperature = Celsius{96.9};
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, APartOfAGpuKeepsItsHistory) {
  gpus_[0].identity.id.instance = "MIG-1";
  hot(90, 31s);
  EXPECT_EQ(open(), "temperature:DEGRADED");
}

TEST_F(Health, PowerFarAboveItsLimit) {
  sample().power = Watts{250};
  pass(60s);
  EXPECT_EQ(open(), "");
  sample().power = Watts{250.5};
  pass(30s);
  EXPECT_EQ(open(), "");
  pass(1s);
  EXPECT_EQ(open(), "power:WARN");
  sample().power = Watts{201};
  pass(60s);
  EXPECT_EQ(open(), "power:WARN");
  sample().power = Watts{200};
  pass(11s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, WhatTheDriverSaysOfAGpu) {
  sample().state = GpuState::lost;
  pass(1s);
  EXPECT_EQ(open(), "lost:UNHEALTHY");
  EXPECT_TRUE(first().conditions[0].blocks_placement);
  sample().state = GpuState::reset_required;
  pass(1s);
  EXPECT_EQ(open(), "reset_required:UNHEALTHY");
  sample().state = GpuState::failed;
  pass(1s);
  EXPECT_EQ(open(), "no_answer:UNKNOWN");
  sample().state = GpuState::asleep;
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Health, AGpuThatIsGoneIsNamedAndAPartOfOneIsNot) {
  gpus_.push_back(a_gpu("GPU-b", 1));
  gpus_.back().identity.id.instance = "MIG-1";
  pass(1s);
  gpus_.pop_back();
  gpus_.pop_back();
  pass(1s);
  ASSERT_EQ(tracker_.health().size(), 2u);
  const GpuHealth gone = tracker_.health()[1];
  EXPECT_EQ(gone.device, "GPU-b");
  EXPECT_EQ(gone.state, HealthState::unhealthy);
  ASSERT_EQ(gone.conditions.size(), 1u);
  EXPECT_EQ(gone.conditions[0].id, "missing");
  EXPECT_EQ(gone.conditions[0].since, now_);
  EXPECT_NE(gone.conditions[0].reason.find("00000000:02:00.0"), std::string::npos);
  EXPECT_EQ(worst_of(tracker_.health()), HealthState::unhealthy);
  pass(5s);
  EXPECT_EQ(tracker_.health()[1].conditions[0].since, gone.conditions[0].since);
  gpus_.push_back(a_gpu("GPU-b", 1));
  pass(1s);
  EXPECT_EQ(worst_of(tracker_.health()), HealthState::ok);
}

TEST_F(Health, ADriverThatIsAwayMakesNoGpuMissing) {
  pass(1s);
  gpus_.clear();
  for (const DriverState state : {DriverState::unresponsive, DriverState::initialising,
                                  DriverState::mismatch, DriverState::released}) {
    driver_.state = state;
    pass(1s);
    EXPECT_EQ(tracker_.health().size(), 2u);
    EXPECT_EQ(worst_of(tracker_.health()), HealthState::ok) << "the driver's own state says it";
  }
  driver_.state = DriverState::partial;
  pass(1s);
  EXPECT_EQ(worst_of(tracker_.health()), HealthState::unhealthy);
}

TEST_F(Health, TheWorstConditionIsTheStateAndComesFirst) {
  sample().fan = Ratio{0};
  sample().ecc_uncorrected = std::uint64_t{3};
  hot(86, 40s);
  EXPECT_EQ(open(), "ecc_uncorrected:UNHEALTHY fan:WARN temperature:WARN");
  EXPECT_EQ(first().state, HealthState::unhealthy);
}

TEST_F(Health, AnOlderReadingIsIgnored) {
  hot(86);
  sample().temperature = Celsius{50};
  tracker_.observe(driver_, gpus_, now_);
  EXPECT_EQ(open(), "temperature:WARN");
}

TEST_F(Health, OnlyWhatBlocksMakesAGpuUnfit) {
  hot(86);
  EXPECT_TRUE(unfit_gpus(tracker_.health()).empty());
  sample().ecc_uncorrected = std::uint64_t{2};
  pass(1s);
  const auto unfit = unfit_gpus(tracker_.health());
  ASSERT_EQ(unfit.size(), 1u);
  EXPECT_EQ(unfit[0].device, "GPU-a");
  EXPECT_EQ(unfit[0].why, first().conditions[0].reason);
}

}  // namespace
}  // namespace estiva::decide
