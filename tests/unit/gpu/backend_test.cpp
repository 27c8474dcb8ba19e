// The NVML back end on the hand-written stub, in this process: what each answer of a driver
// becomes.
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>

#include "gpu/nvml_abi.h"
#include "gpu_fixture.h"

namespace estiva::gpu {
namespace {

using testing::add_pci;
using testing::Scratch;
using testing::StubScript;

struct Opened {
  std::unique_ptr<Backend> backend;
  Snapshot snapshot;
};

Opened open_and_read(const StubScript& stub) {
  Opened opened{make_backend(stub.backend_options()), {}};
  opened.backend->open(opened.snapshot);
  if (opened.snapshot.is_readable()) opened.backend->read(Tiers::all(), opened.snapshot);
  return opened;
}

TEST(Backend, ATableSaysWhatExists) {
  EXPECT_NE(make_backend({"nvml", "", "/", ""}), nullptr);
  EXPECT_NE(make_backend({"simulated", "/x", "/", ""}), nullptr);
  EXPECT_NE(make_backend({"recorded", "", "/", "/x"}), nullptr);
  EXPECT_EQ(make_backend({"rocm", "", "/", ""}), nullptr);
}

TEST(Backend, EveryFieldOfAHealthyGpuIsRead) {
  StubScript stub("gpus 2\nprocesses 3\n");
  stub.write("proc/2001/comm", "python3\n");
  const Opened opened = open_and_read(stub);
  ASSERT_EQ(opened.snapshot.driver.state, DriverState::ready) << opened.snapshot.driver.reason;
  EXPECT_EQ(opened.snapshot.driver.version, "550.163.01");
  EXPECT_EQ(opened.snapshot.driver.nvml_version, "12.550.163.01");
  EXPECT_EQ(*opened.snapshot.driver.cuda_version, 12040U);
  ASSERT_EQ(opened.snapshot.gpus.size(), 2U);
  const Gpu& gpu = opened.snapshot.gpus[1];
  EXPECT_EQ(gpu.identity.id.uuid, "GPU-00000001-0000-4000-8000-000000000000");
  EXPECT_EQ(gpu.identity.pci_bus_id, "00000000:02:00.0");
  EXPECT_EQ(gpu.identity.architecture, "Ampere");
  EXPECT_EQ(*gpu.identity.minor_number, 1U);
  EXPECT_EQ(*gpu.identity.compute_capability, 86U);
  EXPECT_EQ(gpu.identity.slowdown_at->value, 95);
  EXPECT_EQ(gpu.identity.shutdown_at->value, 98);
  EXPECT_EQ(gpu.identity.power_limit->value, 350);
  EXPECT_EQ(gpu.identity.power_limit_max->value, 370);
  const GpuSample& s = gpu.sample;
  ASSERT_TRUE(s.memory.known());
  EXPECT_EQ(s.memory->total, gib(24));
  EXPECT_EQ(s.memory->used, gib(3));
  EXPECT_EQ(s.memory->reserved, mib(300));
  EXPECT_TRUE(s.memory->reserved_known);
  EXPECT_EQ(s.memory->used + s.memory->free + s.memory->reserved, s.memory->total);
  EXPECT_EQ(s.utilization->value, 0.63);
  EXPECT_EQ(s.temperature->value, 72) << "TemperatureV is absent: the older call answers";
  EXPECT_EQ(s.power->value, 103.5);
  EXPECT_EQ(s.sm_clock->value, 1'695'000'000U);
  EXPECT_EQ(s.memory_clock->value, 9'501'000'000U);
  EXPECT_EQ(*s.clock_event_reasons, 4U) << "by its older name";
  EXPECT_EQ(*s.performance_state, 2U);
  EXPECT_EQ(*s.energy_joules, 123.456);
  EXPECT_EQ(s.memory_temperature.why(), Missing::not_supported);
  EXPECT_EQ(s.fan->value, 0.3);
  EXPECT_EQ(*s.pcie_width, 16U);
  EXPECT_EQ(*s.ecc_corrected, 3U);
  ASSERT_TRUE(s.processes.known());
  ASSERT_EQ(s.processes->size(), 3U);
  EXPECT_EQ(s.processes->front().pid, 2001);
  EXPECT_EQ(s.processes->front().name, "python3");
  EXPECT_EQ(*s.processes->front().used, gib(1));
  EXPECT_TRUE(s.processes->front().compute);
  EXPECT_EQ(s.processes->front().sm_utilization->value, 0.4);
  EXPECT_EQ(s.processes->back().name, "");
}

struct ErrorCase {
  const char* what;
  const char* script;
  Missing expected;
};
class ErrorCodes : public ::testing::TestWithParam<ErrorCase> {};
TEST_P(ErrorCodes, BecomeANamedReason) {
  StubScript stub(std::string("gpus 1\n") + GetParam().script);
  const Opened opened = open_and_read(stub);
  ASSERT_EQ(opened.snapshot.gpus.size(), 1U);
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::ready);
  EXPECT_FALSE(opened.snapshot.gpus[0].sample.power.known());
  EXPECT_EQ(opened.snapshot.gpus[0].sample.power.why(), GetParam().expected);
  EXPECT_TRUE(opened.snapshot.gpus[0].sample.temperature.known()) << "the others go on";
}
INSTANTIATE_TEST_SUITE_P(
    Table, ErrorCodes,
    ::testing::Values(
        ErrorCase{"not supported", "fail nvmlDeviceGetPowerUsage 3\n", Missing::not_supported},
        ErrorCase{"no such function", "fail nvmlDeviceGetPowerUsage 13\n", Missing::not_supported},
        ErrorCase{"no permission", "fail nvmlDeviceGetPowerUsage 4\n", Missing::not_permitted},
        ErrorCase{"nothing found", "fail nvmlDeviceGetPowerUsage 6\n", Missing::no_sample},
        ErrorCase{"no data", "fail nvmlDeviceGetPowerUsage 21\n", Missing::no_sample},
        ErrorCase{"time-out", "fail nvmlDeviceGetPowerUsage 10\n", Missing::unresponsive},
        ErrorCase{"operating system", "fail nvmlDeviceGetPowerUsage 17\n", Missing::failed},
        ErrorCase{"unknown", "fail nvmlDeviceGetPowerUsage 999\n", Missing::failed}));

TEST(Backend, WithoutTheSecondMemoryCallReservedIsNotSplitOff) {
  StubScript stub("gpus 1\nprocesses 2\nfail nvmlDeviceGetMemoryInfo_v2 25\n");
  const Opened opened = open_and_read(stub);
  const Reading<GpuMemory>& memory = opened.snapshot.gpus[0].sample.memory;
  ASSERT_TRUE(memory.known());
  EXPECT_FALSE(memory->reserved_known);
  EXPECT_EQ(memory->used, gib(2) + mib(300));
  EXPECT_EQ(memory->reserved, Bytes{});
}

TEST(Backend, AUnifiedMemoryGpuHasTheMachinesMemory) {
  StubScript stub(
      "gpus 1\nprocesses 2\nfail nvmlDeviceGetMemoryInfo_v2 3\nfail nvmlDeviceGetMemoryInfo 3\n");
  stub.write("proc/meminfo",
             "MemTotal:       125829120 kB\nMemFree: 1 kB\nMemAvailable:   104857600 kB\n");
  const Opened opened = open_and_read(stub);
  const Gpu& gpu = opened.snapshot.gpus[0];
  EXPECT_TRUE(gpu.identity.unified_memory);
  ASSERT_TRUE(gpu.sample.memory.known());
  EXPECT_EQ(gpu.sample.memory->total, gib(120));
  EXPECT_EQ(gpu.sample.memory->free, gib(100));
  EXPECT_EQ(gpu.sample.memory->used, gib(2)) << "the sum of its processes";
  EXPECT_EQ(gpu.sample.memory->reserved, gib(18)) << "what the rest of the machine uses";
}

TEST(Backend, AProcessListIsRangeChecked) {
  StubScript stub("gpus 1\nprocesses 1\ngarbage\n");
  const Opened opened = open_and_read(stub);
  const auto& processes = opened.snapshot.gpus[0].sample.processes;
  ASSERT_TRUE(processes.known());
  ASSERT_EQ(processes->size(), 3U) << "pid 0 and -1 are dropped";
  EXPECT_EQ((*processes)[0].pid, 1001);
  EXPECT_EQ((*processes)[1].used.why(), Missing::failed) << "more than the card has";
  EXPECT_EQ((*processes)[2].used.why(), Missing::not_supported) << "all ones";
}

TEST(Backend, AListLongerThanTheBufferIsAskedForAgain) {
  StubScript stub("gpus 1\nprocesses 500\n");
  EXPECT_EQ(open_and_read(stub).snapshot.gpus[0].sample.processes->size(), 500U);
}

TEST(Backend, AListWithoutEndIsGivenUp) {
  StubScript stub(
      "gpus 1\nprocesses 1\nfail nvmlDeviceGetComputeRunningProcesses_v3 7\n"
      "fail nvmlDeviceGetGraphicsRunningProcesses_v3 7\n");
  EXPECT_EQ(open_and_read(stub).snapshot.gpus[0].sample.processes.why(), Missing::failed);
}

TEST(Backend, AListThatWasReadInPartIsUnknown) {
  for (const char* name : {"Compute", "Graphics"})
    for (const int code : {7, 999}) {  // too long for any buffer; unknown error
      StubScript stub(fmt::format(
          "gpus 1\nprocesses 2\nfail nvmlDeviceGet{}RunningProcesses_v3 {}\n", name, code));
      const Reading<std::vector<GpuProcess>> list =
          open_and_read(stub).snapshot.gpus[0].sample.processes;
      EXPECT_EQ(list.why(), Missing::failed)
          << name << " " << code << ": who is not listed would be taken for ended";
      stub.say(
          fmt::format("gpus 1\nprocesses 2\nfail nvmlDeviceGet{}RunningProcesses_v3 3\n", name));
      EXPECT_TRUE(open_and_read(stub).snapshot.gpus[0].sample.processes.known())
          << name << ": a kind that this driver does not have";
    }
}

TEST(Backend, AHostileProcessNameIsMadePrintable) {
  StubScript stub("gpus 1\nprocesses 1\n");
  stub.write("proc/1001/comm", std::string("evil\x1b[2J\xff") + std::string(200, 'x') + "\n");
  const auto name = open_and_read(stub).snapshot.gpus[0].sample.processes->front().name;
  EXPECT_EQ(name, "evil?[2J?xxxxxx");
}

TEST(Backend, AnUnsupportedMetricIsAskedOnce) {
  StubScript stub("gpus 1\nfail nvmlDeviceGetFanSpeed 3\n");
  Opened opened = open_and_read(stub);
  stub.say("gpus 1\n");  // would work now; the answer is remembered
  opened.backend->read(Tiers::all(), opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.fan.why(), Missing::not_supported);
}

TEST(Backend, ATransientErrorIsNotRemembered) {
  StubScript stub("gpus 1\nfail nvmlDeviceGetFanSpeed 999\n");
  Opened opened = open_and_read(stub);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.fan.why(), Missing::failed);
  stub.say("gpus 1\n");
  opened.backend->read(Tier::steady, opened.snapshot);
  EXPECT_TRUE(opened.snapshot.gpus[0].sample.fan.known());
}

TEST(Backend, OneLostGpuIsNamedTheRestGoesOnAndItComesBack) {
  StubScript stub("gpus 3\n");
  Opened opened = open_and_read(stub);
  stub.say("gpus 3\nfail * 15 1\n");
  opened.backend->read(Tier::memory | Tier::fast, opened.snapshot);
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::partial);
  EXPECT_NE(opened.snapshot.driver.reason.find("GPU-00000001"), std::string::npos);
  EXPECT_EQ(opened.snapshot.gpus[1].sample.state, GpuState::lost);
  EXPECT_EQ(opened.snapshot.gpus[1].sample.memory.why(), Missing::lost);
  EXPECT_EQ(opened.snapshot.gpus[1].sample.processes.why(), Missing::lost);
  EXPECT_TRUE(opened.snapshot.gpus[0].sample.memory.known());
  EXPECT_TRUE(opened.snapshot.gpus[2].sample.memory.known());
  stub.say("gpus 3\n");
  opened.backend->read(Tier::fast, opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus[1].sample.state, GpuState::lost) << "quarantined until the probe";
  opened.backend->read(Tier::steady, opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus[1].sample.state, GpuState::ok);
  EXPECT_TRUE(opened.snapshot.gpus[1].sample.memory.known());
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::ready);
}

