// The order of a boot: what is started, what waits for what, and who waits for each other. The
// rules are those of systemd 252 (systemd.service(5) and its kin); unit_verify_test.cpp holds them
// against systemd itself.
#include "decide/setup/unit_graph.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "decide/setup/unit_deps.h"
#include "unit/decide/unit_sets.h"

namespace estiva::decide {
namespace {

using sets::unit;
using Names = std::vector<std::string>;

constexpr const char* kInstall = "[Install]\nWantedBy=multi-user.target\n";

UnitFact service(const std::string& name, const std::string& lines, bool is_enabled = true) {
  return unit(name, "[Unit]\n" + lines + "[Service]\nExecStart=/bin/true\n" + kInstall, is_enabled);
}

Names members(const UnitCycle& cycle) {
  Names names;
  for (const auto& order : cycle.orders) names.push_back(order.unit);
  return names;
}

bool has(const UnitGraph& graph, const std::string& name) {
  return std::count(graph.units.begin(), graph.units.end(), name) == 1;
}

TEST(UnitGraph, AnEmptyMachineBootsSystemdsOwnTargets) {
  const auto graph = build_unit_graph({});
  EXPECT_EQ(graph.units, (Names{"basic.target", "local-fs.target", "multi-user.target",
                                "paths.target", "slices.target", "sockets.target", "swap.target",
                                "sysinit.target", "timers.target"}));
  EXPECT_TRUE(find_unit_cycles(graph).empty());
  EXPECT_TRUE(starts_after(graph, "multi-user.target", "local-fs.target"));
  EXPECT_FALSE(starts_after(graph, "local-fs.target", "multi-user.target"));
}

TEST(UnitGraph, OnlyWhatIsEnabledOrWantedStarts) {
  const std::vector<UnitFact> units = {service("a.service", "Wants=b.service gone.service\n"),
                                       service("b.service", "", false),
                                       service("c.service", "", false), unit("masked.service", "")};
  const auto graph = build_unit_graph(units);
  EXPECT_TRUE(has(graph, "a.service"));
  EXPECT_TRUE(has(graph, "b.service"));
  EXPECT_FALSE(has(graph, "c.service"));
  EXPECT_FALSE(has(graph, "gone.service"));
  EXPECT_FALSE(has(graph, "masked.service"));
}

TEST(UnitGraph, ATargetWaitsForWhatItWants) {
  const std::vector<UnitFact> units = {service("a.service", "")};
  const auto graph = build_unit_graph(units);
  EXPECT_TRUE(starts_after(graph, "multi-user.target", "a.service"));
  EXPECT_TRUE(starts_after(graph, "a.service", "basic.target"));
  const UnitOrder expected{"multi-user.target", "a.service", "a.service",
                           "WantedBy=multi-user.target"};
  EXPECT_EQ(std::count(graph.orders.begin(), graph.orders.end(), expected), 1);
}

TEST(UnitGraph, ATargetWaitsForWhatItIsPartOf) {
  const std::vector<UnitFact> units = {
      service("a.service", ""),
      unit("t.target",
           "[Unit]\nPartOf=a.service gone.service\n[Install]\nWantedBy=basic.target\n")};
  const auto cycles = find_unit_cycles(build_unit_graph(units));
  ASSERT_EQ(cycles.size(), 1U);
  EXPECT_EQ(members(cycles[0]), (Names{"a.service", "basic.target", "t.target"}));
}

TEST(UnitGraph, AfterTheTargetThatWantsItIsNoCycleByItself) {
  const std::vector<UnitFact> units = {service("late.service", "After=multi-user.target\n")};
  const auto graph = build_unit_graph(units);
  EXPECT_TRUE(find_unit_cycles(graph).empty());
  EXPECT_TRUE(starts_after(graph, "late.service", "multi-user.target"));
}

TEST(UnitGraph, TheSeedsTwoUnitsWaitForEachOther) {
  auto units = sets::docker();
  sets::add(units, sets::seed());
  const auto cycles = find_unit_cycles(build_unit_graph(units));
  ASSERT_EQ(cycles.size(), 1U);
  const std::vector<UnitOrder> expected = {
      {"docker-nvidia-setup.service", "nvidia-cdi-generate.service", "docker-nvidia-setup.service",
       "After=nvidia-cdi-generate.service"},
      {"nvidia-cdi-generate.service", "multi-user.target", "nvidia-cdi-generate.service",
       "After=multi-user.target"},
      {"multi-user.target", "docker-nvidia-setup.service", "docker-nvidia-setup.service",
       "WantedBy=multi-user.target"}};
  EXPECT_EQ(cycles[0].orders, expected);
  EXPECT_EQ(to_sentence(cycles[0]),
            "These units wait for each other, so systemd will leave out one of them at boot: "
            "docker-nvidia-setup.service waits for nvidia-cdi-generate.service "
            "(After=nvidia-cdi-generate.service in docker-nvidia-setup.service), "
            "nvidia-cdi-generate.service waits for multi-user.target (After=multi-user.target in "
            "nvidia-cdi-generate.service), multi-user.target waits for docker-nvidia-setup.service "
            "(WantedBy=multi-user.target in docker-nvidia-setup.service)");
}

TEST(UnitGraph, AServiceBeforeTheTargetsThatItWaitsFor) {
  const std::vector<UnitFact> units = {service("early.service", "Before=sysinit.target\n")};
  const auto cycles = find_unit_cycles(build_unit_graph(units));
  ASSERT_EQ(cycles.size(), 1U);
  EXPECT_EQ(members(cycles[0]), (Names{"early.service", "sysinit.target"}));
  EXPECT_EQ(cycles[0].orders[0].written_in, "");
  EXPECT_NE(
      to_sentence(cycles[0]).find("early.service waits for sysinit.target (systemd's own rule)"),
      std::string::npos);
  const std::vector<UnitFact> mended = {
      service("early.service", "DefaultDependencies=no\nBefore=sysinit.target\n")};
  EXPECT_TRUE(find_unit_cycles(build_unit_graph(mended)).empty());
}

TEST(UnitGraph, ADropInCannotTakeAnOrderBack) {
  const std::vector<UnitFact> units = {service("a.service", "After=b.service\nAfter=\n"),
                                       service("b.service", "After=a.service\n")};
  EXPECT_EQ(find_unit_cycles(build_unit_graph(units)).size(), 1U);
}

TEST(UnitGraph, PathsTimersAndSocketsComeBeforeWhatTheyStart) {
  const std::vector<UnitFact> units = {
      service("a.service", ""),
      unit("a.path", "[Path]\nPathChanged=/x\n[Install]\nWantedBy=paths.target\n"),
      unit("t.timer",
           "[Timer]\nOnCalendar=daily\nUnit=a.service\n[Install]\nWantedBy=timers.target\n"),
      unit("s.socket",
           "[Socket]\nListenStream=/x\nService=a.service\n[Install]\nWantedBy=sockets.target\n"),
      unit("time-sync.target", "[Unit]\n[Install]\nWantedBy=sysinit.target\n")};
  const auto graph = build_unit_graph(units);
  for (const char* first : {"a.path", "t.timer", "s.socket"}) {
    EXPECT_TRUE(starts_after(graph, "a.service", first)) << first;
  }
  EXPECT_TRUE(starts_after(graph, "t.timer", "time-sync.target"));
  EXPECT_TRUE(starts_after(graph, "basic.target", "a.path"));
  EXPECT_TRUE(find_unit_cycles(graph).empty());
}

TEST(UnitGraph, AnAliasIsTheUnitItself) {
  const std::vector<UnitFact> units = {
      unit("real.service",
           "[Unit]\nAfter=b.service\n[Service]\nExecStart=/bin/true\n[Install]\n"
           "WantedBy=multi-user.target\nAlias=other.service\n"),
      service("b.service", "After=other.service\n")};
  const auto cycles = find_unit_cycles(build_unit_graph(units));
  ASSERT_EQ(cycles.size(), 1U);
  EXPECT_EQ(members(cycles[0]), (Names{"b.service", "real.service"}));
}

TEST(UnitGraph, AnInstanceComesFromItsTemplate) {
  const std::vector<UnitFact> units = {
      service("a.service", "Wants=w@7.service\nAfter=w@7.service\n"),
      unit("w@.service",
           "[Unit]\nAfter=w-%i.target\nWants=w-%i.target\n[Service]\nExecStart=/bin/true\n", false),
      unit("w-7.target", "[Unit]\n", false)};
  const auto graph = build_unit_graph(units);
  EXPECT_TRUE(starts_after(graph, "a.service", "w-7.target"));
}

TEST(UnitGraph, EachGroupHasItsShortestCycle) {
  const std::vector<UnitFact> units = {
      service("a.service", "After=b.service\n"), service("b.service", "After=c.service\n"),
      service("c.service", "After=a.service b.service\n"),
      service("x.service", "After=y.service\n"), service("y.service", "After=x.service\n")};
  const auto cycles = find_unit_cycles(build_unit_graph(units));
  ASSERT_EQ(cycles.size(), 2U);
  EXPECT_EQ(members(cycles[0]), (Names{"b.service", "c.service"}));
  EXPECT_EQ(members(cycles[1]), (Names{"x.service", "y.service"}));
}

TEST(UnitGraph, AnotherTargetHasItsOwnBoot) {
  const std::vector<UnitFact> units = {
      unit("r.service",
           "[Unit]\nAfter=suspend.target\n[Service]\nExecStart=/bin/true\n[Install]\n"
           "WantedBy=suspend.target\n")};
  const auto graph = build_unit_graph(units, "suspend.target");
  EXPECT_TRUE(starts_after(graph, "r.service", "suspend.target"));
  EXPECT_TRUE(find_unit_cycles(graph).empty());
  EXPECT_FALSE(has(build_unit_graph(units), "r.service"));
}

TEST(UnitGraph, LimitsAreTold) {
  std::vector<UnitFact> units(kMaxGraphUnits, service("a.service", ""));
  EXPECT_TRUE(build_unit_graph(units).problems.empty());
  units.push_back(service("b.service", ""));
  const auto graph = build_unit_graph(units);
  ASSERT_EQ(graph.problems.size(), 1U);
  EXPECT_EQ(graph.problems[0],
            "Only the first 8192 units were looked at; the order of the others is not known");
  EXPECT_FALSE(has(graph, "b.service"));
}

TEST(UnitGraph, TooManyOrdersAreTold) {
  std::string all;
  std::vector<UnitFact> units;
  for (int i = 0; i < 600; ++i) all += " s" + std::to_string(i) + ".service";
  for (int i = 0; i < 600; ++i) {
    units.push_back(service("s" + std::to_string(i) + ".service", "After=" + all + "\n"));
  }
  const auto graph = build_unit_graph(units);
  EXPECT_EQ(graph.orders.size(), kMaxGraphEdges);
  ASSERT_EQ(graph.problems.size(), 1U);
  EXPECT_FALSE(find_unit_cycles(graph).empty());
}

TEST(UnitGraph, NamesOfUnits) {
  EXPECT_EQ(unit_type("docker.service"), "service");
  EXPECT_EQ(unit_type("docker"), "");
  EXPECT_EQ(template_of("getty@tty1.service"), "getty@.service");
  EXPECT_EQ(template_of("docker.service"), "");
  EXPECT_EQ(template_of("getty@.service"), "");
}

}  // namespace
}  // namespace estiva::decide
