// The kernel's settings by device, and the seed's profiles.
#include "decide/memory/tune.h"

#include <gtest/gtest.h>

namespace estiva::decide::memory {
namespace {

TuneLook stock(SwapDevice device, Bytes ram = gib(32)) {
  return {device,
          ram,
          {{"vm.swappiness", 60},
           {"vm.vfs_cache_pressure", 100},
           {"vm.watermark_scale_factor", 10},
           {"vm.page-cluster", 3}},
          true};
}

std::string wanted(const Tuning& tuning) {
  std::string text;
  for (const TunedValue& value : tuning.values)
    text += value.name + "=" + std::to_string(value.wanted) + " ";
  return text;
}

TEST(Tune, ValuesByDevice) {
  const auto of = [](SwapDevice device, Bytes ram = gib(32)) {
    return wanted(plan_tuning(stock(device, ram), TuneProfile::ours));
  };
  EXPECT_EQ(of(SwapDevice::hdd), "vm.swappiness=30 vm.vfs_cache_pressure=100 ");
  EXPECT_EQ(of(SwapDevice::sata_ssd), "vm.swappiness=60 vm.vfs_cache_pressure=100 ");
  EXPECT_EQ(of(SwapDevice::nvme), "vm.swappiness=100 vm.vfs_cache_pressure=100 ");
  EXPECT_EQ(of(SwapDevice::nvme, gib(64)), "vm.swappiness=100 vm.vfs_cache_pressure=100 ");
  EXPECT_EQ(of(SwapDevice::nvme, gib(65)),
            "vm.swappiness=100 vm.vfs_cache_pressure=100 vm.watermark_scale_factor=50 ");
  EXPECT_EQ(of(SwapDevice::zram),
            "vm.swappiness=180 vm.vfs_cache_pressure=100 "
            "vm.watermark_scale_factor=125 vm.page-cluster=0 ");
  EXPECT_EQ(of(SwapDevice::zswap),
            "vm.swappiness=133 vm.vfs_cache_pressure=100 "
            "vm.watermark_scale_factor=125 vm.page-cluster=0 ");
}

TEST(Tune, OneStepAValueThatDiffersAndAFileForTheNextBoot) {
  const Tuning tuning = plan_tuning(stock(SwapDevice::nvme), TuneProfile::ours);
  ASSERT_EQ(tuning.plan.steps.size(), 2U);
  const Step& set = tuning.plan.steps[0];
  EXPECT_EQ(set.kind, StepKind::set_sysctl);
  EXPECT_EQ(set.target, "vm.swappiness");
  EXPECT_EQ(set.content, "100");
  EXPECT_EQ(set.expects, "60");
  EXPECT_EQ(set.effect, "vm.swappiness = 100");
  EXPECT_EQ(set.undo, "vm.swappiness = 60, as it was");
  const Step& file = tuning.plan.steps[1];
  EXPECT_EQ(file.kind, StepKind::write_file);
  EXPECT_EQ(file.target, kTuneFilePath);
  EXPECT_EQ(file.content,
            "# Written by estiva memory tune; 'estiva memory tune undo' takes it back.\n"
            "vm.swappiness = 100\nvm.vfs_cache_pressure = 100\n");
  EXPECT_TRUE(tuning.objections.empty());
}

TEST(Tune, AnOldKernelGetsWhatItKnows) {
  TuneLook look = stock(SwapDevice::zram);
  look.knows_200 = false;
  const Tuning tuning = plan_tuning(look, TuneProfile::ours);
  EXPECT_EQ(tuning.values[0].wanted, 100U);
  EXPECT_NE(tuning.values[0].reason.find("to 100"), std::string::npos);
}

TEST(Tune, WhatCantBeReadIsLeftAlone) {
  TuneLook look = stock(SwapDevice::nvme);
  look.now.erase("vm.swappiness");
  const Tuning tuning = plan_tuning(look, TuneProfile::ours);
  EXPECT_EQ(wanted(tuning), "vm.vfs_cache_pressure=100 ");
  ASSERT_EQ(tuning.notes.size(), 1U);
  EXPECT_NE(tuning.notes[0].find("vm.swappiness"), std::string::npos);
  look.now.clear();
  EXPECT_TRUE(plan_tuning(look, TuneProfile::ours).plan.steps.empty());
}

TEST(Tune, TheSeedsProfilesAreDoneAndObjectedTo) {
  const Tuning ssd = plan_tuning(stock(SwapDevice::nvme), TuneProfile::seed_ssd);
  EXPECT_EQ(wanted(ssd), "vm.swappiness=10 vm.vfs_cache_pressure=50 ");
  ASSERT_EQ(ssd.objections.size(), 2U);
  EXPECT_NE(ssd.objections[0].find("nineteen pages"), std::string::npos);
  EXPECT_NE(ssd.objections[0].find("estiva's own is 100"), std::string::npos);
  EXPECT_NE(ssd.objections[1].find("vfs_cache_pressure = 50"), std::string::npos);
  EXPECT_EQ(ssd.plan.steps.size(), 3U) << "it is done all the same";
  EXPECT_EQ(plan_tuning(stock(SwapDevice::hdd), TuneProfile::seed_ssd).objections.size(), 3U);
  const Tuning hdd = plan_tuning(stock(SwapDevice::hdd), TuneProfile::seed_hdd);
  EXPECT_EQ(wanted(hdd), "vm.swappiness=30 vm.vfs_cache_pressure=100 ");
  EXPECT_TRUE(hdd.objections.empty());
  const Tuning misplaced = plan_tuning(stock(SwapDevice::nvme), TuneProfile::seed_hdd);
  ASSERT_EQ(misplaced.objections.size(), 1U);
  EXPECT_NE(misplaced.objections[0].find("on NVMe"), std::string::npos);
}

}  // namespace
}  // namespace estiva::decide::memory
