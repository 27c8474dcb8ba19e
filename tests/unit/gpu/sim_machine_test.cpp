// The sensor on a running simulated machine with a tree of its own: cards that sleep, are lost, are
// taken out and put back, and the simulator's own count of what woke them.
#include <boost/asio/io_context.hpp>
#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu/sensor_client.h"
#include "gpu_fixture.h"

namespace estiva::gpu {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::kSensor;
using testing::Scratch;

// estiva-sim in a process of its own, and its control socket.
class SimMachine : public Scratch {
 public:
  explicit SimMachine(const std::string& scenario) {
    write("scenario", scenario);
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) std::abort();
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], STDOUT_FILENO);
      execl(kProgram.c_str(), "estiva-sim", "run", file("scenario").c_str(), "--dir",
            file("run").c_str(), "--tree", file("tree").c_str(), nullptr);
      _exit(127);
    }
    close(out[1]);
    char first = 0;
    is_ready_ = ::read(out[0], &first, 1) == 1 && first == 'r';  // "ready DIR"
    close(out[0]);
    setenv("ESTIVA_SIM_DIR", file("run").c_str(), 1);
  }
  ~SimMachine() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    unsetenv("ESTIVA_SIM_DIR");
  }

  bool is_ready() const { return is_ready_; }
  std::string file(const std::string& name) const { return path + "/" + name; }
  // The first line of the host's answer.
  std::string tell(const std::string& line) const {
    const auto command = fmt::format("'{}' ctl '{}' '{}'", kProgram, file("run"), line);
    FILE* answer = popen(command.c_str(), "r");
    char text[256] = {};
    if (fgets(text, sizeof text, answer) == nullptr) text[0] = 0;
    while (fgetc(answer) != EOF) {
    }
    pclose(answer);
    return std::string(text).substr(0, std::string(text).find('\n'));
  }
  SensorOptions options() const {
    SensorOptions options;
    options.program = kSensor;
    options.nvml_file = std::string(ESTIVA_BUILD_DIR) + "/sim/libnvidia-ml.so.1";
    options.root = file("tree");
    options.source = "simulated";
    options.interval = milliseconds(50);
    return options;
  }

 private:
  inline static const std::string kProgram = std::string(ESTIVA_BUILD_DIR) + "/estiva-sim";
  pid_t pid_ = 0;
  bool is_ready_ = false;
};

// A sensor on a machine, and the loop it lives in.
struct Watched {
  explicit Watched(const SimMachine& machine) : sensor(loop.get_executor(), machine.options()) {
    sensor.start([this](SensorViewPtr view) { updates += !view->gpus.empty(); });
  }
  // Runs until something is so; at most 20 s.
  bool until(const std::function<bool()>& is_so) {
    const SteadyTime deadline = steady_now() + seconds(20);
    while (!is_so() && steady_now() < deadline) {
      loop.restart();
      loop.run_for(milliseconds(10));
    }
    return is_so();
  }
  bool more_updates(int n) {
    const int before = updates;
    return until([&] { return updates >= before + n; });
  }
  const std::vector<Gpu>& gpus() const { return sensor.current()->gpus; }
  DriverState state() const { return sensor.current()->driver.state; }
  std::vector<GpuState> states() const {
    std::vector<GpuState> all;
    for (const Gpu& gpu : gpus()) all.push_back(gpu.sample.state);
    return all;
  }

  boost::asio::io_context loop;
  Sensor sensor;
  int updates = 0;
};

// Listens for XIDs too; none is lost on the way.
struct Listening {
  explicit Listening(const SimMachine& machine) : sensor(loop.get_executor(), options(machine)) {
    sensor.on_xids([this](const std::vector<XidReport>& told) {
      for (const XidReport& one : told) {
        heard.push_back(one);
        count += one.count;
        delays.push_back(steady_now() - one.at);
      }
    });
    sensor.start([](const SensorViewPtr&) {});
  }
  static SensorOptions options(const SimMachine& machine) {
    SensorOptions options = machine.options();
    options.listens = true;
    return options;
  }
  bool until(const std::function<bool()>& is_so, Nanoseconds most = seconds(20)) {
    const SteadyTime deadline = steady_now() + most;
    while (!is_so() && steady_now() < deadline) {
      loop.restart();
      loop.run_for(milliseconds(5));
    }
    return is_so();
  }
  // The driver knows that we listen: what comes now is heard.
  bool is_attached(const SimMachine& machine) {
    return until([&] {
      machine.tell("xid 0 1");
      return until([&] { return count > 0; }, milliseconds(50));
    });
  }
  void forget() {
    until([] { return false; }, milliseconds(100));
    heard.clear();
    count = 0;
  }

  boost::asio::io_context loop;
  Sensor sensor;
  std::vector<XidReport> heard;
  std::uint64_t count = 0;
  std::vector<Nanoseconds> delays;
};

constexpr auto kOk = GpuState::ok, kLost = GpuState::lost, kAsleep = GpuState::asleep;
using States = std::vector<GpuState>;