TEST(Backend, AGpuThatNeedsAResetSaysSo) {
  StubScript stub("gpus 2\n");
  Opened opened = open_and_read(stub);
  stub.say("gpus 2\nfail nvmlDeviceGetMemoryInfo_v2 16 0\n");
  opened.backend->read(Tier::memory, opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.state, GpuState::reset_required);
}

TEST(Backend, AGpuLostBeforeTheFirstReadIsShownAllTheSame) {
  StubScript stub("gpus 2\nfail nvmlDeviceGetHandleByIndex_v2 15 1\n");
  const Opened opened = open_and_read(stub);
  ASSERT_EQ(opened.snapshot.gpus.size(), 2U);
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::partial);
  EXPECT_EQ(opened.snapshot.gpus[1].sample.state, GpuState::lost);
  EXPECT_TRUE(opened.snapshot.gpus[0].sample.memory.known());
}

TEST(Backend, RenumberingKeepsEachGpusName) {
  StubScript stub("gpus 2\n");
  Opened opened = open_and_read(stub);
  const std::uint64_t inventory = opened.snapshot.inventory;
  stub.say("gpus 2\nreverse\n");
  opened.backend->read(Tiers::all(), opened.snapshot);
  EXPECT_GT(opened.snapshot.inventory, inventory);
  EXPECT_EQ(opened.snapshot.gpus[0].identity.id.uuid.substr(0, 12), "GPU-00000001");
  EXPECT_EQ(opened.snapshot.gpus[0].identity.index, 0U);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.temperature->value, 72) << "its own heat, not GPU 0's";
}

