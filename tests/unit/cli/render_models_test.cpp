// What `status` says of models: the policy that is really in force, and who keeps a GPU awake.
#include "cli/render_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/json.h"
#include "unit/api/fixed_residents.h"
#include "worlds.h"

namespace estiva::cli {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

api::ModelStatus model(std::string name) {
  api::ModelStatus model;
  model.name = std::move(name);
  model.state = "resident";
  return model;
}

std::string page(const api::FixedResidents& residents) {
  const auto document = read_status_document(api::status_json(test::world(), &residents));
  EXPECT_TRUE(document) << document.error().sentence();
  return models_in_status(document.value_or(StatusDocument{}));
}

TEST(ModelsInStatus, ThePolicyInForceIsToldWithWhoSaysSo) {
  api::FixedResidents residents;
  residents.all = {model("asked"), model("changed"), model("held")};
  residents.all[1].policy = ResidencyPolicy::keep;
  residents.all[1].policy_is_live = true;
  residents.all[2].is_pinned = residents.all[2].pin_is_live = true;
  const std::string text = page(residents);
  EXPECT_THAT(text,
              testing::ContainsRegex("asked +resident +swap +configuration +for others only"));
  EXPECT_THAT(text,
              testing::ContainsRegex(
                  "changed +resident +keep \\(by command; configured: swap\\) +command +never"));
  EXPECT_THAT(text, testing::ContainsRegex(
                        "held +resident +swap, pinned by command +command +never \\(pinned\\)"));
}

TEST(ModelsInStatus, OnBatteryItNamesWhoKeepsAGpuAwakeAndUntilWhen) {
  api::FixedResidents residents;
  residents.all = {model("idle"), model("busy"), model("kept")};
  for (auto& one : residents.all) {
    one.keeps_awake = {"GPU-00000000-aaaa-bbbb-cccc-123456789abc"};
    one.ttl = 2min;
    one.ttl_from = "battery";
  }
  residents.all[0].leaves_in = 80s;
  residents.all[1].in_flight = 3;
  residents.all[2].policy = ResidencyPolicy::keep;
  residents.all[2].ttl.reset();
  EXPECT_THAT(page(residents), Not(HasSubstr("awake"))) << "on the mains nobody minds";
  residents.battery = true;
  const std::string text = page(residents);
  EXPECT_THAT(text, HasSubstr("after 2 min (battery)"));
  EXPECT_THAT(text,
              HasSubstr("GPU 0 is kept awake by idle, which leaves in 80 s if nobody asks for "
                        "it (battery)\n"));
  EXPECT_THAT(text, HasSubstr("GPU 0 is kept awake by busy, which works (3 under way)\n"));
  EXPECT_THAT(text, HasSubstr("GPU 0 is kept awake by kept, which stays: never\n"));
}

TEST(ModelsInStatus, WithoutModelsThereIsNoSuchPart) {
  EXPECT_EQ(page(api::FixedResidents{}), "");
}

}  // namespace
}  // namespace estiva::cli
