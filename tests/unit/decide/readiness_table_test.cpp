// Doctor's table itself, and that healthy machines and unknown facts find nothing.
#include <algorithm>

#include "decide/readiness/look.h"
#include "decide/readiness/unit_look.h"
#include "unit/decide/readiness_cases.h"

namespace estiva::decide {
namespace {

TEST(ReadinessTable, HasEverySignatureOnceAndWhole) {
  Ids expected, found;
  for (int i = 1; i <= 22; ++i) expected.insert("D" + std::to_string(i));
  for (int i = 1; i <= 32; ++i) expected.insert("K" + std::to_string(i));
  for (const auto rules : {driver_rules(), engine_rules()}) {
    for (const Rule& one : rules) {
      SCOPED_TRACE(one.id);
      EXPECT_TRUE(found.insert(std::string(one.id)).second) << "twice";
      EXPECT_FALSE(one.name.empty());
      EXPECT_FALSE(one.symptom.empty());
      EXPECT_FALSE(one.reads.empty());
      EXPECT_FALSE(one.remedy.empty());
      EXPECT_FALSE(one.source.empty());
      EXPECT_NE(one.find, nullptr);
      EXPECT_EQ(find_rule(one.id), &one);
      // Whatever is done has a way back; what a person does has none that we could name.
      EXPECT_EQ(one.undo.empty(), one.fix == Fix::guide) << one.undo;
    }
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(find_rule("D23"), nullptr);
  EXPECT_EQ(find_rule(""), nullptr);
}

TEST(ReadinessTable, StandsInTheOrderOfTheLadder) {
  const std::vector<const Rule*>& rules = all_rules();
  const auto place = [&](std::string_view id) {
    return std::ranges::find(rules, id, &Rule::id) - rules.begin();
  };
  const std::vector<std::string_view> rungs = {"D10", "D7",  "D6", "D5", "D2", "D1",  "D3",  "D11",
                                               "D22", "D15", "K7", "K1", "K3", "K17", "K22", "K27"};
  for (std::size_t i = 1; i < rungs.size(); ++i)
    EXPECT_LT(place(rungs[i - 1]), place(rungs[i])) << rungs[i];
}

TEST(ReadinessTable, HealthyMachinesAreLeftAlone) {
  for (const bases::Base& base : bases::kAll) {
    const ReadinessFacts facts = base.make();
    EXPECT_EQ(ids_of(facts), Ids{}) << base.name << "\n" << told(facts);
  }
}

TEST(ReadinessTable, WhatIsNotKnownIsNotFound) {
  EXPECT_EQ(ids_of({}), Ids{});
  for (const bases::Base& base : bases::kAll) {
    ReadinessFacts facts = base.make();
    bases::forget(facts);
    EXPECT_EQ(ids_of(facts), Ids{}) << base.name << "\n" << told(facts);
  }
  // Nor where the engine does not answer.
  for (const bases::Base& base : bases::kAll) {
    ReadinessFacts facts = base.make();
    EngineFacts silent;
    silent.kind = facts.engine.kind;
    silent.api_error = "permission denied";
    facts.engine = silent;
    facts.containers.clear();
    facts.images.clear();
    EXPECT_EQ(ids_of(facts), Ids{}) << base.name << "\n" << told(facts);
  }
}

TEST(ReadinessLook, ComparesVersions) {
  EXPECT_EQ(compare_versions("28.2", "28.2.0"), 0);
  EXPECT_LT(compare_versions("28.1.1", "28.2"), 0);
  EXPECT_GT(compare_versions("28.10.0", "28.2"), 0);
  EXPECT_EQ(compare_versions("1.18.0-rc.1", "1.18.0"), 0);
  EXPECT_EQ(compare_versions("3:570.148.08-1.el9", "570.148.08"), 0);
  EXPECT_GT(compare_versions("v2.30.1", "2.30.0"), 0);
  EXPECT_LT(compare_versions("", "1"), 0);
  EXPECT_GT(compare_versions("6.1.0-28-amd64", "5.6"), 0);
}

TEST(ReadinessLook, KnowsKernelFlavours) {
  EXPECT_EQ(kernel_flavour("6.1.0-28-amd64"), "amd64");
  EXPECT_EQ(kernel_flavour("6.1.0-28-rt-amd64"), "rt-amd64");
  EXPECT_EQ(kernel_flavour("6.8.0-45-generic"), "generic");
  EXPECT_EQ(kernel_flavour("6.12.1-arch1-1"), "arch");
  EXPECT_EQ(kernel_flavour("6.6.63-1-lts"), "lts");
  EXPECT_EQ(kernel_flavour("5.14.0-503.14.1.el9_5.x86_64"), "");
  EXPECT_EQ(kernel_flavour("5.14.0-503.14.1.el9_5.x86_64+rt"), "rt");
  EXPECT_EQ(kernel_flavour(""), "");
}

TEST(ReadinessLook, NamesFewContainers) {
  std::vector<ContainerFact> all(6);
  std::vector<const ContainerFact*> some;
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].name = std::string(1, static_cast<char>('a' + i));
    some.push_back(&all[i]);
  }
  EXPECT_EQ(names_of({some.data(), 1}), "a");
  EXPECT_EQ(names_of({some.data(), 4}), "a, b, c and d");
  EXPECT_EQ(names_of({some.data(), 5}), "a, b, c and 2 more");
  EXPECT_EQ(names_of({some.data(), 6}), "a, b, c and 3 more");
}

TEST(UnitLook, ReadsUnitFiles) {
  UnitFact unit;
  unit.name = "a.service";
  unit.text =
      "# After=x\n;After=y\n[Unit]\nAfter=one two\\\n  three\nAfter=\n  After = four \n"
      "[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b -x\n";
  EXPECT_EQ(unit_words(unit, "After"), (std::vector<std::string>{"one", "two", "three", "four"}));
  EXPECT_EQ(unit_commands(unit, "ExecStart"), std::vector<std::string>{"/bin/b -x"});
  EXPECT_EQ(unit_words(unit, "Before"), std::vector<std::string>{});
}

}  // namespace
}  // namespace estiva::decide