TEST(Backend, HotPlugAddsAGpuAndAVanishedOneIsLost) {
  StubScript stub("gpus 2\n");
  Opened opened = open_and_read(stub);
  stub.say("gpus 3\n");
  opened.backend->read(Tier::steady, opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus.size(), 3U);
  stub.say("gpus 1\n");
  opened.backend->read(Tier::steady, opened.snapshot);
  ASSERT_EQ(opened.snapshot.gpus.size(), 3U);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.state, GpuState::ok);
  EXPECT_EQ(opened.snapshot.gpus[1].sample.state, GpuState::lost);
  EXPECT_EQ(opened.snapshot.gpus[2].sample.state, GpuState::lost);
}

TEST(Backend, AnUnpluggedGpuLeavesTheListAndALostOneStays) {
  StubScript stub("gpus 3\n");
  for (const char* id : {"0000:01:00.0", "0000:02:00.0", "0000:03:00.0"})
    add_pci(stub, id, "0x030000");
  Opened opened = open_and_read(stub);
  ASSERT_EQ(opened.snapshot.gpus.size(), 3U);
  stub.say("gpus 1\n");  // two fell off the bus; the kernel still lists one of them
  std::filesystem::remove_all(stub.path + "/sys/bus/pci/devices/0000:02:00.0");
  opened.backend->read(Tier::steady, opened.snapshot);
  ASSERT_EQ(opened.snapshot.gpus.size(), 2U);
  EXPECT_EQ(opened.snapshot.gpus[1].identity.id.uuid.substr(0, 12), "GPU-00000002");
  EXPECT_EQ(opened.snapshot.gpus[1].sample.state, GpuState::lost);
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::partial);
  std::filesystem::remove_all(stub.path + "/sys/bus/pci/devices/0000:03:00.0");
  opened.backend->read(Tier::steady, opened.snapshot);
  ASSERT_EQ(opened.snapshot.gpus.size(), 1U);
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::ready) << opened.snapshot.driver.reason;
}

