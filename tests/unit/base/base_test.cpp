#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/units.h"
#include "model/gpu.h"

namespace estiva {
namespace {

TEST(Units, SubtractionStopsAtZeroAndAdditionAtTheTop) {
  EXPECT_EQ((mib(3) - mib(5)).value, 0u);
  EXPECT_EQ((mib(5) - mib(3)), mib(2));
  EXPECT_EQ((Bytes{UINT64_MAX} + mib(1)).value, UINT64_MAX);
}

TEST(Units, TextKeepsThreeSignificantPlaces) {
  EXPECT_EQ(to_text(Bytes{0}), "0 B");
  EXPECT_EQ(to_text(Bytes{1023}), "1023 B");
  EXPECT_EQ(to_text(mib(512)), "512 MiB");
  EXPECT_EQ(to_text(mib(3500)), "3.42 GiB");
  EXPECT_EQ(to_text(mib(1023)), "1023 MiB");
  EXPECT_EQ(to_text(gib(139)), "139 GiB");
  EXPECT_EQ(to_text(Ratio{0.634}), "63 %");
}

TEST(Clock, Rfc3339OfKnownInstants) {
  // Hand calculation: date -u -d @1700000000 gives 2023-11-14 22:13:20.
  EXPECT_EQ(to_rfc3339({1'700'000'000'123'000'000}), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(to_rfc3339({-1}), "1969-12-31T23:59:59.999Z");
}

TEST(Errors, SentenceCarriesTheRemedyAndContextChains) {
  const Error error{ErrorKind::refused, "no GPU", "Install the driver"};
  EXPECT_EQ(error.sentence(), "no GPU. Install the driver.");
  EXPECT_EQ(error.in("assign xtts").what, "assign xtts: no GPU");
  EXPECT_EQ(exit_code(error.kind), 5);
  EXPECT_EQ(exit_code(ErrorKind::no_room), 1);
  EXPECT_EQ(exit_code(ErrorKind::usage), 2);
}

TEST(Log, HostileNamesCannotForgeALine) {
  const auto line =
      format_log_line(LogLevel::info, "seen", {{"name", "a\nlevel=error \x1b[31m\""}}, true);
  EXPECT_EQ(line, "<6>msg=seen name=\"a\\x0alevel=error \\x1b[31m\\\"\"");
}

TEST(Names, OnlyAReadyOrPartialDriverTakesPlacements) {
  EXPECT_TRUE(can_place(DriverState::ready));
  EXPECT_TRUE(can_place(DriverState::partial));
  for (const auto state : {DriverState::absent, DriverState::no_driver, DriverState::mismatch,
                           DriverState::unresponsive, DriverState::stuck, DriverState::released}) {
    EXPECT_FALSE(can_place(state)) << to_name(state);
  }
}

}  // namespace
}  // namespace estiva