TEST(SimMachine, ASleepingGpuIsNeverWokenAndItsAwakeNeighbourIsRead) {
  SimMachine machine("gpu rtx3060-12g may-sleep\ngpu rtx4090-24g\nat 0s sleep 0\n");
  ASSERT_TRUE(machine.is_ready());
  Watched watched(machine);
  ASSERT_TRUE(watched.until([&] { return watched.states() == States{kAsleep, kOk}; }));
  ASSERT_TRUE(watched.more_updates(40));
  EXPECT_EQ(machine.tell("wakes"), "0");
  EXPECT_TRUE(watched.gpus()[1].sample.memory.known());
  EXPECT_TRUE(watched.gpus()[1].sample.temperature.known());
  // Nor does looking for a lost neighbour wake it.
  machine.tell("lose 1");
  ASSERT_TRUE(watched.until([&] { return watched.states() == States{kAsleep, kLost}; }));
  ASSERT_TRUE(watched.more_updates(40));
  machine.tell("recover 1");
  ASSERT_TRUE(watched.until([&] { return watched.states() == States{kAsleep, kOk}; }));
  EXPECT_EQ(machine.tell("wakes"), "0");
}

TEST(SimMachine, TheWakeCounterCountsAndAGpuThatWakesIsRead) {
  SimMachine machine("gpu rtx3060-12g may-sleep\nat 0s sleep 0\n");
  ASSERT_TRUE(machine.is_ready());
  Watched watched(machine);
  ASSERT_TRUE(watched.until([&] { return watched.states() == States{kAsleep}; }));
  machine.tell("wake 0");  // somebody else uses it
  ASSERT_TRUE(watched.until([&] { return watched.states() == States{kOk}; }));
  EXPECT_TRUE(watched.gpus()[0].sample.memory.known());
  EXPECT_EQ(machine.tell("wakes"), "0");
  machine.tell("sleep 0");
  ASSERT_TRUE(watched.until([&] { return watched.states() == States{kAsleep}; }));
  // With sysfs saying that it is awake we would call, and that would be counted.
  const std::string before = machine.tell("wakes");
  machine.write("awake/sys/bus/pci/devices/x", "");
  SensorOptions blind = machine.options();
  blind.root = machine.file("awake");
  boost::asio::io_context loop;
  Sensor sensor(loop.get_executor(), blind);
  sensor.start([](SensorViewPtr) {});
  const SteadyTime deadline = steady_now() + seconds(20);
  while (machine.tell("wakes") == before && steady_now() < deadline) {
    loop.restart();
    loop.run_for(milliseconds(50));
  }
  EXPECT_NE(machine.tell("wakes"), before);
}

TEST(SimMachine, AGpuThatIsTakenOutLeavesTheListAndALostOneStays) {
  SimMachine machine("gpu rtx3060-12g times 3\n");
  ASSERT_TRUE(machine.is_ready());
  Watched watched(machine);
  ASSERT_TRUE(watched.until([&] { return watched.states() == States{kOk, kOk, kOk}; }));
  const std::string first = watched.gpus()[0].identity.id.key();
  const std::string third = watched.gpus()[2].identity.id.key();
  machine.tell("lose 0");
  machine.tell("unplug 1");
  ASSERT_TRUE(watched.until([&] { return watched.gpus().size() == 2; }));
  EXPECT_TRUE(watched.more_updates(20));
  ASSERT_EQ(watched.states(), (States{kLost, kOk}));
  EXPECT_EQ(watched.gpus()[0].identity.id.key(), first);
  EXPECT_EQ(watched.gpus()[1].identity.id.key(), third);
  machine.tell("plug 1");
  machine.tell("recover 0");
  EXPECT_TRUE(watched.until([&] { return watched.states() == States{kOk, kOk, kOk}; }));
  EXPECT_EQ(watched.state(), DriverState::ready);
}

