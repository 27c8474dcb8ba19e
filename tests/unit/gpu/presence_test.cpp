#include "gpu/presence.h"

#include <filesystem>
#include <gtest/gtest.h>

#include "gpu/backend.h"
#include "gpu_fixture.h"

namespace estiva::gpu {
namespace {

using testing::add_pci;
using testing::kStub;
using testing::Scratch;
using testing::StubScript;

TEST(Presence, NoNvidiaDeviceIsAbsent) {
  Scratch root;
  root.write("sys/bus/pci/devices/0000:00:02.0/vendor", "0x8086\n");
  root.write("sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
  const auto reason = reason_to_stay_out(look_for_gpus(root.path));
  ASSERT_TRUE(reason.has_value());
  EXPECT_EQ(reason->state, DriverState::absent);
  EXPECT_FALSE(reason->remedy.empty());
}

TEST(Presence, TheSoundDeviceOfAGpuIsNoGpu) {
  Scratch root;
  add_pci(root, "0000:01:00.1", "0x040300");
  EXPECT_TRUE(look_for_gpus(root.path).gpus.empty());
}

TEST(Presence, AGpuWithoutModuleIsNoDriverAndSaysWhichGpu) {
  Scratch root;
  add_pci(root, "0000:01:00.0", "0x030000");
  const auto reason = reason_to_stay_out(look_for_gpus(root.path));
  ASSERT_TRUE(reason.has_value());
  EXPECT_EQ(reason->state, DriverState::no_driver);
  EXPECT_NE(reason->reason.find("0000:01:00.0"), std::string::npos);
}

TEST(Presence, AGpuBoundToAnotherDriverNamesIt) {
  Scratch root;
  add_pci(root, "0000:01:00.0", "0x030200");
  std::filesystem::create_symlink("../../../bus/pci/drivers/vfio-pci",
                                  root.path + "/sys/bus/pci/devices/0000:01:00.0/driver");
  const auto reason = reason_to_stay_out(look_for_gpus(root.path));
  ASSERT_TRUE(reason.has_value());
  EXPECT_NE(reason->reason.find("vfio-pci"), std::string::npos);
}

TEST(Presence, AModuleWithItsVersionIsNoReasonToStayOut) {
  Scratch root;
  add_pci(root, "0000:01:00.0", "0x030000");
  root.write("sys/module/nvidia/version", "550.163.01\n");
  const Presence presence = look_for_gpus(root.path);
  EXPECT_FALSE(reason_to_stay_out(presence).has_value());
  EXPECT_EQ(presence.module_version, "550.163.01");
}

// tests/machines/h100-vm is a real machine: driver 580.159.04 with the open kernel module.
TEST(Presence, ARealMachineIsReadAsItIs) {
  const std::string root = ESTIVA_SOURCE_DIR "/tests/machines/h100-vm";
  const Presence presence = look_for_gpus(root);
  ASSERT_EQ(presence.gpus.size(), 1U);
  EXPECT_EQ(presence.gpus[0].bus_id, "0000:00:06.0");
  EXPECT_FALSE(presence.gpus[0].is_suspended);
  EXPECT_FALSE(presence.gpus[0].may_sleep) << "power/control is on";
  EXPECT_EQ(presence.module_version, "580.159.04");
  EXPECT_FALSE(reason_to_stay_out(presence).has_value());
  EXPECT_FALSE(predict_mismatch(presence, "/usr/lib/libnvidia-ml.so.580.159.04").has_value());
  EXPECT_TRUE(predict_mismatch(presence, "/usr/lib/libnvidia-ml.so.580.95.05").has_value());
}

TEST(Presence, TheOpenModulesVersionIsFoundInProcToo) {
  Scratch root;
  root.write(
      "proc/driver/nvidia/version",
      "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.159.04  Release Build\n");
  EXPECT_EQ(look_for_gpus(root.path).module_version, "580.159.04");
}

TEST(Presence, TheVersionIsAlsoFoundInProc) {
  Scratch root;
  root.write("proc/driver/nvidia/version",
             "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.163.01  Tue Apr  8 12:41:17 UTC "
             "2025\nGCC version:  gcc version 12.2.0\n");
  EXPECT_EQ(look_for_gpus(root.path).module_version, "550.163.01");
}

TEST(Presence, AMismatchIsForetoldFromTheNameOfTheLibrary) {
  Presence presence;
  presence.module_version = "550.163.01";
  struct Case {
    const char* what;
    const char* library;
    bool is_mismatch;
  };
  for (const Case& c : {Case{"same version", "/usr/lib/libnvidia-ml.so.550.163.01", false},
                        Case{"newer library", "/usr/lib/libnvidia-ml.so.550.200.00", true},
                        Case{"no version in the name", "/usr/lib/libnvidia-ml.so.1", false},
                        Case{"another library", "/usr/lib/libother.so.1.2", false}}) {
    const auto status = predict_mismatch(presence, c.library);
    EXPECT_EQ(status.has_value(), c.is_mismatch) << c.what;
    EXPECT_EQ(status.value_or(DriverStatus{}).state,
              c.is_mismatch ? DriverState::mismatch : DriverState::initialising)
        << c.what;
  }
}

TEST(Presence, AModuleOfUnknownVersionForetellsNothing) {
  EXPECT_FALSE(predict_mismatch(Presence{}, "/usr/lib/libnvidia-ml.so.550.1").has_value());
}

TEST(Presence, PowerStateSaysAsleepOnlyWhenSuspended) {
  Scratch root;
  add_pci(root, "0000:01:00.0", "0x030200", "suspended", "auto");
  add_pci(root, "0000:02:00.0", "0x030200", "active", "auto");
  const Presence presence = look_for_gpus(root.path);
  ASSERT_EQ(presence.gpus.size(), 2U);
  EXPECT_TRUE(presence.gpus[0].is_suspended);
  EXPECT_FALSE(presence.gpus[1].is_suspended);
  EXPECT_TRUE(presence.gpus[1].may_sleep);
  EXPECT_FALSE(all_asleep(presence));
}

TEST(Presence, ALibraryIsChosenByOptionOrByLdLibraryPath) {
  Scratch folder;
  folder.write("libnvidia-ml.so.1", "");
  EXPECT_TRUE(library_is_chosen("/any/file", nullptr));
  EXPECT_TRUE(library_is_chosen("", ("/nowhere:" + folder.path).c_str()));
  EXPECT_FALSE(library_is_chosen("", "/nowhere:"));
  EXPECT_FALSE(library_is_chosen("", nullptr));
}

TEST(Presence, NvmlAddressesAreWrittenAsSysfsDoes) {
  EXPECT_EQ(to_sysfs_bus_id("00000000:01:00.0"), "0000:01:00.0");
  EXPECT_EQ(to_sysfs_bus_id("00010000:AF:00.0"), "10000:af:00.0");
  EXPECT_EQ(to_sysfs_bus_id(""), "");
}

// What a package upgrade does to a driver that is in use: its library's name leads to a new file.
TEST(Presence, AnUpgradeUnderTheLoadedModuleIsSeenBeforeItBites) {
  namespace fs = std::filesystem;
  StubScript stub("gpus 1\ndriver 550.163.01\n");
  const std::string name = stub.path + "/libnvidia-ml.so.1";
  const auto install = [&](const std::string& version) {
    const std::string file = stub.path + "/libnvidia-ml.so." + version;
    fs::remove(file);  // as dpkg does: the mapped one stays what it is
    fs::copy_file(kStub, file);
    fs::remove(name);
    fs::create_symlink(file, name);
  };
  install("550.163.01");
  auto backend = make_backend({"nvml", name, stub.path, ""});
  Snapshot snapshot;
  backend->open(snapshot);
  backend->read(Tiers::all(), snapshot);
  ASSERT_EQ(snapshot.driver.state, DriverState::ready) << snapshot.driver.reason;
  EXPECT_EQ(snapshot.driver.installed_version, "");
  install("560.35.03");
  backend->read(kGrantTiers, snapshot);
  EXPECT_EQ(snapshot.driver.installed_version, "") << "looked at with the slow tier";
  backend->read(Tier::slow, snapshot);
  EXPECT_EQ(snapshot.driver.installed_version, "560.35.03");
  EXPECT_EQ(snapshot.driver.state, DriverState::ready) << "what runs goes on";
  fs::remove(name);
  backend->read(Tier::slow, snapshot);
  EXPECT_EQ(snapshot.driver.installed_version, "") << "in the middle of an upgrade";
  install("550.163.01");
  backend->read(Tier::slow, snapshot);
  EXPECT_EQ(snapshot.driver.installed_version, "");
}

}  // namespace
}  // namespace estiva::gpu
