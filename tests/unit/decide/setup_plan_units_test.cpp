// The units that 'estiva setup' switches on, and those of others.
#include "unit/decide/setup_plan_parts.h"
#include "unit/decide/unit_sets.h"

namespace estiva::decide {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

TEST(SetupPlan, PersistencedIsSwitchedOnWhereItIsInstalledAndOff) {
  ReadinessFacts facts = bases::debian_host();
  EXPECT_THAT(words_of(planned(facts)), Not(Contains(HasSubstr("persistenced"))));
  UnitFact unit = bases::make_unit("nvidia-persistenced.service", "[Unit]\n", false);
  unit.is_active = false;
  facts.units.push_back(unit);
  facts.driver.persistence_running = false;
  EXPECT_THAT(words_of(planned(facts)), IsSupersetOf({"enable_unit nvidia-persistenced.service",
                                                      "start_unit nvidia-persistenced.service"}));
  facts.driver.persistence_running = true;  // started by something else
  EXPECT_THAT(words_of(planned(facts)), Not(Contains("start_unit nvidia-persistenced.service")));
  facts.units.back().is_enabled = true;
  EXPECT_THAT(words_of(planned(facts)), Not(Contains(HasSubstr("persistenced"))));
  facts.units.back() = unit;
  facts.units.back().is_masked = true;
  facts.driver.persistence_running = false;
  EXPECT_THAT(words_of(planned(facts)), Not(Contains(HasSubstr("persistenced"))))
      << "somebody wants it off";
}

TEST(SetupPlan, WhatLiesInVramOutlivesASuspendWhereTheDriversUnitsAreThere) {
  ReadinessFacts facts = bases::debian_host();
  constexpr const char* kOptions = "write_file /etc/modprobe.d/estiva-suspend.conf";
  EXPECT_EQ(step_of(planned(facts), kOptions), nullptr);
  for (const char* name :
       {"nvidia-suspend.service", "nvidia-hibernate.service", "nvidia-resume.service"})
    facts.units.push_back(bases::make_unit(name, "[Unit]\n", false));
  const SetupPlan plan = planned(facts);
  ASSERT_NE(step_of(plan, kOptions), nullptr);
  EXPECT_THAT(step_of(plan, kOptions)->content,
              HasSubstr("NVreg_PreserveVideoMemoryAllocations=1"));
  EXPECT_THAT(words_of(plan), IsSupersetOf({"enable_unit nvidia-suspend.service",
                                            "enable_unit nvidia-hibernate.service",
                                            "enable_unit nvidia-resume.service"}));
  facts.units[facts.units.size() - 2].is_masked = true;
  facts.units.pop_back();
  const auto words = words_of(planned(facts));
  EXPECT_THAT(words, Contains("enable_unit nvidia-suspend.service"));
  EXPECT_THAT(words, Not(Contains("enable_unit nvidia-hibernate.service"))) << "it is masked";
  EXPECT_THAT(words, Not(Contains("enable_unit nvidia-resume.service"))) << "it is not there";
  facts.units.back().is_masked = true;
  for (UnitFact& unit : facts.units) unit.is_masked |= unit.name == "nvidia-suspend.service";
  EXPECT_EQ(step_of(planned(facts), kOptions), nullptr);
}

TEST(SetupPlan, UnitsOfAUserThatMakeACycleAreToldAndLeft) {
  ReadinessFacts facts = bases::debian_host();
  sets::add(facts.units, sets::seed());
  const SetupPlan plan = planned(facts);
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("nvidia-cdi-generate"))));
  EXPECT_THAT(words_of(plan), Not(Contains(HasSubstr("docker-nvidia-setup"))));
  EXPECT_THAT(plan.notes, Contains(AllOf(HasSubstr("The boot has a cycle already"),
                                         HasSubstr("nvidia-cdi-generate.service"))));
  EXPECT_THAT(planned(bases::debian_host()).notes, Not(Contains(HasSubstr("cycle"))));
}

TEST(SetupPlan, NvidiasUnitIsOrderedBeforeDockerWhereThatCanBe) {
  constexpr const char* kDropIn =
      "write_file /etc/systemd/system/nvidia-cdi-refresh.service.d/50-estiva.conf";
  ReadinessFacts facts = bases::debian_host();
  EXPECT_EQ(step_of(planned(facts), kDropIn), nullptr);
  facts.units.push_back(sets::vendor_plain());
  EXPECT_NE(step_of(planned(facts), kDropIn), nullptr);
  facts.units.back() = sets::vendor_late();
  EXPECT_EQ(step_of(planned(facts), kDropIn), nullptr);
  EXPECT_THAT(planned(facts).notes, Contains(HasSubstr("is ordered after multi-user.target")));
  facts.units.back() = sets::vendor_sleeping();
  EXPECT_EQ(step_of(planned(facts), kDropIn), nullptr);
  EXPECT_THAT(planned(facts).notes, Contains(HasSubstr("/bin/sleep 30")));
}

TEST(SetupPlan, TheDaemonIsEnabledWhereItIsInstalled) {
  ReadinessFacts facts = bases::debian_host();
  EXPECT_THAT(planned(facts).notes, Contains(HasSubstr("daemon is not installed as a service")));
  SetupWish without;
  without.daemon = false;
  EXPECT_THAT(planned(facts, without).notes, Not(Contains(HasSubstr("as a service"))));
  for (const char* name : {"estiva-control.socket", "estiva-lease.socket", "estiva-launch.socket",
                           "estiva.service", "estiva-gateway.service"}) {
    facts.units.push_back(bases::make_unit(name, "[Unit]\n", false));
    facts.units.back().is_active = false;
  }
  EXPECT_THAT(words_of(planned(facts)),
              IsSupersetOf({"enable_unit estiva-control.socket", "enable_unit estiva.service",
                            "start_unit estiva-gateway.service", "start_unit estiva-lease.socket",
                            "start_unit estiva.service"}));
  EXPECT_THAT(words_of(planned(facts, without)), Not(Contains(HasSubstr("estiva.service"))));
}

}  // namespace
}  // namespace estiva::decide
