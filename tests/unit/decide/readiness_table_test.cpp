// Doctor's table itself, and that healthy machines and unknown facts find nothing.
#include <algorithm>

#include "decide/readiness/look.h"
#include "decide/readiness/unit_graph.h"
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
  const std::vector<const Rule*> rules = all_rules();
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

TEST(UnitGraph, ReadsUnitFiles) {
  UnitFact unit;
  unit.name = "a.service";
  unit.text =
      "# After=x\n;After=y\n[Unit]\nAfter=one two\\\n  three\nAfter=\n  After = four \n"
      "[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b -x\n";
  EXPECT_EQ(unit_words(unit, "After"), (std::vector<std::string>{"one", "two", "three", "four"}));
  EXPECT_EQ(unit_commands(unit, "ExecStart"), std::vector<std::string>{"/bin/b -x"});
  EXPECT_EQ(unit_words(unit, "Before"), std::vector<std::string>{});
}

std::vector<std::string> ring(const std::vector<std::pair<const char*, const char*>>& units) {
  std::vector<UnitFact> facts;
  for (const auto& [name, text] : units) facts.push_back(bases::make_unit(name, text, true));
  return find_ordering_cycle(facts);
}

TEST(UnitGraph, FindsRings) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(ring({}), Names{});
  EXPECT_EQ(ring({{"a.service", "After=b.service\n"}, {"b.service", "After=c.service\n"}}),
            Names{});
  EXPECT_EQ(ring({{"a.service", "After=b.service\n"}, {"b.service", "Before=a.service\n"}}),
            Names{});
  EXPECT_EQ(ring({{"a.service", "After=b.service\n"}, {"b.service", "After=a.service\n"}}),
            (Names{"a.service", "b.service"}));
  EXPECT_EQ(ring({{"a.service", "Before=a.service\n"}}), Names{"a.service"});
  // A target that a unit is after does not wait for it.
  EXPECT_EQ(ring({{"a.service", "After=multi-user.target\nWantedBy=multi-user.target\n"}}),
            Names{});
  EXPECT_EQ(ring({{"a.service", "After=graphical.target\nWantedBy=multi-user.target\n"}}),
            (Names{"a.service", "graphical.target", "multi-user.target"}));
  EXPECT_EQ(
      ring({{"a.service",
             "DefaultDependencies=no\nAfter=graphical.target\nWantedBy=multi-user.target\n"}}),
      Names{});
  EXPECT_EQ(ring({{"a.service", "Before=sysinit.target\n"}}),
            (Names{"a.service", "basic.target", "sysinit.target"}));
  EXPECT_EQ(ring({{"a.service", "DefaultDependencies=no\nBefore=sysinit.target\n"}}), Names{});
}

// As the packages ship them.
TEST(UnitGraph, TheStockUnitsOfDockerAndNvidiaAreNoRing) {
  EXPECT_EQ(
      ring({{"docker.service",
             "After=network-online.target docker.socket containerd.service\n"
             "Wants=network-online.target containerd.service\nRequires=docker.socket\n"
             "WantedBy=multi-user.target\n"},
            {"docker.socket", "WantedBy=sockets.target\n"},
            {"containerd.service", "After=network.target\nWantedBy=multi-user.target\n"},
            {"nvidia-persistenced.service", "Wants=syslog.target\n"},
            {"nvidia-suspend.service",
             "Before=systemd-suspend.service\nRequiredBy=systemd-suspend.service\n"},
            {"nvidia-resume.service",
             "After=systemd-suspend.service systemd-hibernate.service\n"
             "RequiredBy=systemd-suspend.service\n"},
            {"nvidia-fabricmanager.service",
             "After=network-online.target\nRequires=network-online.target\n"
             "WantedBy=multi-user.target\n"},
            {"nvidia-cdi-refresh.path", "WantedBy=multi-user.target\n"},
            {"nvidia-cdi-refresh.service", "Before=docker.service\nWantedBy=multi-user.target\n"}}),
      std::vector<std::string>{});
}

TEST(UnitGraph, OnlyWhatTheBootStartsCounts) {
  std::vector<UnitFact> units = {bases::make_unit("a.service", "After=b.service\n", false),
                                 bases::make_unit("b.service", "After=a.service\n", false)};
  EXPECT_TRUE(find_ordering_cycle(units).empty());
  units.push_back(bases::make_unit("c.service", "Wants=a.service\n", true));
  EXPECT_TRUE(find_ordering_cycle(units).empty());
  units.push_back(bases::make_unit("d.service", "Requires=b.service\n", true));
  EXPECT_EQ(find_ordering_cycle(units), (std::vector<std::string>{"a.service", "b.service"}));
}

}  // namespace
}  // namespace estiva::decide
