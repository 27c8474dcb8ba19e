// What doctor mends by itself: only what it has steps for is called automatic.
#include "decide/readiness/fixes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decide/readiness/rule.h"
#include "unit/decide/readiness_bases.h"

namespace estiva::decide {
namespace {

Finding finding(const char* id, std::vector<Evidence> evidence = {}) {
  Finding one;
  one.id = id;
  one.remedy.fix = Fix::automatic;
  one.evidence = std::move(evidence);
  return one;
}

TEST(Fixes, OnlyWhatHasStepsIsAutomatic) {
  EXPECT_TRUE(has_fix("D2"));
  EXPECT_TRUE(has_fix("K16"));
  EXPECT_FALSE(has_fix("D1"));
  EXPECT_TRUE(has_fix("D20"));
  EXPECT_FALSE(has_fix(""));
  for (const Rule* rule : all_rules()) {
    if (rule->fix == Fix::automatic)
      EXPECT_EQ(fix_of(*rule), has_fix(rule->id) ? Fix::automatic : Fix::guide) << rule->id;
    else
      EXPECT_EQ(fix_of(*rule), rule->fix) << rule->id;
  }
}

TEST(Fixes, ModulesAreLoadedNowAndAtBoot) {
  ReadinessFacts facts = bases::debian_host();
  facts.kernel.modules = {{"nvidia", 0}};
  const Plan plan = plan_fixes(facts, {finding("D11")}, "/usr/bin/estiva");
  ASSERT_EQ(plan.steps.size(), 2U);
  EXPECT_EQ(plan.steps[0].kind, StepKind::load_module);
  EXPECT_EQ(plan.steps[0].target, "nvidia_uvm") << "nvidia is loaded already";
  EXPECT_EQ(plan.steps[1].target, "/etc/modules-load.d/estiva-nvidia.conf");
  EXPECT_EQ(plan.id, "doctor");
}

TEST(Fixes, WhatIsNoFileIsLeftAlone) {
  const Plan plan =
      plan_fixes(bases::debian_host(),
                 {finding("C6", {{Evidence::Source::file, "/etc/cdi/nvidia.yaml", 0, {}},
                                 {Evidence::Source::file, "relative.yaml", 0, {}},
                                 {Evidence::Source::engine, "/containers/x", 0, {}}})},
                 "/usr/bin/estiva");
  ASSERT_EQ(plan.steps.size(), 1U);
  EXPECT_EQ(plan.steps[0].kind, StepKind::set_mode);
  EXPECT_EQ(plan.steps[0].target, "/etc/cdi/nvidia.yaml");
  EXPECT_EQ(plan.steps[0].mode, mode_t{0644});
}

TEST(Fixes, TwoFindingsWithOneRemedyAreOneStep) {
  ReadinessFacts facts = bases::debian_host();
  facts.kernel.modules.clear();
  const std::size_t one = plan_fixes(facts, {finding("D2")}, "x").steps.size();
  EXPECT_EQ(plan_fixes(facts, {finding("D2"), finding("D11")}, "x").steps.size(), one);
  Finding asks = finding("D2");
  asks.remedy.fix = Fix::asks;
  EXPECT_TRUE(plan_fixes(facts, {asks, finding("D1")}, "x").steps.empty());
}

}  // namespace
}  // namespace estiva::decide
