// The whole way: estiva-sensor as a process, the client on a loop, the stub library behind it. Each
// fault of a driver is a test with a named state, and readers never wait for it.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gpu/read_once.h"
#include "gpu/sensor_client.h"
#include "gpu/sensor_launcher.h"
#include "gpu_fixture.h"

namespace estiva::gpu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::kSensor;
using testing::kStub;
using testing::StubScript;

// A client on a loop of its own that runs until something is so, or 20 s have passed.
class Rig {
 public:
  explicit Rig(SensorOptions options, const Launcher& launcher = launch_sensor) {
    if (options.interval == seconds(1)) options.interval = milliseconds(60);
    sensor = std::make_unique<Sensor>(loop.get_executor(), options, launcher);
    sensor->start([this](SensorViewPtr view) {
      states.push_back(view->driver.state);
      if (!can_place(view->driver.state)) troubles.push_back(view->driver);
    });
  }
  ~Rig() { stop(); }

  bool until(const std::function<bool()>& is_so) {
    const SteadyTime deadline = steady_now() + seconds(20);
    loop.restart();
    while (!is_so() && steady_now() < deadline) loop.run_one_for(milliseconds(50));
    return is_so();
  }
  bool until_state(DriverState state) {
    return until([&] { return sensor->current()->driver.state == state; });
  }
  bool until_good() {
    return until([&] {
      return sensor->current()->driver.state == DriverState::ready &&
             !sensor->current()->gpus.empty();
    });
  }
  bool saw(DriverState state) const {
    return std::find(states.begin(), states.end(), state) != states.end();
  }
  Result<SensorViewPtr> read(Tiers tiers, milliseconds limit = seconds(10)) {
    std::optional<Result<SensorViewPtr>> result;
    boost::asio::co_spawn(
        loop,
        [&]() -> boost::asio::awaitable<void> { result = co_await sensor->read(tiers, limit); },
        boost::asio::detached);
    until([&] { return result.has_value(); });
    return result ? *result : fail("the read did not end");
  }
  void stop() {
    bool is_done = false;
    boost::asio::co_spawn(
        loop,
        [&]() -> boost::asio::awaitable<void> {
          co_await sensor->stop();
          is_done = true;
        },
        boost::asio::detached);
    until([&] { return is_done; });
  }

  boost::asio::io_context loop;
  std::unique_ptr<Sensor> sensor;
  std::vector<DriverState> states;
  std::vector<DriverStatus> troubles;
};

