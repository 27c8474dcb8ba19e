// Which GPU draws, which computes, and what keeps the NVIDIA one awake.
#include "decide/readiness/display.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace estiva::decide {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kUuid[] = "GPU-aa";

// A laptop whose Intel GPU draws on the inner screen; the NVIDIA one sleeps.
class Laptop : public testing::Test {
 protected:
  Laptop() {
    PciFact intel;
    intel.bus_id = "0000:00:02.0";
    intel.vendor = 0x8086;
    intel.device = 0x46a6;
    intel.pci_class = 0x030000;
    intel.driver = "i915";
    intel.boot_vga = true;
    intel.connectors = {"eDP-1"};
    PciFact audio;
    audio.bus_id = "0000:01:00.1";
    audio.vendor = 0x10de;
    audio.pci_class = 0x040300;
    PciFact nvidia;
    nvidia.bus_id = "0000:01:00.0";
    nvidia.vendor = 0x10de;
    nvidia.device = 0x1c8c;
    nvidia.pci_class = 0x030200;
    nvidia.driver = "nvidia";
    nvidia.boot_vga = false;
    nvidia.power_control = "auto";
    nvidia.power_state = "suspended";
    facts.kernel.pci = {nvidia, audio, intel};
    DriverGpu files;
    files.bus_id = nvidia.bus_id;
    files.drm = {"/dev/dri/card1"};
    facts.driver.files.gpus = {files};
  }
  PciFact& nvidia() { return facts.kernel.pci[0]; }
  PciFact& intel() { return facts.kernel.pci[2]; }
  // NVML has woken it up and tells of it.
  void wake(std::vector<GpuProcess> processes = {}) {
    nvidia().power_state = "active";
    Gpu gpu;
    gpu.identity.id.uuid = kUuid;
    gpu.identity.name = "NVIDIA GeForce GTX 1050 Ti";
    gpu.identity.pci_bus_id = "00000000:01:00.0";
    gpu.sample.processes = std::move(processes);
    facts.driver.gpus = {gpu};
  }
  static GpuProcess graphics(pid_t pid, std::string name, Reading<Bytes> used) {
    GpuProcess process;
    process.pid = pid;
    process.name = std::move(name);
    process.used = used;
    process.graphics = true;
    return process;
  }
  ReadinessFacts facts;
};

TEST_F(Laptop, AtRestTheOtherGpuDrawsAndNvidiasSleeps) {
  const DisplayReport report = look_at_displays(facts);
  ASSERT_EQ(report.gpus.size(), 2U);
  EXPECT_TRUE(report.is_hybrid);
  EXPECT_EQ(report.gpus[0].name, "Intel GPU 8086:46a6");
  EXPECT_TRUE(report.gpus[0].draws);
  EXPECT_FALSE(report.gpus[0].computes);
  EXPECT_THAT(report.gpus[0].screens, ElementsAre("eDP-1"));
  EXPECT_EQ(report.gpus[1].name, "NVIDIA GPU 10de:1c8c");
  EXPECT_FALSE(report.gpus[1].draws);
  EXPECT_TRUE(report.gpus[1].computes);
  EXPECT_EQ(report.gpus[1].power, GpuPower::asleep);
  EXPECT_THAT(report.gpus[1].awake_because, IsEmpty());
  EXPECT_THAT(report.advice, IsEmpty());
}

TEST_F(Laptop, WhatKeepsItAwakeIsNamed) {
  wake();
  nvidia().power_control = "on";
  nvidia().connectors = {"HDMI-A-1"};
  facts.driver.users = {{{40, "Xorg", {"/dev/dri/card1"}},
                         {50, "ollama", {"/dev/nvidia-uvm", "/dev/nvidia0"}},
                         {60, "other", {"/dev/dri/card0", "/dev/nvidiactl"}}},
                        3};
  const DisplayGpu gpu = look_at_displays(facts).gpus.at(1);
  EXPECT_EQ(gpu.name, "NVIDIA GeForce GTX 1050 Ti");
  EXPECT_EQ(gpu.power, GpuPower::always_on);
  EXPECT_THAT(gpu.awake_because,
              ElementsAre("a screen is connected to it (HDMI-A-1)",
                          "its power management is off (power/control is \"on\")",
                          "Xorg (pid 40) has it open", "ollama (pid 50) has it open",
                          HasSubstr("3 processes could not be looked at")));
}

