// What is told of the GPUs' health: changes, and each once.
#include "decide/health/changes.h"

#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

using enum HealthState;

Condition condition(const std::string& id, HealthState state, const std::string& reason = "why") {
  return {id, state, false, {}, reason, "do"};
}
GpuHealth gpu(const std::string& device, std::vector<Condition> conditions) {
  return {device, ok, std::move(conditions)};
}

TEST(HealthChanges, NothingChangedWhereOnlyFiguresDid) {
  EXPECT_TRUE(health_changes({gpu("a", {condition("temperature", warn, "86 C")})},
                             {gpu("a", {condition("temperature", warn, "87 C")})})
                  .empty());
  EXPECT_TRUE(health_changes({gpu("a", {})}, {gpu("a", {})}).empty());
  EXPECT_TRUE(health_changes({}, {}).empty());
}

TEST(HealthChanges, OpenedWorseBetterAndClosed) {
  const auto none = gpu("a", {}), warm = gpu("a", {condition("temperature", warn, "86 C")}),
             hot = gpu("a", {condition("temperature", unhealthy, "96 C")});
  EXPECT_EQ(health_changes({none}, {warm}),
            (std::vector<HealthChange>{{"a", "temperature", ok, warn, "86 C", "do"}}));
  EXPECT_EQ(health_changes({warm}, {hot}),
            (std::vector<HealthChange>{{"a", "temperature", warn, unhealthy, "96 C", "do"}}));
  EXPECT_EQ(health_changes({hot}, {warm}),
            (std::vector<HealthChange>{{"a", "temperature", unhealthy, warn, "86 C", "do"}}));
  EXPECT_EQ(health_changes({hot}, {none}),
            (std::vector<HealthChange>{{"a", "temperature", unhealthy, ok, "96 C", "do"}}));
}

TEST(HealthChanges, DevicesAndConditionsAreApart) {
  const auto changes =
      health_changes({gpu("a", {condition("fan", warn)}), gpu("b", {condition("fan", warn)})},
                     {gpu("a", {condition("fan", warn), condition("power", warn)}), gpu("b", {})});
  EXPECT_EQ(changes, (std::vector<HealthChange>{{"a", "power", ok, warn, "why", "do"},
                                                {"b", "fan", warn, ok, "why", "do"}}));
}

TEST(HealthChanges, ADeviceThatLeavesClosesWhatWasOpen) {
  EXPECT_EQ(health_changes({gpu("a", {condition("fan", warn)})}, {}),
            (std::vector<HealthChange>{{"a", "fan", warn, ok, "why", "do"}}));
  EXPECT_EQ(health_changes({}, {gpu("a", {condition("missing", unhealthy)})}),
            (std::vector<HealthChange>{{"a", "missing", ok, unhealthy, "why", "do"}}));
}

}  // namespace
}  // namespace estiva::decide