TEST(SimMachine, ErrorsRepairsAndLinksAreRead) {
  SimMachine machine(
      "gpu t4-16g\ngpu h100-80g\ngpu rtx3060-12g\n"
      "at 0s retire 0 single 14 double 2 pending\n"
      "at 0s remap 1 corrected 3 uncorrected 2 pending failed\n"
      "at 0s ecc 1 uncorrected 4\nat 0s recovery 1 drain-and-reset\n"
      "at 0s nvlink 1 down 0 down 7 errors 5 crc 9\n"
      "at 0s fabric 1 completed error 999\nat 0s persistence 2 on\n");
  ASSERT_TRUE(machine.is_ready());
  Watched watched(machine);
  ASSERT_TRUE(watched.until([&] { return watched.states() == States{kOk, kOk, kOk}; }));
  const GpuWear& turing = watched.gpus()[0].wear;
  EXPECT_GT(turing.read_at.ns, 0);
  EXPECT_EQ(turing.retired_pages, Reading<unsigned>(16U));
  EXPECT_EQ(turing.retired_pending, Reading<unsigned>(1U));
  EXPECT_EQ(turing.remap_pending.why(), Missing::not_supported);
  EXPECT_EQ(turing.nvlinks.why(), Missing::not_supported);
  const GpuWear& hopper = watched.gpus()[1].wear;
  EXPECT_EQ(hopper.remapped_corrected, Reading<unsigned>(3U));
  EXPECT_EQ(hopper.remapped_uncorrected, Reading<unsigned>(2U));
  EXPECT_EQ(hopper.remap_pending, Reading<unsigned>(1U));
  EXPECT_EQ(hopper.remap_failed, Reading<unsigned>(1U));
  EXPECT_EQ(hopper.ecc_uncorrected_lifetime, Reading<std::uint64_t>(4U));
  EXPECT_EQ(hopper.retired_pages.why(), Missing::not_supported);
  EXPECT_EQ(hopper.recovery_action, Reading<unsigned>(4U));
  EXPECT_EQ(hopper.nvlinks, Reading<unsigned>(18U));
  EXPECT_EQ(hopper.nvlinks_active, Reading<unsigned>(16U));
  EXPECT_EQ(hopper.nvlink_errors, Reading<std::uint64_t>(5U));
  EXPECT_EQ(hopper.nvlink_crc_errors, Reading<std::uint64_t>(9U));
  EXPECT_EQ(hopper.fabric_state, Reading<unsigned>(3U));
  EXPECT_EQ(hopper.fabric_error, Reading<unsigned>(999U));
  const GpuWear& ampere = watched.gpus()[2].wear;
  EXPECT_EQ(ampere.persistence_mode, Reading<unsigned>(1U));
  EXPECT_EQ(ampere.recovery_action.why(), Missing::not_supported);
  EXPECT_EQ(ampere.fabric_state.why(), Missing::not_supported) << "no switches";
}

TEST(SimMachine, AnXidIsToldWithItsSlot) {
  SimMachine machine("gpu rtx4090-24g bus 0000:41:00.0\ngpu rtx4090-24g\n");
  ASSERT_TRUE(machine.is_ready());
  Listening listening(machine);
  ASSERT_TRUE(listening.is_attached(machine));
  listening.forget();
  machine.tell("xid 0 79");
  ASSERT_TRUE(listening.until([&] { return listening.count == 1; }));
  machine.tell("xid 1 31");
  ASSERT_TRUE(listening.until([&] { return listening.count == 2; }));
  EXPECT_EQ(listening.heard[0].slot, "0000:41:00");
  EXPECT_EQ(listening.heard[0].code, 79U);
  EXPECT_EQ(listening.heard[0].source, XidSource::event);
  EXPECT_EQ(listening.heard[1].slot, "0000:02:00");
}

TEST(SimMachine, AStormOfXidsIsHeardWhole) {
  SimMachine machine("gpu rtx4090-24g\n");
  ASSERT_TRUE(machine.is_ready());
  Listening listening(machine);
  ASSERT_TRUE(listening.is_attached(machine));
  listening.forget();
  for (int i = 0; i < 200; ++i) machine.tell(i % 2 == 0 ? "xid 0 13" : "xid 0 31");
  EXPECT_TRUE(listening.until([&] { return listening.count == 200; })) << listening.count;
}

TEST(SimMachine, ALostGpuIsListenedToAgainWhenItIsBack) {
  SimMachine machine("gpu rtx4090-24g\ngpu rtx4090-24g\n");
  ASSERT_TRUE(machine.is_ready());
  Listening listening(machine);
  ASSERT_TRUE(listening.is_attached(machine));
  machine.tell("lose 0");
  const auto state = [&] { return listening.sensor.current()->gpus.at(0).sample.state; };
  ASSERT_TRUE(listening.until([&] { return state() == kLost; }));
  machine.tell("recover 0");
  ASSERT_TRUE(listening.until([&] { return state() == kOk; }));
  listening.forget();
  EXPECT_TRUE(listening.is_attached(machine));
}

TEST(SimMachine, AWaitThatFailsIsBegunAgain) {
  SimMachine machine("gpu rtx4090-24g\n");
  ASSERT_TRUE(machine.is_ready());
  Listening listening(machine);
  ASSERT_TRUE(listening.is_attached(machine));
  EXPECT_EQ(machine.tell("fault nvmlEventSetWait_v2 error 999 times 3").rfind("ok", 0), 0U);
  // The first is heard before the fault is met; between the waits that fail nobody listens.
  listening.forget();
  EXPECT_TRUE(listening.is_attached(machine));
  listening.forget();
  EXPECT_TRUE(listening.is_attached(machine));
}

TEST(SimMachine, ReadingsGoOnWhileTheWaitHangs) {
  SimMachine machine("gpu rtx4090-24g\n");
  ASSERT_TRUE(machine.is_ready());
  Listening listening(machine);
  ASSERT_TRUE(listening.is_attached(machine));
  EXPECT_EQ(machine.tell("fault nvmlEventSetWait_v2 hang").rfind("ok", 0), 0U);
  listening.until([] { return false; }, seconds(1));
  const auto before = listening.sensor.current();
  ASSERT_TRUE(
      listening.until([&] { return listening.sensor.current()->read_at > before->read_at; }));
  EXPECT_EQ(listening.sensor.current()->driver.state, DriverState::ready);
  EXPECT_EQ(listening.sensor.current()->driver.sensor_restarts, 0U);
}

}  // namespace
}  // namespace estiva::gpu
