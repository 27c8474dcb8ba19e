// Which GPUs a container was given.
#include "decide/readiness/gpu_share.h"

#include <gtest/gtest.h>

#include "unit/decide/readiness_apps_bases.h"

namespace estiva::decide {
namespace {

TEST(GpuShare, InstancesAreNoFurtherGpus) {
  ReadinessFacts facts = bases::debian().facts;
  facts.driver.gpus[0].identity.mig_enabled = true;
  for (const char* uuid : {"MIG-1", "MIG-2"}) {
    facts.driver.gpus.push_back(facts.driver.gpus[0]);
    facts.driver.gpus.back().identity.id.instance = uuid;
  }
  EXPECT_EQ(gpu_count(facts), 1U);
  facts.containers[0].requests[0].ids = {"nvidia.com/gpu=0"};
  EXPECT_EQ(first_hit("P9", facts).title, "") << "there is one GPU to choose";
}

TEST(GpuShare, CountsWhatWasGiven) {
  const ReadinessFacts facts = bases::ubuntu().facts;
  ContainerFact one = bases::container("a", "x");
  EXPECT_FALSE(share_of(one, facts).any());
  bases::give(one, "nvidia.com/gpu=0");
  EXPECT_EQ(share_of(one, facts).count, 1U);
  EXPECT_TRUE(share_of(one, facts).by_cdi);
  one.requests[0].ids = {"nvidia.com/gds=all"};
  EXPECT_FALSE(share_of(one, facts).any());
  one.requests = {{"", 1, {}, {"gpu"}}};
  EXPECT_TRUE(share_of(one, facts).by_request);
  EXPECT_EQ(share_of(one, facts).count, 1U);
  one.requests = {{"", 9, {}, {"gpu"}}};
  EXPECT_EQ(share_of(one, facts).count, 2U);  // there are no more
  one.requests = {{"", 1, {}, {"tpu"}}};
  EXPECT_FALSE(share_of(one, facts).any());
  ReadinessFacts mig = facts;
  mig.driver.files.gpus[0].mig_enabled = true;
  one.requests = {{"nvidia", -1, {}, {"gpu"}}};
  EXPECT_EQ(share_of(one, mig).count, std::nullopt);
}

}  // namespace
}  // namespace estiva::decide