// NVML enumerates once: a card that is taken out keeps its index, and every call for it fails.
TEST(Backend, AnUnpluggedGpuLeavesTheListOfADriverThatStillCountsIt) {
  StubScript stub("gpus 2\n");
  add_pci(stub, "0000:01:00.0", "0x030000");
  add_pci(stub, "0000:02:00.0", "0x030000");
  Opened opened = open_and_read(stub);
  stub.say("gpus 2\nfail * 15 1\n");
  opened.backend->read(Tiers::all(), opened.snapshot);
  ASSERT_EQ(opened.snapshot.gpus.size(), 2U) << "lost, not unplugged";
  std::filesystem::remove_all(stub.path + "/sys/bus/pci/devices/0000:02:00.0");
  opened.backend->read(Tiers::all(), opened.snapshot);
  ASSERT_EQ(opened.snapshot.gpus.size(), 1U);
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::ready);
  stub.say("gpus 3\nfail * 15 1\n");  // everything is enumerated again
  add_pci(stub, "0000:03:00.0", "0x030000");
  opened.backend->read(Tiers::all(), opened.snapshot);
  ASSERT_EQ(opened.snapshot.gpus.size(), 2U) << "nor does it come back as an unknown one";
  EXPECT_EQ(opened.snapshot.gpus[1].identity.index, 2U);
}

