// The sensor on the simulator's library: a second, larger driver with time and state of its own.
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "gpu/read_once.h"
#include "gpu/sensor_client.h"
#include "gpu_fixture.h"

namespace estiva::gpu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::add_pci;
using testing::kSensor;
using testing::Scratch;

class Simulator : public Scratch {
 public:
  explicit Simulator(const std::string& scenario) {
    write("scenario", scenario);
    setenv("ESTIVA_SIM_SCENARIO", (path + "/scenario").c_str(), 1);
    setenv("ESTIVA_SIM_EPOCH", std::to_string(steady_now().ns).c_str(), 1);
    unsetenv("ESTIVA_SIM_DIR");
  }
  ~Simulator() {
    unsetenv("ESTIVA_SIM_SCENARIO");
    unsetenv("ESTIVA_SIM_EPOCH");
  }
  SensorOptions options() const {
    SensorOptions options;
    options.program = kSensor;
    options.nvml_file = fmt::format("{}/sim/libnvidia-ml.so.1", ESTIVA_BUILD_DIR);
    options.root = path;
    options.source = "simulated";
    options.interval = milliseconds(100);
    return options;
  }
};

Result<SensorView> read(const Simulator& simulator) {
  return read_once(simulator.options(), Tiers::all(), seconds(10));
}

TEST(Simulator, SaysThatItIsSimulatedAndShowsTheScenariosNumbers) {
  Simulator simulator("gpu rtx3060-12g times 2\nprocess 4242 gpu 1 vram 1200MiB name \"serve\"\n");
  const auto view = read(simulator);
  ASSERT_TRUE(view.has_value()) << view.error().what;
  EXPECT_EQ(view->driver.source, "simulated");
  ASSERT_EQ(view->gpus.size(), 2U);
  const GpuSample& sample = view->gpus[1].sample;
  ASSERT_TRUE(sample.memory.known() && sample.processes.known());
  EXPECT_EQ(sample.memory->used + sample.memory->free + sample.memory->reserved,
            sample.memory->total);
  ASSERT_EQ(sample.processes->size(), 1U);
  EXPECT_EQ(sample.processes->front().pid, 4242);
  EXPECT_EQ(*sample.processes->front().used, mib(1200));
  EXPECT_TRUE(sample.temperature.known());
  EXPECT_TRUE(sample.power.known());
}

TEST(Simulator, AUnifiedMemoryMachineIsReadFromMeminfo) {
  Simulator simulator("gpu gb10\nprocess 4242 gpu 0 vram 2GiB\n");
  simulator.write("proc/meminfo", "MemTotal: 125829120 kB\nMemAvailable: 104857600 kB\n");
  const auto view = read(simulator);
  ASSERT_TRUE(view.has_value()) << view.error().what;
  ASSERT_EQ(view->gpus.size(), 1U);
  EXPECT_TRUE(view->gpus[0].identity.unified_memory);
  ASSERT_TRUE(view->gpus[0].sample.memory.known());
  EXPECT_EQ(view->gpus[0].sample.memory->total, gib(120));
  EXPECT_EQ(view->gpus[0].sample.memory->used, gib(2));
}

TEST(Simulator, MigInstancesAreDevices) {
  Simulator simulator("gpu h100-80g\nmig 0 1g.10gb 2g.20gb\n");
  const auto view = read(simulator);
  ASSERT_TRUE(view.has_value()) << view.error().what;
  ASSERT_EQ(view->gpus.size(), 3U);
  EXPECT_TRUE(view->gpus[0].identity.mig_enabled);
  EXPECT_FALSE(view->gpus[0].identity.gpu_instance.known());
  for (std::size_t i = 1; i < 3; ++i) {
    EXPECT_EQ(view->gpus[i].identity.id.uuid, view->gpus[0].identity.id.uuid);
    EXPECT_TRUE(view->gpus[i].identity.id.key().starts_with("MIG-"));
    EXPECT_TRUE(view->gpus[i].sample.memory.known());
    EXPECT_FALSE(view->gpus[i].sample.utilization.known()) << "not 0: there is no such figure";
    EXPECT_EQ(view->gpus[i].identity.gpu_instance, Reading<unsigned>(static_cast<unsigned>(i)));
    EXPECT_EQ(view->gpus[i].identity.compute_instance, Reading<unsigned>(0U));
  }
}

// Runs a client until something is so; at most 20 s.
bool until(boost::asio::io_context& loop, const std::function<bool()>& is_so) {
  const SteadyTime deadline = steady_now() + seconds(20);
  while (!is_so() && steady_now() < deadline) {
    loop.restart();
    loop.run_for(milliseconds(10));
  }
  return is_so();
}

TEST(Simulator, ADriverUpgradeUnderARunningSensorIsMismatchAndThenTheNewVersion) {
  Simulator simulator("driver 550.163.01\ngpu rtx3060-12g\nat 1s upgrade 560.35.03\n");
  boost::asio::io_context loop;
  Sensor sensor(loop.get_executor(), simulator.options());
  std::vector<DriverState> states;
  sensor.start([&](SensorViewPtr view) { states.push_back(view->driver.state); });
  ASSERT_TRUE(until(loop, [&] { return sensor.current()->driver.version == "550.163.01"; }));
  ASSERT_TRUE(until(loop, [&] {
    return sensor.current()->driver.version == "560.35.03" &&
           can_place(sensor.current()->driver.state);
  }));
  EXPECT_NE(std::find(states.begin(), states.end(), DriverState::mismatch), states.end());
}

TEST(Simulator, AHungCallIsSurvived) {
  Simulator simulator(
      "gpu rtx3060-12g times 2\nat 1s fault UtilizationRates hang\nat 4s clear-faults\n");
  boost::asio::io_context loop;
  Sensor sensor(loop.get_executor(), simulator.options());
  sensor.start([](SensorViewPtr) {});
  ASSERT_TRUE(
      until(loop, [&] { return sensor.current()->driver.state == DriverState::unresponsive; }));
  EXPECT_EQ(sensor.current()->gpus.size(), 2U) << "the last sample stays";
  EXPECT_TRUE(until(loop, [&] { return sensor.current()->driver.state == DriverState::ready; }));
}

TEST(Simulator, ALostGpuIsNamedAndComesBack) {
  Simulator simulator("gpu rtx3060-12g times 2\nat 1s lose 1\nat 3s recover 1\n");
  boost::asio::io_context loop;
  Sensor sensor(loop.get_executor(), simulator.options());
  sensor.start([](SensorViewPtr) {});
  ASSERT_TRUE(until(loop, [&] { return sensor.current()->driver.state == DriverState::partial; }));
  EXPECT_EQ(sensor.current()->gpus.at(1).sample.state, GpuState::lost);
  EXPECT_TRUE(sensor.current()->gpus.at(0).sample.memory.known());
  EXPECT_TRUE(until(loop, [&] { return sensor.current()->driver.state == DriverState::ready; }));
}

TEST(Simulator, ASleepingLaptopGpuIsLeftAsleep) {
  Simulator simulator("gpu rtx3060-12g may-sleep\nsleep 0\n");
  add_pci(simulator, "0000:01:00.0", "0x030000", "suspended", "auto");
  const auto view = read(simulator);
  ASSERT_TRUE(view.has_value()) << view.error().what;
  ASSERT_EQ(view->gpus.size(), 1U);
  EXPECT_EQ(view->gpus[0].sample.state, GpuState::asleep);
  EXPECT_EQ(view->gpus[0].sample.temperature.why(), Missing::asleep);
}

}  // namespace
}  // namespace estiva::gpu