std::size_t count_descriptors(const std::string& who) {
  const auto all = std::filesystem::directory_iterator("/proc/" + who + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

TEST(SensorProcess, ShowsEveryGpuAndKeepsThemLive) {
  StubScript stub("gpus 3\nprocesses 2\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  const SensorViewPtr view = rig.sensor->current();
  ASSERT_EQ(view->gpus.size(), 3U);
  EXPECT_EQ(view->gpus[2].sample.memory->used, gib(2));
  EXPECT_EQ(view->gpus[2].sample.processes->size(), 2U);
  EXPECT_EQ(view->driver.source, "nvml");
  stub.say("gpus 3\nprocesses 5\n");
  EXPECT_TRUE(
      rig.until([&] { return rig.sensor->current()->gpus[2].sample.memory->used == gib(5); }));
  EXPECT_GT(rig.sensor->current()->sequence, view->sequence);
}

TEST(SensorProcess, AReadIsSentAfterItWasAskedFor) {
  StubScript stub("gpus 1\nprocesses 1\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  stub.say("gpus 1\nprocesses 7\n");
  const SteadyTime asked = steady_now();
  const auto view = rig.read(kGrantTiers);
  ASSERT_TRUE(view.has_value()) << view.error().what;
  EXPECT_GE((*view)->read_at, asked);
  EXPECT_EQ((*view)->gpus[0].sample.processes->size(), 7U);
}

TEST(SensorProcess, ManyReadersAtOnceShareReads) {
  StubScript stub("gpus 1\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  int done = 0;
  const std::uint64_t before = rig.sensor->current()->sequence;
  for (int i = 0; i < 500; ++i) {
    boost::asio::co_spawn(
        rig.loop,
        [&]() -> boost::asio::awaitable<void> {
          if (co_await rig.sensor->read(kGrantTiers, seconds(10))) ++done;
        },
        boost::asio::detached);
  }
  EXPECT_TRUE(rig.until([&] { return done == 500; }));
  EXPECT_LT(rig.sensor->current()->sequence - before, 100U);
}

TEST(SensorProcess, AHangInInitIsUnresponsiveAndRecovers) {
  StubScript stub("gpus 1\nhang nvmlInit_v2\n");
  SensorOptions options = stub.options();
  options.start_limit = milliseconds(300);
  Rig rig(options);
  EXPECT_EQ(rig.sensor->current()->driver.state, DriverState::initialising);
  ASSERT_TRUE(rig.until_state(DriverState::unresponsive));
  stub.say("gpus 1\n");
  EXPECT_TRUE(rig.until_good());
  EXPECT_GE(rig.sensor->current()->driver.sensor_restarts, 1U);
}

TEST(SensorProcess, AHangInTheFastPathIsReportedKeepsTheLastSampleAndRecovers) {
  StubScript stub("gpus 2\nprocesses 1\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  const int first = rig.sensor->pid();
  stub.say("gpus 2\nprocesses 1\nhang nvmlDeviceGetUtilizationRates 1\n");
  ASSERT_TRUE(rig.until_state(DriverState::unresponsive));
  ASSERT_EQ(rig.sensor->current()->gpus.size(), 2U);
  EXPECT_TRUE(rig.sensor->current()->gpus[0].sample.memory.known()) << "the last sample stays";
  EXPECT_FALSE(rig.sensor->current()->driver.remedy.empty());
  const auto refused = rig.read(kGrantTiers);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind, ErrorKind::refused);
  stub.say("gpus 2\nprocesses 1\n");
  ASSERT_TRUE(rig.until_good());
  EXPECT_NE(rig.sensor->pid(), first);
  EXPECT_EQ(kill(first, 0), -1) << "the hung sensor was killed and reaped";
}

TEST(SensorProcess, AHangInASlowTierIsReportedToo) {
  StubScript stub("gpus 1\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  stub.say("gpus 1\nhang nvmlDeviceGetTotalEccErrors\n");
  const auto result = rig.read(Tiers::all());
  EXPECT_FALSE(result.has_value());
  EXPECT_TRUE(rig.until([&] { return rig.saw(DriverState::unresponsive); }));
  stub.say("gpus 1\n");
  EXPECT_TRUE(rig.until_good());
}

TEST(SensorProcess, AReadersOwnLimitEndsItsWaitAndDisturbsNobody) {
  StubScript stub("gpus 1\n");
  SensorOptions options = stub.options();
  options.interval = milliseconds(20000);
  Rig rig(options);
  ASSERT_TRUE(rig.until_good());
  stub.say("gpus 1\nhang nvmlDeviceGetMemoryInfo_v2\n");
  const SteadyTime asked = steady_now();
  const auto result = rig.read(kGrantTiers, milliseconds(100));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::timed_out);
  EXPECT_LT(steady_now() - asked, seconds(9));
  EXPECT_TRUE(can_place(rig.sensor->current()->driver.state));
}

class Crash : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};
TEST_P(Crash, InADriverCallIsNamedAndTheSensorComesBack) {
  StubScript stub("gpus 1\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  stub.say(std::string("gpus 1\n") + GetParam().first);
  ASSERT_TRUE(rig.until([&] { return rig.saw(DriverState::crashed); }));
  EXPECT_NE(rig.troubles.back().reason.find(GetParam().second), std::string::npos)
      << rig.troubles.back().reason;
  stub.say("gpus 1\n");
  EXPECT_TRUE(rig.until_good());
}
INSTANTIATE_TEST_SUITE_P(
    Table, Crash,
    ::testing::Values(std::pair("crash nvmlDeviceGetPowerUsage\n", "signal 11"),
                      std::pair("abort nvmlDeviceGetPowerUsage\n", "signal 6")));

TEST(SensorProcess, ASensorThatCantBeReapedIsStuckAndGetsNoSibling) {
  StubScript stub("gpus 1\n");
  SensorOptions options = stub.options();
  options.reap_limit = milliseconds(150);
  int launches = 0;
  const int never = eventfd(0, EFD_CLOEXEC);
  Rig rig(options, [&](const SensorOptions& o) {
    auto launched = launch_sensor(o);
    // The first one's end is not seen until the test says so, as with a process in the kernel.
    if (launched && launches++ == 0) launched->ended = UniqueFd(dup(never));
    return launched;
  });
  ASSERT_TRUE(rig.until_good());
  stub.say("gpus 1\nhang nvmlDeviceGetPowerUsage\n");
  ASSERT_TRUE(rig.until_state(DriverState::stuck));
  stub.say("gpus 1\n");
  const SteadyTime later = steady_now() + seconds(1);
  rig.until([&] { return steady_now() >= later; });
  EXPECT_EQ(launches, 1);
  EXPECT_EQ(rig.sensor->current()->driver.state, DriverState::stuck);
  EXPECT_FALSE(rig.read(kGrantTiers).has_value());
  eventfd_write(never, 1);
  EXPECT_TRUE(rig.until_good());
  EXPECT_EQ(launches, 2);
  close(never);
}

TEST(SensorProcess, ADriverUpgradeIsAMismatchThenReadByAFreshProcess) {
  StubScript stub("gpus 1\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  const int first = rig.sensor->pid();
  stub.say("gpus 1\nfail * 18\n");
  ASSERT_TRUE(rig.until_state(DriverState::mismatch));
  stub.say("gpus 1\ndriver 560.35.03\n");
  ASSERT_TRUE(rig.until_good());
  EXPECT_EQ(rig.sensor->current()->driver.version, "560.35.03");
  EXPECT_NE(rig.sensor->pid(), first);
}

TEST(SensorProcess, OneLostGpuIsPartialAndItComesBack) {
  StubScript stub("gpus 2\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  stub.say("gpus 2\nfail * 15 1\n");
  ASSERT_TRUE(rig.until_state(DriverState::partial));
  EXPECT_EQ(rig.sensor->current()->gpus[1].sample.state, GpuState::lost);
  EXPECT_TRUE(rig.sensor->current()->gpus[0].sample.memory.known());
  stub.say("gpus 2\n");
  ASSERT_TRUE(rig.read(Tiers::all()).has_value());
  EXPECT_EQ(rig.sensor->current()->driver.state, DriverState::ready);
}

TEST(SensorProcess, ALibraryThatAppearsLaterIsRead) {
  StubScript stub("gpus 1\n");
  SensorOptions options = stub.options();
  options.nvml_file = stub.path + "/libnvidia-ml.so.1";
  Rig rig(options);
  ASSERT_TRUE(rig.until_state(DriverState::no_library));
  std::filesystem::create_symlink(kStub, options.nvml_file);
  EXPECT_TRUE(rig.until_good());
}

TEST(SensorProcess, ADriverThatIsLoadedLaterIsReadByTheSameSensor) {
  StubScript stub("gpus 1\n");
  SensorOptions options = stub.options();
  stub.say("gpus 1\nfail nvmlInit_v2 9\n");
  Rig rig(options);
  ASSERT_TRUE(rig.until_state(DriverState::no_driver));
  const int first = rig.sensor->pid();
  stub.say("gpus 1\n");
  ASSERT_TRUE(rig.until_good());
  EXPECT_EQ(rig.sensor->pid(), first);
}

TEST(SensorProcess, AMachineWithoutGpuIsAbsentAndNoLibraryIsOpened) {
  testing::Scratch root;
  SensorOptions options;
  options.program = kSensor;
  options.root = root.path;
  Rig rig(options);
  ASSERT_TRUE(rig.until_state(DriverState::absent));
  EXPECT_TRUE(rig.sensor->current()->gpus.empty());
  std::ifstream maps("/proc/" + std::to_string(rig.sensor->pid()) + "/maps");
  const std::string text{std::istreambuf_iterator<char>(maps), {}};
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(text.find("libnvidia-ml"), std::string::npos);
}

TEST(SensorProcess, ReleasedHandlesAreGoneAndComeBackOnRequest) {
  StubScript stub("gpus 1\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  const int first = rig.sensor->pid();
  rig.sensor->release();
  ASSERT_TRUE(rig.until_state(DriverState::released));
  EXPECT_EQ(kill(first, 0), -1);
  EXPECT_EQ(rig.read(kGrantTiers).error().kind, ErrorKind::refused);
  rig.sensor->reacquire();
  EXPECT_TRUE(rig.until_good());
}

// A stand-in for the sensor that answers with bytes of the test's choice.
SensorOptions script_sensor(const StubScript& stub, const std::string& body) {
  stub.write("sensor.sh", "#!/bin/sh\n" + body + "\n");
  std::filesystem::permissions(stub.path + "/sensor.sh", std::filesystem::perms::owner_all);
  SensorOptions options = stub.options();
  options.program = stub.path + "/sensor.sh";
  return options;
}

TEST(SensorProcess, MalformedMessagesEndTheSensorAndAreNamed) {
  StubScript stub;
  Rig rig(script_sensor(stub, "echo this is no frame at all >&3; sleep 10"));
  ASSERT_TRUE(rig.until_state(DriverState::crashed));
  EXPECT_NE(rig.troubles.back().reason.find("makes no sense"), std::string::npos);
}

TEST(SensorProcess, AProgramThatEndsAtOnceIsCrashedWithItsCode) {
  StubScript stub;
  Rig rig(script_sensor(stub, "exit 7"));
  ASSERT_TRUE(rig.until_state(DriverState::crashed));
  EXPECT_NE(rig.troubles.back().reason.find("exit code 7"), std::string::npos);
}

TEST(SensorProcess, AMissingProgramIsNamed) {
  StubScript stub;
  SensorOptions options = stub.options();
  options.program = "/nowhere/estiva-sensor";
  Rig rig(options);
  ASSERT_TRUE(rig.until_state(DriverState::failed));
  EXPECT_NE(rig.troubles.back().reason.find("/nowhere/estiva-sensor"), std::string::npos);
}

TEST(SensorProcess, WithoutDescriptorsItWaitsAndStartsWhenThereAreSome) {
  StubScript stub("gpus 1\n");
  bool is_exhausted = true;
  Rig rig(stub.options(), [&](const SensorOptions& options) -> Result<Launched> {
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = is_exhausted ? 3 : before.rlim_cur;
    setrlimit(RLIMIT_NOFILE, &none);
    auto launched = launch_sensor(options);
    setrlimit(RLIMIT_NOFILE, &before);
    return launched;
  });
  ASSERT_TRUE(rig.until_state(DriverState::failed));
  EXPECT_NE(rig.troubles.back().reason.find("Too many open files"), std::string::npos);
  is_exhausted = false;
  EXPECT_TRUE(rig.until_good());
}

TEST(SensorProcess, StopLeavesNoProcessBehindEvenWhenItHangs) {
  StubScript stub("gpus 1\n");
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  const int first = rig.sensor->pid();
  stub.say("gpus 1\nhang nvmlShutdown\n");
  rig.stop();
  EXPECT_EQ(kill(first, 0), -1);
  EXPECT_EQ(rig.sensor->pid(), 0);
}

TEST(SensorProcess, HasItsOwnSmallSetOfDescriptors) {
  StubScript stub("gpus 1\n");
  const int extra = dup(STDERR_FILENO);  // not close-on-exec: must not reach the sensor
  Rig rig(stub.options());
  ASSERT_TRUE(rig.until_good());
  EXPECT_LE(count_descriptors(std::to_string(rig.sensor->pid())), 4U);
  std::ifstream limits("/proc/" + std::to_string(rig.sensor->pid()) + "/limits");
  const std::string text{std::istreambuf_iterator<char>(limits), {}};
  EXPECT_NE(text.find("Max open files            1024"), std::string::npos);
  close(extra);
}

TEST(ReadOnce, ShowsEveryGpuWithoutADaemon) {
  StubScript stub("gpus 8\nprocesses 5\n");
  const auto view = read_once(stub.options(), Tiers::all(), seconds(10));
  ASSERT_TRUE(view.has_value()) << view.error().what;
  EXPECT_EQ(view->driver.state, DriverState::ready);
  EXPECT_EQ(view->gpus.size(), 8U);
  EXPECT_EQ(view->gpus[7].sample.processes->size(), 5U);
}

TEST(ReadOnce, AHungDriverEndsAtTheLimit) {
  StubScript stub("gpus 1\nhang nvmlInit_v2\n");
  const SteadyTime before = steady_now();
  const auto view = read_once(stub.options(), Tiers::all(), milliseconds(200));
  ASSERT_FALSE(view.has_value());
  EXPECT_EQ(view.error().kind, ErrorKind::timed_out);
  EXPECT_LT(steady_now() - before, seconds(5));
}

TEST(ReadOnce, ACrashIsAnErrorWithTheSignal) {
  StubScript stub("gpus 1\ncrash nvmlDeviceGetPowerUsage\n");
  const auto view = read_once(stub.options(), Tiers::all(), seconds(10));
  ASSERT_FALSE(view.has_value());
  EXPECT_NE(view.error().what.find("signal 11"), std::string::npos) << view.error().what;
}

TEST(ReadOnce, AMissingProgramIsAnErrorWithARemedy) {
  StubScript stub;
  SensorOptions options = stub.options();
  options.program = "/nowhere/estiva-sensor";
  const auto view = read_once(options, Tiers::all(), seconds(10));
  ASSERT_FALSE(view.has_value());
  EXPECT_FALSE(view.error().remedy.empty());
}

TEST(ReadOnce, NoDriverIsAnAnswerNotAnError) {
  testing::Scratch root;
  testing::add_pci(root, "0000:01:00.0", "0x030000");
  SensorOptions options;
  options.program = kSensor;
  options.root = root.path;
  const auto view = read_once(options, Tiers::all(), seconds(10));
  ASSERT_TRUE(view.has_value()) << view.error().what;
  EXPECT_EQ(view->driver.state, DriverState::no_driver);
}

}  // namespace
}  // namespace estiva::gpu
