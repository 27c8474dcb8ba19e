// What XIDs mean, that each is counted once, and how they end.
#include <algorithm>
#include <set>

#include "decide/health/xid_catalogue.h"
#include "unit/decide/health_fixture.h"

namespace estiva::decide {
namespace {

class Xids : public HealthFixture {
 protected:
  Xids() { pass(1s); }
  static XidReport event(unsigned code, std::uint64_t count = 1) {
    return {"0000:01:00", code, count, {}, XidSource::event, false, {}, 0, {}, {}, {}};
  }
  static XidReport logged(unsigned code, std::uint64_t count = 1) {
    XidReport report = event(code, count);
    report.source = XidSource::kernel_log;
    return report;
  }
  static XidReport in_words() {
    XidReport report = event(79);
    report.source = XidSource::kernel_text;
    return report;
  }
  std::uint64_t tell(XidReport report, Nanoseconds ago = 0s) {
    report.at = now_ + -ago;
    return tracker_.observe_xid(report, now_);
  }
  std::uint64_t counted(unsigned code, std::size_t slot = 0) const {
    const auto xids = tracker_.xids();
    if (slot >= xids.size()) return 0;
    for (const XidCount& one : xids[slot].counts) {
      if (one.code == code) return one.count;
    }
    return 0;
  }
  bool blocks() const {
    const auto unfit = unfit_gpus(tracker_.health());
    return std::any_of(unfit.begin(), unfit.end(),
                       [](const UnfitGpu& one) { return one.device == "GPU-a"; });
  }
  // The slow tier, read now.
  void wear_says(Reading<unsigned> recovery) {
    gpus_[0].wear.recovery_action = recovery;
    gpus_[0].wear.read_at = now_ + 1s;
    pass(1s);
  }
};

TEST_F(Xids, EachCodeOfTheCatalogueHasItsState) {
  // By the buckets of NVIDIA's catalogue, independent of the table: a code, and what it opens.
  const std::vector<std::pair<std::set<unsigned>, std::string>> buckets = {
      {{46, 62, 64, 95, 109, 110, 119, 120, 136, 140, 143, 155, 156, 158, 48, 79, 54, 167, 168},
       "UNHEALTHY!"},
      {{74, 144, 145, 146, 147, 148, 149, 150}, "DEGRADED"},
      {{8, 11, 13, 25, 31, 32, 39, 40, 41, 60, 68, 69, 70, 71, 72, 75, 76, 77, 80, 82, 83, 84, 85,
        86, 88, 89, 94, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 126, 127, 128, 129, 130, 131,
        132, 133, 134, 135, 139, 45, 78, 142, 151, 159, 162, 163, 164, 165, 166, 169, 170, 171, 172,
        // not in the catalogue, or unused
        1, 56, 199, 999},
       "WARN"},
      {{37, 38, 43, 44, 63, 66, 67, 92, 93, 106, 107, 121, 137, 141, 152, 153, 154, 157, 160, 161},
       ""}};
  std::size_t known = 0;
  for (const auto& [codes, state] : buckets) {
    for (const unsigned code : codes) {
      HealthTracker tracker;
      tracker.observe(driver_, gpus_, now_);
      XidReport report = event(code);
      report.at = now_;
      EXPECT_EQ(tracker.observe_xid(report, now_), 1U);
      const GpuHealth& health = tracker.health().at(0);
      std::string said = health.conditions.empty() ? "" : std::string(to_name(health.state));
      if (!unfit_gpus(tracker.health()).empty()) said += "!";
      EXPECT_EQ(said, state) << code;
      if (find_xid(code) != nullptr) ++known;
    }
  }
  EXPECT_EQ(known, xid_catalogue().size());
}

TEST_F(Xids, TheSameErrorFromBothSourcesCountsOnce) {
  EXPECT_EQ(tell(event(13)), 1U);
  now_ = now_ + 30ms;
  EXPECT_EQ(tell(logged(13)), 0U);
  EXPECT_EQ(counted(13), 1U);
  now_ = now_ + 10ms;
  EXPECT_EQ(tell(logged(13)), 1U);  // the next one, told by the log first
  EXPECT_EQ(tell(event(13)), 0U);
  EXPECT_EQ(counted(13), 2U);
  now_ = now_ + 5001ms;
  EXPECT_EQ(tell(logged(13)), 1U);
  now_ = now_ + 5001ms;
  EXPECT_EQ(tell(event(13)), 1U) << "too far apart to be the same";
  EXPECT_EQ(counted(13), 4U);
}

TEST_F(Xids, AStormIsCountedOnceHoweverItIsBatched) {
  EXPECT_EQ(tell(event(31, 6000)), 6000U);
  for (int i = 0; i < 10'000; ++i) tell(logged(31));
  EXPECT_EQ(tell(event(31, 4000)), 0U);
  EXPECT_EQ(counted(31), 10'000U);
  EXPECT_EQ(open(), "xid_31:WARN");
}

TEST_F(Xids, TwoGpusAreTwoBooks) {
  XidReport other = event(13);
  other.slot = "0000:02:00";
  tell(event(13));
  tell(other);
  EXPECT_EQ(counted(13, 0), 1U);
  EXPECT_EQ(counted(13, 1), 1U);
  ASSERT_EQ(tracker_.health().size(), 2U);
  EXPECT_EQ(tracker_.health()[1].conditions.at(0).id, "xid_13");
}

TEST_F(Xids, WordsAndNumberAreOneError) {
  EXPECT_EQ(tell(in_words()), 1U);
  EXPECT_EQ(tell(event(79)), 0U);
  EXPECT_EQ(tell(logged(79)), 0U);
  EXPECT_EQ(tell(in_words()), 0U);
  EXPECT_EQ(counted(79), 1U);
  now_ = now_ + 61s;
  EXPECT_EQ(tell(in_words()), 1U);
  EXPECT_EQ(counted(79), 2U);
}

TEST_F(Xids, AnAppsErrorIsShownForTenMinutesAndBlocksNothing) {
  tell(event(31));
  pass(600s);
  EXPECT_EQ(open(), "xid_31:WARN");
  EXPECT_FALSE(blocks());
  pass(1s);
  EXPECT_EQ(open(), "");
  EXPECT_EQ(counted(31), 1U) << "still counted";
  tell(event(31));
  EXPECT_EQ(first().conditions.at(0).since, now_) << "a new episode";
  EXPECT_EQ(first().conditions[0].reason.find("times"), std::string::npos);
}

TEST_F(Xids, AtTenMinutesToTheSecondItIsStillTheSameEpisode) {
  tell(event(31));
  const SteadyTime began = now_;
  pass(600s);
  tell(event(31));
  EXPECT_EQ(first().conditions.at(0).since, began);
  EXPECT_NE(first().conditions[0].reason.find("2 times"), std::string::npos);
}

TEST_F(Xids, TheReasonNamesHowOftenAndWhoseWork) {
  tell(event(13, 3));
  XidReport line = logged(13, 3);
  line.pid = 4242;
  line.process = "python3";
  EXPECT_EQ(tell(line), 0U);
  EXPECT_EQ(first().conditions.at(0).reason,
            "XID 13: an exception of the graphics engine, 3 times (process python3, pid 4242)");
}

TEST_F(Xids, ThreeDifferentProgramsMakeTheCardSuspect) {
  const auto hit = [&](unsigned code, const std::string& victim) {
    XidReport line = logged(code);
    line.pid = 7;
    line.process = "python";
    line.victim = victim;
    line.container = "chat-llm-1";
    tell(line);
  };
  hit(31, "a");
  hit(13, "b");
  hit(13, "b");
  EXPECT_EQ(open(), "xid_13:WARN xid_31:WARN");
  EXPECT_NE(first().conditions[0].reason.find("(process python, pid 7) in chat-llm-1"),
            std::string::npos)
      << first().conditions[0].reason;
  hit(48, "c");  // no program's fault
  EXPECT_EQ(open(), "xid_48:UNHEALTHY xid_13:WARN xid_31:WARN");
  hit(13, "c");
  EXPECT_EQ(open(), "xid_48:UNHEALTHY xid_13:DEGRADED xid_31:DEGRADED");
  EXPECT_NE(first().conditions[1].reason.find("3 different programs"), std::string::npos);
  pass(599s);
  hit(13, "d");
  pass(2s);
  EXPECT_EQ(open(), "xid_48:UNHEALTHY xid_13:WARN") << "the others were met long ago";
  for (int i = 0; i < 200; ++i) hit(13, std::to_string(i));
  EXPECT_NE(first().conditions[1].reason.find("64 different programs"), std::string::npos)
      << first().conditions[1].reason;
}

TEST_F(Xids, OneThatNeedsAResetStaysUntilTheGpuWasAway) {
  tell(event(48));
  pass(3600s);
  EXPECT_EQ(open(), "xid_48:UNHEALTHY");
  EXPECT_TRUE(blocks());
  sample().state = GpuState::failed;  // no answer is no reset
  pass(2s);
  sample().state = GpuState::ok;
  pass(1s);
  EXPECT_EQ(open(), "xid_48:UNHEALTHY");
  sample().state = GpuState::reset_required;
  pass(2s);
  EXPECT_EQ(open(), "reset_required:UNHEALTHY xid_48:UNHEALTHY");
  sample().state = GpuState::ok;
  pass(1s);
  EXPECT_EQ(open(), "");
  EXPECT_FALSE(blocks());
  tell(event(48));
  EXPECT_EQ(open(), "xid_48:UNHEALTHY") << "and opens again";
}

TEST_F(Xids, AGpuThatLeftTheListAndCameBackWasReset) {
  tell(event(79));
  const Gpu gone = gpus_[0];
  gpus_.erase(gpus_.begin());
  pass(2s);
  ASSERT_EQ(tracker_.health().size(), 2U);
  EXPECT_EQ(tracker_.health()[1].conditions.size(), 2U);  // missing, xid_79
  gpus_.insert(gpus_.begin(), gone);
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Xids, ADriverThatWasUnloadedHasResetItsGpus) {
  tell(event(119));
  tell(event(54));
  driver_.state = DriverState::unresponsive;
  pass(2s);
  driver_.state = DriverState::ready;
  pass(2s);
  EXPECT_EQ(open(), "xid_119:UNHEALTHY xid_54:UNHEALTHY");
  driver_.state = DriverState::no_driver;
  pass(2s);
  driver_.state = DriverState::ready;
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Xids, TheDriversWordEndsItWhenItIsNewer) {
  tell(event(95));
  tell(event(168));
  wear_says(0U);
  EXPECT_EQ(open(), "xid_168:UNHEALTHY xid_95:UNHEALTHY") << "read in the same moment";
  pass(5s);
  wear_says(1U);
  EXPECT_EQ(open(), "recovery_action:UNHEALTHY xid_168:UNHEALTHY xid_95:UNHEALTHY");
  wear_says(0U);
  EXPECT_EQ(open(), "xid_168:UNHEALTHY xid_95:WARN") << "less memory is no matter of the driver's";
  pass(600s);
  EXPECT_EQ(open(), "xid_168:UNHEALTHY");
}

TEST_F(Xids, TheDriversWordCountsFromFiveSecondsAfterTheError) {
  tell(event(95));
  const SteadyTime at = now_;
  gpus_[0].wear.recovery_action = 0U;
  gpus_[0].wear.read_at = at + 5s;
  pass(6s);
  EXPECT_EQ(open(), "xid_95:UNHEALTHY");
  gpus_[0].wear.read_at = at + 5s + 1ns;
  pass(1s);
  EXPECT_EQ(open(), "xid_95:WARN") << "what is left is a sign, as any error is";
}

TEST_F(Xids, TheRecoveryActionOfTheLogCountsWhereTheDriverCantBeAsked) {
  XidReport line = logged(154);
  line.recovery_action = 2U;
  tell(line);
  gpus_[0].wear.read_at = now_ + 1s;
  gpus_[0].wear.recovery_action = Missing::not_supported;
  pass(1s);
  EXPECT_EQ(open(), "recovery_action:UNHEALTHY");
  line.recovery_action = 0U;
  tell(line);
  gpus_[0].wear.read_at = now_ + 1s;
  pass(1s);
  EXPECT_EQ(open(), "");
}

TEST_F(Xids, ACleanUpSaysNothingBesideItsCause) {
  tell(event(45));
  EXPECT_EQ(open(), "xid_45:WARN");
  now_ = now_ + 10s;
  tell(event(31));
  EXPECT_EQ(open(), "xid_31:WARN");
  now_ = now_ + 1s;
  tell(event(45));
  EXPECT_EQ(open(), "xid_31:WARN");
  now_ = now_ + 11s;
  tell(event(45));
  EXPECT_EQ(open(), "xid_31:WARN xid_45:WARN");
}

TEST_F(Xids, CorrectedErrorsAreASignWhenTheyComeOften) {
  tell(event(92));
  EXPECT_EQ(open(), "");
  pass(601s);
  tell(event(92));
  EXPECT_EQ(open(), "");
  tell(event(92));
  EXPECT_EQ(open(), "xid_92:WARN");
}

TEST_F(Xids, AFatalNvlinkErrorBlocks) {
  tell(event(149));
  EXPECT_EQ(open(), "xid_149:DEGRADED");
  XidReport line = logged(149);
  line.is_fatal = true;
  EXPECT_EQ(tell(line), 0U) << "the same error; only the log says that it is fatal";
  EXPECT_EQ(open(), "xid_149:UNHEALTHY");
  EXPECT_TRUE(blocks());
}

TEST_F(Xids, AGpuThatWasNeverListedIsNamedByItsSlot) {
  XidReport report = event(79);
  report.slot = "0000:41:00";
  tell(report);
  ASSERT_EQ(tracker_.health().size(), 3U);
  EXPECT_EQ(tracker_.health()[2].device, "PCI:0000:41:00");
  EXPECT_EQ(tracker_.health()[2].state, HealthState::unhealthy);
}

TEST_F(Xids, AreJudgedWhileTheDriverDoesNotAnswer) {
  driver_.state = DriverState::unresponsive;
  pass(3s);
  tell(event(119));
  EXPECT_EQ(open(), "xid_119:UNHEALTHY");
}

TEST_F(Xids, WhatWasSaidLongAgoIsOver) {
  EXPECT_EQ(tell(logged(13), 700s), 1U);
  EXPECT_EQ(open(), "");
  EXPECT_EQ(tell(logged(62), 700s), 1U);
  EXPECT_EQ(open(), "xid_62:UNHEALTHY");
  EXPECT_EQ(first().conditions[0].since, now_ + -700s);
}

TEST_F(Xids, WhatIsRememberedIsTheSameAfterARestart) {
  tell(event(48, 2));
  XidReport line = logged(13);
  line.pid = 7;
  line.process = "python";
  tell(line);
  XidReport fatal = logged(149);
  fatal.is_fatal = true;
  tell(fatal);
  pass(2s);
  const std::string before = open();
  const auto xids = tracker_.xids();
  HealthTracker next;
  next.recall(tracker_.known_gpus(), tracker_.xid_memory());
  tracker_ = std::move(next);
  pass(1s);
  EXPECT_EQ(open(), before);
  EXPECT_EQ(tracker_.xids(), xids);
  EXPECT_EQ(first().conditions.back().reason.find("(process python, pid 7)") != std::string::npos,
            true);
  tell(event(48));
  EXPECT_EQ(counted(48), 3U);
  EXPECT_NE(first().conditions[1].reason.find("3 times"), std::string::npos);
}

TEST_F(Xids, WhatEndedStaysEndedAfterARestart) {
  tell(event(48));
  sample().state = GpuState::lost;
  pass(2s);
  sample().state = GpuState::ok;
  pass(1s);
  ASSERT_EQ(open(), "");
  HealthTracker next;
  next.recall(tracker_.known_gpus(), tracker_.xid_memory());
  tracker_ = std::move(next);
  pass(1s);
  EXPECT_EQ(open(), "");
  EXPECT_EQ(counted(48), 1U);
}

TEST_F(Xids, AGpuThatWasKnownIsMissedByTheNextDaemon) {
  pass(1s);
  HealthTracker next;
  next.recall(tracker_.known_gpus(), {});
  tracker_ = std::move(next);
  const Gpu second = gpus_[1];
  gpus_.pop_back();
  pass(1s);
  ASSERT_EQ(tracker_.health().size(), 2U);
  EXPECT_EQ(tracker_.health()[1].device, "GPU-b");
  EXPECT_EQ(tracker_.health()[1].conditions.at(0).id, "missing");
  EXPECT_NE(tracker_.health()[1].conditions[0].reason.find("GPU 1 at 00000000:02:00.0"),
            std::string::npos);
  EXPECT_TRUE(tracker_.forget("GPU-b", now_));
  EXPECT_EQ(tracker_.health().size(), 1U);
  EXPECT_EQ(tracker_.known_gpus().size(), 1U);
  gpus_.push_back(second);
  pass(1s);
  EXPECT_EQ(tracker_.health().size(), 2U) << "one that comes back is known again";
  EXPECT_EQ(tracker_.health()[1].state, HealthState::ok);
}

TEST_F(Xids, APersonMayDismissWhatStays) {
  EXPECT_FALSE(tracker_.forget("GPU-a", now_)) << "nothing is wrong";
  EXPECT_FALSE(tracker_.forget("GPU-x", now_));
  tell(event(54));
  ASSERT_EQ(open(), "xid_54:UNHEALTHY");
  EXPECT_TRUE(tracker_.forget("GPU-a", now_));
  EXPECT_EQ(open(), "");
  EXPECT_EQ(counted(54), 1U) << "it stays counted";
  const auto dismissed = tracker_.xid_memory();
  sample().state = GpuState::lost;
  pass(2s);
  sample().state = GpuState::ok;
  pass(1s);
  EXPECT_EQ(tracker_.xid_memory(), dismissed) << "a reset ends nothing that a person ended";
  EXPECT_FALSE(tracker_.forget("GPU-a", now_));
  tell(event(54));
  EXPECT_EQ(open(), "xid_54:UNHEALTHY") << "and opens again";
  XidReport other = event(79);
  other.slot = "0000:41:00";
  tell(other);
  ASSERT_EQ(tracker_.health().size(), 3U);
  EXPECT_TRUE(tracker_.forget("PCI:0000:41:00", now_));
  EXPECT_EQ(tracker_.health().size(), 2U);
}

TEST_F(Xids, OnlyWhatChangesIsWorthWritingDown) {
  pass(5s);
  const auto before = tracker_.changes();
  pass(60s);
  EXPECT_EQ(tracker_.changes(), before);
  tell(event(13));
  EXPECT_GT(tracker_.changes(), before);
  const auto told = tracker_.changes();
  tell(logged(13));
  EXPECT_EQ(tracker_.changes(), told) << "the same error";
  wear_says(0U);
  pass(60s);
  EXPECT_EQ(tracker_.changes(), told) << "nothing was ended by it";
}

TEST_F(Xids, AMemoryThatMakesNoSenseIsLeftOut) {
  std::vector<XidMemory> memory(4);
  memory[0].slot = "0000:01:00";  // no code
  memory[1] = {"0000:01:00", 48, 1, 1, now_, now_, 9, false, 0, {}};
  memory[2] = {"", 48, 1, 1, now_, now_, 0, false, 0, {}};
  memory[3] = {"0000:01:00", 1000, 1, 1, now_, now_, 0, false, 0, {}};
  tracker_.recall({}, memory);
  pass(1s);
  EXPECT_EQ(open(), "");
  for (const GpuXids& one : tracker_.xids()) EXPECT_EQ(one.slot, "0000:01:00");
}

TEST_F(Xids, AMemoryLargerThanTheBookIsCutOff) {
  std::vector<XidMemory> memory;
  std::vector<KnownGpu> gpus;
  for (unsigned i = 0; i < 300; ++i) {
    memory.push_back({"slot" + std::to_string(i), 48, 1, 1, now_, now_, 0, false, 0, {}});
    gpus.push_back({"GPU-" + std::to_string(i), i, {}});
  }
  HealthTracker next;
  next.recall(gpus, memory);
  EXPECT_EQ(next.xids().size(), 256U);
}

TEST_F(Xids, NonsenseIsRefused) {
  XidReport report = event(0);
  EXPECT_EQ(tell(report), 0U);
  report.code = 1000;
  EXPECT_EQ(tell(report), 0U);
  report = event(13, 0);
  EXPECT_EQ(tell(report), 0U);
  report = event(13);
  report.slot.clear();
  EXPECT_EQ(tell(report), 0U);
  for (unsigned i = 0; i < 300; ++i) {
    report.slot = "slot" + std::to_string(i);
    EXPECT_EQ(tell(report), i < 256 ? 1U : 0U);
  }
  EXPECT_EQ(tracker_.xids().size(), 256U);
}

}  // namespace
}  // namespace estiva::decide