TEST_F(Laptop, ManyUsersAreCounted) {
  wake();
  for (pid_t pid = 1; pid <= 7; ++pid)
    facts.driver.users.users.push_back({pid, "chrome", {"/dev/nvidia0"}});
  const auto why = look_at_displays(facts).gpus.at(1).awake_because;
  ASSERT_EQ(why.size(), 6U);
  EXPECT_EQ(why.back(), "2 more processes have it open");
}

TEST_F(Laptop, ProgramsOfTheDesktopOnItAreNamedTheLargestFirst) {
  GpuProcess model = graphics(9, "ollama", gib(2));
  model.compute = true;
  wake({graphics(7, "Xorg", mib(40)), graphics(8, "firefox", mib(300)), model,
        graphics(5, "gnome-shell", Missing::not_supported)});
  const DisplayReport report = look_at_displays(facts);
  ASSERT_EQ(report.holders.size(), 3U);
  EXPECT_EQ(report.holders[0].pid, 8);
  EXPECT_EQ(report.holders[1].pid, 7);
  EXPECT_EQ(report.holders[2].pid, 5);
  EXPECT_EQ(report.holders[0].device, kUuid);
  EXPECT_THAT(report.advice, ElementsAre(HasSubstr("hold 340 MiB of the NVIDIA GPU's memory: "
                                                   "firefox, Xorg, gnome-shell.")));
}

TEST_F(Laptop, TheDesktopOnNvidiaIsAdvisedAgainst) {
  wake({graphics(7, "Xorg", mib(400))});
  intel().connectors.clear();
  nvidia().connectors = {"eDP-1"};
  const DisplayReport report = look_at_displays(facts);
  EXPECT_FALSE(report.gpus[0].draws);
  EXPECT_TRUE(report.gpus[1].draws);
  EXPECT_THAT(report.advice, ElementsAre(HasSubstr("drawn by the NVIDIA GPU, and holds 400 MiB")));
}

TEST_F(Laptop, WithoutKnownScreensTheFirmwaresGpuDraws) {
  intel().connectors.clear();
  EXPECT_TRUE(look_at_displays(facts).gpus.at(0).draws);
  intel().boot_vga = Missing::not_supported;
  EXPECT_FALSE(look_at_displays(facts).gpus.at(0).draws);
}

TEST_F(Laptop, OneThatNeverSleepsGetsARule) {
  wake();
  nvidia().power_control = "on";
  EXPECT_THAT(look_at_displays(facts).advice, Contains(HasSubstr("udev rule")));
  nvidia().connectors = {"DP-1"};
  EXPECT_THAT(look_at_displays(facts).advice, Not(Contains(HasSubstr("udev rule"))))
      << "it draws, so it may not sleep";
}

TEST_F(Laptop, OffloadVariablesInAContainerAreNamed) {
  ContainerFact container;
  container.name = "ollama";
  container.environment = {"NVIDIA_VISIBLE_DEVICES=all", "__NV_PRIME_RENDER_OFFLOAD=1"};
  facts.containers = {container};
  EXPECT_THAT(look_at_displays(facts).advice,
              ElementsAre(HasSubstr("ollama sets __NV_PRIME_RENDER_OFFLOAD, which means nothing")));
}

// A server with NVIDIA GPUs alone: its desktop, if any, has no other GPU to go to.
TEST_F(Laptop, AServerIsNoHybrid) {
  facts.kernel.pci = {nvidia()};
  wake({graphics(7, "Xorg", mib(40))});
  nvidia().power_control = "on";
  const DisplayReport report = look_at_displays(facts);
  EXPECT_FALSE(report.is_hybrid);
  EXPECT_THAT(report.advice, IsEmpty());
}

TEST(Displays, AMachineWithoutAnySaysNothing) {
  const DisplayReport report = look_at_displays({});
  EXPECT_TRUE(report.gpus.empty());
  EXPECT_TRUE(report.advice.empty());
  EXPECT_EQ(to_name(GpuPower::always_on), "always_on");
}

}  // namespace
}  // namespace estiva::decide