TEST(Backend, TheLastGpuThatIsUnpluggedLeavesNone) {
  StubScript stub("gpus 1\n");
  add_pci(stub, "0000:01:00.0", "0x030000");
  Opened opened = open_and_read(stub);
  stub.say("gpus 1\nfail * 15 0\n");
  opened.backend->read(Tiers::all(), opened.snapshot);
  std::filesystem::remove_all(stub.path + "/sys/bus/pci/devices/0000:01:00.0");
  opened.backend->read(Tiers::all(), opened.snapshot);
  EXPECT_TRUE(opened.snapshot.gpus.empty());
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::failed);
  EXPECT_FALSE(opened.snapshot.driver.reason.empty());
}

TEST(Backend, MigInstancesAreDevicesOfTheirParent) {
  StubScript stub("gpus 2\nmig 2\n");
  Opened opened = open_and_read(stub);
  ASSERT_EQ(opened.snapshot.gpus.size(), 4U);
  EXPECT_TRUE(opened.snapshot.gpus[0].identity.mig_enabled);
  const GpuIdentity& part = opened.snapshot.gpus[2].identity;
  EXPECT_EQ(part.id.uuid, opened.snapshot.gpus[0].identity.id.uuid);
  EXPECT_EQ(part.id.key().substr(0, 4), "MIG-");
  EXPECT_EQ(part.index, 0U);
  stub.say("gpus 2\n");
  opened.backend->read(Tiers::all(), opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus.size(), 2U) << "instances come and go without being lost";
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::ready);
}

struct InitCase {
  const char* what;
  const char* script;
  DriverState expected;
};
class InitCodes : public ::testing::TestWithParam<InitCase> {};
TEST_P(InitCodes, BecomeANamedState) {
  StubScript stub(std::string("gpus 1\n") + GetParam().script);
  const Opened opened = open_and_read(stub);
  EXPECT_EQ(opened.snapshot.driver.state, GetParam().expected) << GetParam().what;
  EXPECT_FALSE(opened.snapshot.driver.reason.empty()) << GetParam().what;
  EXPECT_FALSE(opened.snapshot.driver.remedy.empty()) << GetParam().what;
}
INSTANTIATE_TEST_SUITE_P(
    Table, InitCodes,
    ::testing::Values(InitCase{"driver not loaded", "fail nvmlInit_v2 9\n", DriverState::no_driver},
                      InitCase{"version mismatch", "fail nvmlInit_v2 18\n", DriverState::mismatch},
                      InitCase{"no permission", "fail nvmlInit_v2 4\n", DriverState::failed},
                      InitCase{"unknown error", "fail nvmlInit_v2 999\n", DriverState::failed},
                      InitCase{"no GPU found", "gpus 0\n", DriverState::failed}));

TEST(Backend, DearQuestionsAreAskedOnlyInTheirTier) {
  StubScript stub("gpus 1\nprocesses 2\n");
  Opened opened = open_and_read(stub);
  const auto energy = opened.snapshot.gpus[0].sample.energy_joules;
  const auto busy = opened.snapshot.gpus[0].sample.processes->front().sm_utilization;
  ASSERT_TRUE(energy.known() && busy.known());
  stub.say(
      "gpus 1\nprocesses 3\nfail nvmlDeviceGetFieldValues 999\n"
      "fail nvmlDeviceGetProcessUtilization 999\n");
  opened.backend->read(Tier::memory | Tier::fast | Tier::processes, opened.snapshot);
  const GpuSample& sample = opened.snapshot.gpus[0].sample;
  EXPECT_EQ(sample.energy_joules, energy) << "not asked again";
  ASSERT_EQ(sample.processes->size(), 3U);
  EXPECT_EQ(sample.processes->front().sm_utilization, busy) << "the same process keeps it";
  opened.backend->read(Tier::energy | Tier::activity, opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.energy_joules.why(), Missing::failed);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.processes->front().sm_utilization.why(),
            Missing::failed);
}

