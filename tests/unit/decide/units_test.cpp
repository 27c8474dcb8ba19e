// What the set-up writes on which machine, and that the boot has no cycle with it.
#include "decide/setup/units.h"

#include <algorithm>
#include <gtest/gtest.h>

#include "decide/setup/packaged.h"
#include "format/unit_file.h"
#include "unit/decide/unit_sets.h"

namespace estiva::decide {
namespace {

using Names = std::vector<std::string>;

const SetupFile* find(const SetupUnits& units, std::string_view path) {
  for (const auto& file : units.files) {
    if (file.path == path) return &file;
  }
  return nullptr;
}
constexpr const char* kService = "/etc/systemd/system/estiva-cdi.service";
constexpr const char* kDropIn = "/etc/systemd/system/nvidia-cdi-refresh.service.d/50-estiva.conf";

std::string value(const SetupFile& file, std::string_view section, std::string_view key) {
  return std::string(format::last_value(format::parse_unit_file(file.content), section, key));
}

std::vector<UnitFact> machine(const std::vector<UnitFact>& more) {
  auto units = sets::docker();
  sets::add(units, more);
  return units;
}

TEST(SetupUnits, ADefaultMachineGetsThePackagedFiles) {
  const auto units = plan_setup_units({}, {});
  ASSERT_FALSE(packaged_file("estiva-cdi.service").empty());
  EXPECT_EQ(find(units, kService)->content, packaged_file("estiva-cdi.service"));
  EXPECT_EQ(find(units, "/etc/systemd/system/estiva.service")->content,
            packaged_file("estiva.service"));
  EXPECT_EQ(find(units, "/etc/systemd/system/estiva-cdi.path")->content,
            packaged_file("estiva-cdi.path"));
  EXPECT_EQ(units.enable,
            (Names{"estiva-cdi.service", "estiva-cdi.path", "estiva-cdi-resume.service",
                   "estiva-control.socket", "estiva-lease.socket", "estiva-launch.socket",
                   "estiva.service", "estiva-gateway.service"}));
  EXPECT_TRUE(units.left_out.empty());
  for (const auto& file : units.files) {
    EXPECT_FALSE(file.content.empty()) << file.path;
    EXPECT_FALSE(file.reason.empty()) << file.path;
  }
  EXPECT_EQ(packaged_file("no such file"), "");
}

TEST(SetupUnits, OtherPathsKindAndEngine) {
  UnitNeeds needs;
  needs.program = "/opt/my tools/100%/estiva";
  needs.engine = "snap.docker.dockerd.service";
  needs.kind = "nvidia.com/gpu";
  needs.spec = "/etc/cdi/nvidia.yaml";
  needs.watched = {"/usr/lib64/libcuda.so.1"};
  needs.wants_daemon = false;
  const auto units = plan_setup_units(needs, {});
  const auto& service = *find(units, kService);
  EXPECT_EQ(value(service, "Service", "ExecStart"),
            "\"/opt/my tools/100%%/estiva\" cdi generate --kind nvidia.com/gpu -o "
            "/etc/cdi/nvidia.yaml");
  EXPECT_EQ(value(service, "Unit", "ConditionFileIsExecutable"), "/opt/my tools/100%%/estiva");
  EXPECT_EQ(value(service, "Unit", "Before").rfind("snap.docker.dockerd.service docker.service", 0),
            0U);
  EXPECT_EQ(value(service, "Service", "ConfigurationDirectory"), "cdi");
  EXPECT_EQ(value(service, "Service", "ReadWritePaths"), "");
  needs.spec = "/opt/my 5%/cdi/nvidia.yaml";
  EXPECT_EQ(value(*find(plan_setup_units(needs, {}), kService), "Service", "ReadWritePaths"),
            "\"-/opt/my 5%%/cdi\"");
  const auto& path = *find(units, "/etc/systemd/system/estiva-cdi.path");
  EXPECT_EQ(value(path, "Path", "PathChanged"), "/usr/lib64/libcuda.so.1");
  EXPECT_EQ(value(path, "Path", "Unit"), "estiva-cdi.service");
  EXPECT_EQ(find(units, "/etc/systemd/system/estiva.service"), nullptr);
}

// The promises of the boot, as the unit states them.
TEST(SetupUnits, TheEngineWaitsButNeverForLong) {
  const auto present = machine({});
  const auto all = with_setup_units(present, plan_setup_units({}, present));
  const auto graph = build_unit_graph(all);
  EXPECT_TRUE(find_unit_cycles(graph).empty());
  EXPECT_TRUE(starts_after(graph, "docker.service", "estiva-cdi.service"));
  EXPECT_TRUE(starts_after(graph, "containerd.service", "estiva-cdi.service"));
  EXPECT_FALSE(starts_after(graph, "estiva-cdi.service", "network-online.target"));
  const SetupFile service{"", std::string(packaged_file("estiva-cdi.service")), ""};
  EXPECT_EQ(value(service, "Unit", "JobRunningTimeoutSec"), "20");
  EXPECT_EQ(value(service, "Service", "TimeoutStartSec"), "15");
  EXPECT_EQ(value(service, "Service", "RemainAfterExit"), "");
  EXPECT_EQ(service.content.find("RequiredBy"), std::string::npos);
  // Ordered after nothing that has no bound of its own.
  EXPECT_EQ(value(service, "Unit", "After").find("nvidia"), std::string::npos);
}

TEST(SetupUnits, NoCycleWithTheVendorsUnitOfAnyAge) {
  struct Row {
    const char* name;
    UnitFact vendor;
    bool is_ordered;
    const char* left_out;
  };
  const std::vector<Row> rows = {
      {"sleeps", sets::vendor_sleeping(), false,
       "nvidia-cdi-refresh.service waits before it does anything (ExecStartPre=/bin/sleep 30), so "
       "docker.service must not wait for it. Upgrade NVIDIA's container toolkit; estiva's own "
       "specification does not depend on it"},
      {"plain", sets::vendor_plain(), true, nullptr},
      {"late", sets::vendor_late(), false,
       "nvidia-cdi-refresh.service is ordered after multi-user.target, and a drop-in can't take "
       "that "
       "back: starting it before docker.service would make a cycle. Upgrade NVIDIA's container "
       "toolkit; estiva's own specification does not depend on it"},
      {"ordered", sets::vendor_ordered(), true, nullptr}};
  for (const auto& row : rows) {
    const auto present = machine({row.vendor});
    const auto units = plan_setup_units({}, present);
    EXPECT_TRUE(find_unit_cycles(build_unit_graph(with_setup_units(present, units))).empty())
        << row.name;
    EXPECT_EQ(find(units, kDropIn) != nullptr, row.is_ordered) << row.name;
    EXPECT_EQ(units.left_out, row.left_out != nullptr ? Names{row.left_out} : Names{}) << row.name;
    EXPECT_TRUE(starts_after(build_unit_graph(with_setup_units(present, units)), "docker.service",
                             kVendorRefresh) == row.is_ordered)
        << row.name;
  }
}

TEST(SetupUnits, WithoutAnEngineTheVendorsUnitIsLeftAlone) {
  UnitNeeds needs;
  needs.engine.clear();
  const std::vector<UnitFact> present = {sets::vendor_plain()};
  EXPECT_EQ(find(plan_setup_units(needs, present), kDropIn), nullptr);
}

TEST(SetupUnits, TheSeedsCycleIsToldAndNotMadeWorse) {
  const auto present = machine(sets::seed());
  const auto units = plan_setup_units({}, present);
  ASSERT_EQ(units.cycles.size(), 1U);
  EXPECT_EQ(units.cycles, find_unit_cycles(build_unit_graph(present)));
}

TEST(SetupUnits, AUsersOwnOverrideThatMakesACycleIsFound) {
  // systemctl edit estiva-cdi.service, of an earlier set-up
  auto own = sets::unit("estiva-cdi.service", std::string(packaged_file("estiva-cdi.service")) +
                                                  "\n[Unit]\nAfter=docker.service\n");
  own.drop_ins = {"/etc/systemd/system/estiva-cdi.service.d/override.conf"};
  const auto units = plan_setup_units({}, machine({own}));
  ASSERT_EQ(units.cycles.size(), 1U);
  const std::vector<UnitOrder> expected = {
      {"docker.service", "estiva-cdi.service", "estiva-cdi.service", "Before=docker.service"},
      {"estiva-cdi.service", "docker.service", "estiva-cdi.service", "After=docker.service"}};
  EXPECT_EQ(units.cycles[0].orders, expected);
}

TEST(SetupUnits, SuspendOnlyWithTheVendorsUnits) {
  constexpr const char* kOptions = "/etc/modprobe.d/estiva-suspend.conf";
  EXPECT_EQ(find(plan_setup_units({}, {}), kOptions), nullptr);
  UnitNeeds needs;
  needs.suspend_units = {"nvidia-suspend.service", "nvidia-hibernate.service",
                         "nvidia-resume.service"};
  const auto units = plan_setup_units(needs, {});
  ASSERT_NE(find(units, kOptions), nullptr);
  EXPECT_EQ(std::count(units.enable.begin(), units.enable.end(), "nvidia-resume.service"), 1);
}

TEST(SetupUnits, OursAmongThePresentOnesAreReplaced) {
  auto present =
      machine({sets::unit("estiva-cdi.service", "[Unit]\nAfter=docker.service\n", true)});
  const auto all = with_setup_units(present, plan_setup_units({}, present));
  EXPECT_EQ(all.size(), present.size() + 9);
  EXPECT_TRUE(find_unit_cycles(build_unit_graph(all)).empty());
}

}  // namespace
}  // namespace estiva::decide
