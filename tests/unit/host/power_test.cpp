// Where the power comes from, as the kernel shows it for laptops, desktops and a wireless mouse.
#include "host/power.h"

#include <gtest/gtest.h>

#include "unit/host/temp_dir.h"

namespace estiva::host {
namespace {

using test::TempDir;

void supply(const TempDir& dir, const std::string& name,
            const std::vector<std::pair<std::string, std::string>>& files) {
  for (const auto& [file, text] : files)
    dir.write("sys/class/power_supply/" + name + "/" + file, text + "\n");
}

bool on_battery(const std::string& root) {
  const auto opened = Root::open(root);
  return opened && is_on_battery(*opened);
}

TEST(Power, ALaptopIsOnBatteryWhileItDischarges) {
  const TempDir dir;
  EXPECT_FALSE(on_battery(dir.path())) << "nothing is known";
  supply(dir, "AC", {{"type", "Mains"}, {"online", "0"}});
  EXPECT_FALSE(on_battery(dir.path())) << "a desktop's adapter says nothing of a battery";
  supply(dir, "BAT0", {{"type", "Battery"}, {"status", "Discharging"}});
  EXPECT_TRUE(on_battery(dir.path()));
  supply(dir, "BAT0", {{"type", "Battery"}, {"status", "Charging"}});
  EXPECT_FALSE(on_battery(dir.path()));
  supply(dir, "BAT1", {{"type", "Battery"}, {"status", "Discharging"}});
  EXPECT_TRUE(on_battery(dir.path())) << "one of two is enough";
}

TEST(Power, AMousesBatteryIsNotTheMachines) {
  const TempDir dir;
  supply(dir, "hidpp_battery_0",
         {{"type", "Battery"}, {"status", "Discharging"}, {"scope", "Device"}});
  EXPECT_FALSE(on_battery(dir.path()));
}

}  // namespace
}  // namespace estiva::host