TEST(Backend, EachTierSaysWhatItTook) {
  StubScript stub(
      "gpus 2\nprocesses 1\nslow nvmlDeviceGetFieldValues 3000\n"
      "slow nvmlDeviceGetProcessUtilization 2000\n");
  Opened opened = open_and_read(stub);
  const auto cost = [&](Tier tier) {
    return opened.snapshot.costs[static_cast<std::size_t>(tier)];
  };
  EXPECT_GE(cost(Tier::energy), std::chrono::milliseconds(6)) << "of two GPUs";
  EXPECT_GE(cost(Tier::activity), std::chrono::milliseconds(4));
}

TEST(Backend, ADriverUpgradeInMidLifeIsAMismatchAndTheLibraryIsLetGo) {
  StubScript stub("gpus 2\n");
  Opened opened = open_and_read(stub);
  stub.say("gpus 2\nfail * 18\n");
  opened.backend->read(Tier::fast, opened.snapshot);
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::mismatch);
  stub.say("gpus 2\ndriver 560.35.03\n");
  opened.backend->open(opened.snapshot);
  EXPECT_EQ(opened.snapshot.driver.state, DriverState::ready);
  EXPECT_EQ(opened.snapshot.driver.version, "560.35.03");
}

TEST(Backend, AMissingLibraryIsNamed) {
  Scratch root;
  auto backend = make_backend({"nvml", root.path + "/none.so", root.path, ""});
  Snapshot snapshot;
  backend->open(snapshot);
  EXPECT_EQ(snapshot.driver.state, DriverState::no_library);
  EXPECT_NE(snapshot.driver.reason.find("none.so"), std::string::npos);
}

TEST(Backend, ALibraryThatIsNotNvmlIsRefused) {
  Scratch root;
  auto backend = make_backend({"nvml", "libm.so.6", root.path, ""});
  Snapshot snapshot;
  backend->open(snapshot);
  EXPECT_EQ(snapshot.driver.state, DriverState::no_library);
  EXPECT_NE(snapshot.driver.reason.find("nvmlInit_v2"), std::string::npos);
}

TEST(Backend, ASleepingGpuIsNotTouchedAndIsReadWhenItWakes) {
  StubScript stub("gpus 1\n");
  add_pci(stub, "0000:01:00.0", "0x030200", "suspended", "auto");
  stub.write("proc/driver/nvidia/gpus/0000:01:00.0/information",
             "Model: \t\t NVIDIA GeForce RTX 3050 Laptop GPU\nGPU UUID: \t "
             "GPU-00000000-0000-4000-8000-000000000000\n");
  // Any call would fail the test: the stub answers 999 to everything.
  stub.say("gpus 1\nfail * 999\n");
  Opened opened = open_and_read(stub);
  ASSERT_EQ(opened.snapshot.driver.state, DriverState::ready) << opened.snapshot.driver.reason;
  ASSERT_EQ(opened.snapshot.gpus.size(), 1U);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.state, GpuState::asleep);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.memory.why(), Missing::asleep);
  EXPECT_EQ(opened.snapshot.gpus[0].identity.id.uuid, "GPU-00000000-0000-4000-8000-000000000000");
  EXPECT_EQ(opened.snapshot.gpus[0].identity.name, "NVIDIA GeForce RTX 3050 Laptop GPU");
  EXPECT_FALSE(opened.snapshot.driver.reason.empty());
  stub.say("gpus 1\n");
  add_pci(stub, "0000:01:00.0", "0x030200", "active", "auto");
  opened.backend->read(Tier::memory, opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.state, GpuState::ok);
  EXPECT_TRUE(opened.snapshot.gpus[0].sample.temperature.known());
  add_pci(stub, "0000:01:00.0", "0x030200", "suspended", "auto");
  stub.say("gpus 1\nfail * 15\n");  // a call would show as lost
  opened.backend->read(Tiers::all(), opened.snapshot);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.state, GpuState::asleep);
}

TEST(Backend, OnlyTheGpuThatIsAwakeIsOpened) {
  StubScript stub("gpus 2\nfail * 15 0\n");
  add_pci(stub, "0000:01:00.0", "0x030200", "suspended", "auto");
  add_pci(stub, "0000:02:00.0", "0x030200");
  const Opened opened = open_and_read(stub);
  ASSERT_EQ(opened.snapshot.gpus.size(), 2U);
  EXPECT_EQ(opened.snapshot.gpus[0].sample.state, GpuState::asleep);
  EXPECT_EQ(opened.snapshot.gpus[1].sample.state, GpuState::ok);
  EXPECT_TRUE(opened.snapshot.gpus[1].sample.memory.known());
}

}  // namespace
}  // namespace estiva::gpu
