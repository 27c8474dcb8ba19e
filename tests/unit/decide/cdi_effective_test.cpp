#include <gtest/gtest.h>

#include "decide/cdi/effective.h"

namespace estiva::decide {
namespace {

CdiFile file(const std::string& path, unsigned priority, std::vector<std::string> names,
             const std::string& version = "0.5.0", const std::string& kind = "a.com/gpu") {
  CdiFile made;
  made.path = path;
  made.priority = priority;
  made.spec.version = version;
  made.spec.kind = kind;
  for (const std::string& name : names) made.spec.devices.push_back({name, {}, {}});
  return made;
}

using Paths = std::vector<std::string>;

TEST(CdiEffective, OneFileIsWhatAnEngineSees) {
  const std::vector<CdiFile> files = {file("/etc/cdi/a.yaml", 0, {"1", "0"})};
  EXPECT_EQ(effective_devices(files, ""),
            (CdiEffective{{{"a.com/gpu=0", "/etc/cdi/a.yaml", {}, {}},
                           {"a.com/gpu=1", "/etc/cdi/a.yaml", {}, {}}},
                          {}}));
  EXPECT_EQ(effective_devices({}, "0.5.0"), CdiEffective{});
}

TEST(CdiEffective, TheDirectoryOfHigherPriorityWins) {
  const CdiFile low = file("/z/a.yaml", 0, {"0"}), middle = file("/y/a.yaml", 1, {"0"}),
                high = file("/x/a.yaml", 2, {"0"});
  const CdiEffective expected{{{"a.com/gpu=0", "/x/a.yaml", {"/z/a.yaml", "/y/a.yaml"}, {}}}, {}};
  EXPECT_EQ(effective_devices(std::vector{low, middle, high}, ""), expected);
  EXPECT_EQ(effective_devices(std::vector{high, low, middle}, ""), expected);
}

TEST(CdiEffective, OtherKindsAndNamesAreOtherDevices) {
  const std::vector<CdiFile> files = {file("/e/a.yaml", 0, {"0"}), file("/e/b.yaml", 0, {"1"}),
                                      file("/e/c.yaml", 0, {"0"}, "0.5.0", "b.com/gpu")};
  for (const CdiEffectiveDevice& device : effective_devices(files, "").devices) {
    EXPECT_FALSE(device.winner.empty()) << device.name;
  }
  EXPECT_EQ(effective_devices(files, "").devices.size(), 3u);
}

TEST(CdiEffective, TwoFilesOfOneDirectoryTakeADeviceAway) {
  const CdiFile a = file("/e/a.yaml", 0, {"0", "1"}), b = file("/e/b.yaml", 0, {"0"}),
                c = file("/e/c.yaml", 0, {"0"});
  EXPECT_EQ(effective_devices(std::vector{b, a}, ""),
            (CdiEffective{{{"a.com/gpu=0", "", {}, {"/e/a.yaml", "/e/b.yaml"}},
                           {"a.com/gpu=1", "/e/a.yaml", {}, {}}},
                          {}}));
  EXPECT_EQ(effective_devices(std::vector{a, b, c}, "").devices[0].conflicting,
            (Paths{"/e/a.yaml", "/e/b.yaml", "/e/c.yaml"}));
}

TEST(CdiEffective, AConflictBelowTakesADeviceAwayAboveToo) {
  const CdiFile a = file("/e/a.yaml", 0, {"0"}), b = file("/e/b.yaml", 0, {"0"}),
                c = file("/r/c.yaml", 1, {"0"}), d = file("/r/d.yaml", 1, {"0"});
  EXPECT_EQ(effective_devices(std::vector{a, b, c}, "").devices[0],
            (CdiEffectiveDevice{"a.com/gpu=0", "", {"/r/c.yaml"}, {"/e/a.yaml", "/e/b.yaml"}}));
  EXPECT_EQ(effective_devices(std::vector{a, c, d}, "").devices[0],
            (CdiEffectiveDevice{"a.com/gpu=0", "", {"/e/a.yaml"}, {"/r/c.yaml", "/r/d.yaml"}}));
  EXPECT_EQ(effective_devices(std::vector{a, b, c, d}, "").devices[0].conflicting,
            (Paths{"/e/a.yaml", "/e/b.yaml", "/r/c.yaml", "/r/d.yaml"}));
}

TEST(CdiEffective, FilesThatCountForNothingSayWhy) {
  CdiFile ignored = file("/e/a.yml", 0, {"0"}), broken = file("/e/b.yaml", 0, {"0"});
  ignored.is_ignored = true;
  ignored.error = "it is broken, too";
  ignored.error_line = 3;
  broken.error = "line 4, column 1: it is broken";
  broken.error_line = 4;
  const std::vector<CdiFile> files = {file("/e/d.yaml", 0, {"0"}),
                                      file("/e/c.yaml", 0, {"0"}, "0.7.0"), broken, ignored};
  using Why = CdiUnusedFile::Why;
  const CdiEffective result = effective_devices(files, "0.6.0");
  EXPECT_EQ(result.devices,
            (std::vector<CdiEffectiveDevice>{{"a.com/gpu=0", "/e/d.yaml", {}, {}}}));
  EXPECT_EQ(
      result.unused,
      (std::vector<CdiUnusedFile>{
          {"/e/a.yml", Why::ignored,
           "engines read only files whose names end in .json or .yaml, so nobody reads this one",
           0},
          {"/e/b.yaml", Why::invalid, "line 4, column 1: it is broken", 4},
          {"/e/c.yaml", Why::too_new,
           "its version is 0.7.0, and the engine reads 0.6.0 at most, so it leaves the whole file "
           "aside",
           0}}));
  // An engine that reads it, or that is not known, has a conflict.
  EXPECT_EQ(effective_devices(files, "0.7.0").devices[0].conflicting.size(), 2u);
  EXPECT_EQ(effective_devices(files, "").devices[0].conflicting.size(), 2u);
}

TEST(CdiEffective, ADeviceIsFoundByItsName) {
  const CdiEffective all =
      effective_devices(std::vector{file("/e/a.yaml", 0, {"0", "1", "9"})}, "");
  ASSERT_NE(find_device(all, "a.com/gpu=1"), nullptr);
  EXPECT_EQ(find_device(all, "a.com/gpu=1")->name, "a.com/gpu=1");
  EXPECT_EQ(find_device(all, "a.com/gpu=2"), nullptr);
  EXPECT_EQ(find_device(all, "a.com/gpu=99"), nullptr);
  EXPECT_EQ(find_device({}, "a.com/gpu=0"), nullptr);
}

}  // namespace
}  // namespace estiva::decide
