// The slow figures: what opens a condition, a near miss, and its end. The limits are those of the
// reference table (DCGM's and the driver's own), worked out by hand here.
#include "unit/decide/health_fixture.h"

namespace estiva::decide {
namespace {

class Wear : public HealthFixture {
 protected:
  Wear() {
    wear() = unworn();
    read();
  }
  GpuWear& wear() { return gpus_[0].wear; }
  // A reading of the slow figures, ten seconds after the last one.
  void read() {
    pass(10s);
    wear().read_at = now_;
    pass(1s);
  }
  bool blocks() const { return first().conditions.at(0).blocks_placement; }
};

TEST_F(Wear, AWellGpuHasNoCondition) {
  EXPECT_EQ(open(), "");
}

TEST_F(Wear, IsJudgedOnceAReading) {
  wear().remap_pending = 1U;
  pass(60s);
  EXPECT_EQ(open(), "") << "nothing new was read";
  read();
  EXPECT_EQ(open(), "row_remap_pending:DEGRADED");
}

TEST_F(Wear, ARowThatWaitsForAResetIsServedOn) {
  wear().remap_pending = 1U;
  read();
  EXPECT_EQ(open(), "row_remap_pending:DEGRADED");
  EXPECT_FALSE(blocks());
  wear().remap_pending = Missing::failed;
  read();
  EXPECT_EQ(open(), "row_remap_pending:DEGRADED") << "a missing figure heals nothing";
  wear().remap_pending = 0U;
  read();
  EXPECT_EQ(open(), "");
}

TEST_F(Wear, ARowThatCouldNotBeReplacedStopsPlacement) {
  wear().remap_failed = 1U;
  read();
  EXPECT_EQ(open(), "row_remap_failed:UNHEALTHY");
  EXPECT_TRUE(blocks());
  wear().remap_failed = 0U;
  read();
  EXPECT_EQ(open(), "");
}

TEST_F(Wear, TooManyRowsWereReplaced) {
  wear().remapped_corrected = 5000U;
  wear().remapped_uncorrected = 511U;
  read();
  EXPECT_EQ(open(), "");
  wear().remapped_uncorrected = 512U;
  read();
  EXPECT_EQ(open(), "row_remaps:UNHEALTHY");
  EXPECT_FALSE(blocks());
}

TEST_F(Wear, RetiredPages) {
  wear().retired_pages = 14U;
  read();
  EXPECT_EQ(open(), "");
  wear().retired_pages = 15U;
  read();
  EXPECT_EQ(open(), "retired_pages:WARN");
  wear().retired_pages = 62U;
  read();
  EXPECT_EQ(open(), "retired_pages:WARN");
  wear().retired_pages = 63U;
  wear().retired_pending = 1U;
  read();
  EXPECT_EQ(open(), "retired_pages:UNHEALTHY retired_pages_pending:DEGRADED");
  EXPECT_TRUE(blocks());
  wear().retired_pages = wear().retired_pending = 0U;
  read();
  EXPECT_EQ(open(), "");
}

TEST_F(Wear, ErrorsOfAnEarlierLifeAreAWarning) {
  wear().ecc_uncorrected_lifetime = std::uint64_t{3};
  sample().ecc_uncorrected = std::uint64_t{1};
  read();
  EXPECT_EQ(open(), "ecc_uncorrected:UNHEALTHY") << "said once";
  sample().ecc_uncorrected = std::uint64_t{0};
  read();
  EXPECT_EQ(open(), "ecc_lifetime:WARN");
  wear().ecc_uncorrected_lifetime = std::uint64_t{0};
  read();
  EXPECT_EQ(open(), "");
}

TEST_F(Wear, WhatTheDriverWantsIsDone) {
  const struct {
    unsigned action;
    const char* open;
    bool blocks;
  } rows[] = {{1, "recovery_action:UNHEALTHY", true},
              {2, "recovery_action:UNHEALTHY", true},
              {3, "recovery_action:WARN", false},
              {4, "recovery_action:UNHEALTHY", true},
              {5, "recovery_action:DEGRADED", false}};
  for (const auto& row : rows) {
    wear().recovery_action = row.action;
    read();
    EXPECT_EQ(open(), row.open) << row.action;
    EXPECT_EQ(blocks(), row.blocks) << row.action;
  }
  EXPECT_NE(first().conditions[0].reason.find("5"), std::string::npos);
  wear().recovery_action = 0U;
  read();
  EXPECT_EQ(open(), "");
}

TEST_F(Wear, ALinkThatWasThereIsMissed) {
  wear().nvlinks_active = 3U;
  read();
  EXPECT_EQ(open(), "nvlink_down:DEGRADED");
  wear().nvlinks_active = 4U;
  read();
  EXPECT_EQ(open(), "");
}

TEST_F(Wear, LinksThatNeverWereActiveAreNotMissed) {
  gpus_[1].wear = wear();
  gpus_[1].wear.nvlinks_active = 0U;
  gpus_[1].wear.read_at = now_;
  pass(1s);
  EXPECT_TRUE(tracker_.health().at(1).conditions.empty()) << "no bridge";
}

TEST_F(Wear, AReplayOnALinkIsSaidForTenMinutes) {
  wear().nvlink_errors = std::uint64_t{1};
  read();
  EXPECT_EQ(open(), "nvlink_errors:DEGRADED");
  for (int i = 0; i < 54; ++i) read();  // 594 s
  EXPECT_EQ(open(), "nvlink_errors:DEGRADED");
  for (int i = 0; i < 2; ++i) read();
  EXPECT_EQ(open(), "") << "none more since";
}

TEST_F(Wear, ErrorsBeforeTheFirstReadingAreOld) {
  gpus_[1].wear = wear();
  gpus_[1].wear.nvlink_errors = std::uint64_t{70};
  gpus_[1].wear.read_at = now_;
  pass(1s);
  EXPECT_TRUE(tracker_.health().at(1).conditions.empty());
}

TEST_F(Wear, CrcErrorsCountByTheirRate) {
  wear().nvlink_crc_errors = std::uint64_t{1099};  // in 11 s
  read();
  EXPECT_EQ(open(), "");
  wear().nvlink_crc_errors = std::uint64_t{1099 + 1100};
  read();
  EXPECT_EQ(open(), "nvlink_errors:DEGRADED");
}

TEST_F(Wear, TheFabricGetsTwoMinutes) {
  for (const unsigned state : {1U, 2U}) {
    wear().fabric_state = state;
    for (int i = 0; i < 11; ++i) read();  // 110 s after the first of them
    EXPECT_EQ(open(), "");
    read();
    EXPECT_EQ(open(), "fabric:UNHEALTHY") << "121 s";
    EXPECT_TRUE(blocks());
    wear().fabric_state = 3U;
    read();
    EXPECT_EQ(open(), "");
  }
}

TEST_F(Wear, AFabricThatFailedIsSaidAtOnce) {
  wear().fabric_error = 999U;
  read();
  EXPECT_EQ(open(), "fabric:UNHEALTHY");
  EXPECT_NE(first().conditions[0].reason.find("999"), std::string::npos);
}

}  // namespace
}  // namespace estiva::decide
