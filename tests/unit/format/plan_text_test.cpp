#include "format/plan_text.h"

#include <functional>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <set>

#include "format/sha256.h"
#include "format/text.h"

namespace estiva::format {
namespace {

Plan full_plan() {
  Step step;
  step.kind = StepKind::make_node;
  step.target = "/dev/\xff\nx";
  step.reason = "why", step.effect = "what", step.undo = "how";
  step.risk = Risk::reboot;
  step.stops = {"ollama", "a\xfe"};
  step.diff = "--- a\n";
  step.expects = "absent";
  step.content = std::string("\0\xff", 2);
  step.link_to = "hex:41";
  step.mode = 0640;
  return {"setup", {}, {step, Step{}}};
}

TEST(PlanText, SurvivesAsJson) {
  Plan plan = full_plan();
  plan.hash = hash_of(plan);
  const std::string text = plan_to_json(plan);
  EXPECT_TRUE(is_utf8(text));
  const auto back = plan_from_json(text);
  ASSERT_TRUE(back) << back.error().sentence();
  EXPECT_EQ(*back, plan);
}

TEST(PlanText, AnyBytesSurviveThePacking) {
  rc::check([](const std::string& bytes) {
    const std::string packed = pack_bytes(bytes);
    RC_ASSERT(is_utf8(packed));
    RC_ASSERT(unpack_bytes(packed) == bytes);
  });
  for (const std::string text : {"hex:", "hex:00", "hex:zz", "plain"}) {
    EXPECT_EQ(unpack_bytes(pack_bytes(text)), text);
  }
}

TEST(PlanText, WhatIsNoPlanIsSaid) {
  for (const char* text : {"", "{", "[]", "{\"steps\":[{}]}", "{\"steps\":[{\"kind\":\"x\"}]}"}) {
    const auto plan = plan_from_json(text);
    ASSERT_FALSE(plan) << text;
    EXPECT_NE(plan.error().what.find("a stored plan can't be read"), std::string::npos);
  }
}

TEST(PlanHash, EveryMemberThatCountsChangesIt) {
  const Plan plan = full_plan();
  const std::function<void(Step&)> changes[] = {
      [](Step& s) { s.kind = StepKind::write_file; },
      [](Step& s) { s.target += "x"; },
      [](Step& s) { s.risk = Risk::none; },
      [](Step& s) { s.stops.pop_back(); },
      [](Step& s) { s.stops.emplace_back(); },
      [](Step& s) { s.stops = {"ollamaa\xfe"}; },
      [](Step& s) { s.expects.clear(); },
      [](Step& s) { s.content += '\0'; },
      [](Step& s) { s.link_to.clear(); },
      [](Step& s) { s.mode = 0641; },
      [](Step& s) { s.mode.reset(); },
      // A byte that moves from one member to the next.
      [](Step& s) { s.content.pop_back(), s.link_to.insert(0, "\xff"); },
  };
  std::set<std::string> seen = {hash_of(plan)};
  for (const auto& change : changes) {
    Plan other = plan;
    change(other.steps[0]);
    EXPECT_TRUE(seen.insert(hash_of(other)).second);
  }
  Plan swapped = plan, shorter = plan, renamed = plan;
  std::swap(swapped.steps[0], swapped.steps[1]);
  shorter.steps.pop_back();
  renamed.id = "other";
  for (const Plan& other : {swapped, shorter, renamed}) {
    EXPECT_TRUE(seen.insert(hash_of(other)).second);
  }
}

TEST(PlanHash, SentencesAndTheHashItselfDoNotCount) {
  Plan plan = full_plan();
  const std::string hash = hash_of(plan);
  EXPECT_TRUE(is_sha256_hex(hash));
  plan.hash = "x";
  plan.steps[0].reason = plan.steps[0].effect = plan.steps[0].undo = plan.steps[0].diff = "y";
  EXPECT_EQ(hash_of(plan), hash);
}

TEST(PlanHash, IsTheSameEverywhere) {
  // A plan that was shown by one estiva is run by another of the same version of the plan.
  Step step;
  step.target = "/etc/a";
  step.content = "b";
  const std::string text = "13:estiva/plan/15:setup10:write_file6:/etc/a4:none1:00:1:b0:1:-";
  EXPECT_EQ(hash_of({"setup", {}, {step}}), sha256_hex(text));
}

}  // namespace
}  // namespace estiva::format
