// The sim host as a program: its socket, its exit codes, real processes, and the fake host tree.
#include <array>
#include <chrono>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "library.h"
#include "sim/host/control.h"
#include "sim/host/tree.h"

namespace estiva::sim {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

struct Ran {
  int code;
  std::string out;
};
Ran run(const std::string& command) {
  FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string out;
  std::array<char, 4096> buffer;
  while (const std::size_t got = ::fread(buffer.data(), 1, buffer.size(), pipe)) {
    out.append(buffer.data(), got);
  }
  return {WEXITSTATUS(::pclose(pipe)), out};
}
std::string text_of(const fs::path& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class Running {
 public:
  explicit Running(const std::string& options) {
    std::string made = (fs::temp_directory_path() / "estiva-sim-host.XXXXXX").string();
    EXPECT_NE(::mkdtemp(made.data()), nullptr);
    dir = made;
    child_ = ::fork();
    if (child_ == 0) {
      const std::string command =
          "exec " SIM_PROGRAM " run " + options + " --dir " + dir + " > " + dir + "/out 2>&1";
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    for (int i = 0; i < 1000 && text_of(dir + "/out").empty(); ++i) ::usleep(10'000);
  }
  ~Running() {
    stop();
    fs::remove_all(dir);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  Ran ctl(const std::string& line) { return run(SIM_PROGRAM " ctl " + dir + " '" + line + "'"); }
  int stop() {
    if (child_ <= 0) return -1;
    ::kill(child_, SIGTERM);
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = -1;
    return WEXITSTATUS(status);
  }
  std::string dir;

 private:
  pid_t child_ = -1;
};

TEST(SimHost, AnswersCommandsWithWordsAndExitCodes) {
  Running host("workstation-2 --manual");
  EXPECT_EQ(text_of(host.dir + "/out"), "ready " + host.dir + "\n");
  EXPECT_EQ(host.ctl("alloc 1 0 1GiB").code, 0);
  const Ran full = host.ctl("alloc 1 0 100GiB");
  EXPECT_EQ(full.code, 1);
  EXPECT_EQ(full.out, "out-of-memory\n");
  EXPECT_EQ(host.ctl("ooms").out, "1\nok\n");
  const Ran bad = host.ctl("alloc one 0 1GiB");
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.out, HasSubstr("command:1:7: 'one' is not a process number"));
  EXPECT_EQ(host.ctl("exit 99999").code, 1);
  EXPECT_EQ(host.ctl("time").out, "0\nok\n");
  EXPECT_EQ(host.ctl("advance 2s").code, 0);
  EXPECT_EQ(host.ctl("time").out, "2000000000\nok\n");
  EXPECT_EQ(host.stop(), 0);
  EXPECT_FALSE(fs::exists(host.dir + "/machine"));
  EXPECT_EQ(host.ctl("time").code, 4);
}

TEST(SimHost, OneMachineForEveryClient) {
  Running host("workstation-2 --manual");
  ::setenv("ESTIVA_SIM_DIR", host.dir.c_str(), 1);
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  ASSERT_EQ(host.ctl("alloc 4242 0 1GiB").code, 0);
  unsigned long long memory[3];
  ASSERT_EQ(lib.call("nvmlDeviceGetMemoryInfo", lib.card(0), memory), 0);
  EXPECT_EQ(memory[2], (9216ull + 1024 + 348) << 20);
  EXPECT_THAT(host.ctl("stats").out, HasSubstr("nvmlDeviceGetMemoryInfo calls 1 "));
  EXPECT_EQ(host.ctl("reset-stats").code, 0);
  EXPECT_THAT(host.ctl("stats").out, HasSubstr("total calls 0 "));
  ::unsetenv("ESTIVA_SIM_DIR");
}

TEST(SimHost, ARealProcessThatDiesFreesItsMemory) {
  Running host("workstation-2 --manual");
  const pid_t child = ::fork();
  if (child == 0) {
    for (;;) ::pause();
  }
  ASSERT_EQ(host.ctl("alloc " + std::to_string(child) + " 0 1GiB").code, 0);
  const std::string row = "process " + std::to_string(child) + " gpu 0";
  EXPECT_THAT(host.ctl("state").out, HasSubstr(row));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  std::string state;
  for (int i = 0; i < 500; ++i) {
    state = host.ctl("state").out;
    if (state.find(row) == std::string::npos) break;
    ::usleep(10'000);
  }
  EXPECT_THAT(state, ::testing::Not(HasSubstr(row)));
}

TEST(SimHost, SpawnedProcessesAreRealAndEndWithTheHost) {
  Running host("server-8 --spawn --manual");
  const std::string state = host.ctl("state").out;
  const std::size_t at = state.find("\nprocess ");
  ASSERT_NE(at, std::string::npos);
  const pid_t pid = std::atoi(state.c_str() + at + 9);
  EXPECT_EQ(::kill(pid, 0), 0);
  const std::string proc = "/proc/" + std::to_string(pid) + "/cmdline";
  std::string name;
  for (int i = 0; i < 500 && name != "vllm"; ++i) {
    name = text_of(proc).c_str();
    ::usleep(2'000);
  }
  EXPECT_EQ(name, "vllm");
  host.stop();
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(SimHost, TheTreeFollowsTheMachine) {
  std::string tree = (fs::temp_directory_path() / "estiva-sim-tree.XXXXXX").string();
  ASSERT_NE(::mkdtemp(tree.data()), nullptr);
  {
    Running host("laptop-4gb --manual --tree " + tree);
    const std::string card = tree + "/sys/bus/pci/devices/0000:01:00.0";
    EXPECT_EQ(text_of(card + "/vendor"), "0x10de\n");
    EXPECT_EQ(text_of(card + "/power/runtime_status"), "active\n");
    EXPECT_EQ(text_of(tree + "/sys/module/nvidia/version"), "550.163.01\n");
    host.ctl("sleep 0");
    host.ctl("xid 0 79");
    host.ctl("driver 560.35.03");
    for (int i = 0; i < 500 && text_of(tree + "/dev/kmsg.log").empty(); ++i) ::usleep(10'000);
    for (int i = 0; i < 500 && text_of(tree + "/sys/module/nvidia/version") != "560.35.03\n"; ++i) {
      ::usleep(10'000);
    }
    EXPECT_EQ(text_of(card + "/power/runtime_status"), "suspended\n");
    EXPECT_EQ(text_of(tree + "/sys/module/nvidia/version"), "560.35.03\n");
    EXPECT_THAT(text_of(tree + "/dev/kmsg.log"),
                HasSubstr("NVRM: Xid (PCI:0000:01:00): 79, pid='<unknown>'"));
    host.ctl("unload-driver");
    for (int i = 0; i < 500 && fs::exists(tree + "/dev/nvidiactl"); ++i) ::usleep(10'000);
    EXPECT_FALSE(fs::exists(tree + "/sys/module/nvidia/version"));
    EXPECT_FALSE(fs::exists(tree + "/dev/nvidiactl"));
    EXPECT_EQ(text_of(card + "/vendor"), "0x10de\n");  // PCI still shows the card
    host.ctl("unplug 0");
    for (int i = 0; i < 500 && fs::exists(card); ++i) ::usleep(10'000);
    EXPECT_FALSE(fs::exists(card));
  }
  fs::remove_all(tree);
}

TEST(SimHost, MalformedScenariosExitTwoAndSayWhere) {
  const std::string path =
      (fs::temp_directory_path() / ("estiva-bad-" + std::to_string(::getpid()) + ".scenario"))
          .string();
  std::ofstream(path) << "gpu rtx3060-12g\nat 5s lose 7\n";
  const Ran bad = run(SIM_PROGRAM " run " + path);
  EXPECT_EQ(bad.code, 2);
  EXPECT_THAT(bad.out, HasSubstr(path + ":2:12: there is no card 7: the machine has 1"));
  EXPECT_EQ(run(SIM_PROGRAM " check " + path).code, 2);
  EXPECT_EQ(run(SIM_PROGRAM " check laptop-4gb").code, 0);
  EXPECT_EQ(run(SIM_PROGRAM " run laptop-4gb --nonsense").code, 2);
  EXPECT_EQ(run(SIM_PROGRAM).code, 2);
  fs::remove(path);
}

TEST(SimHost, LinesThatAreTooLongAreRefused) {
  Testbed bed("gpu gb10\n");
  Session session{bed.file.state(), bed.scenario};
  EXPECT_THAT(answer(session, std::string(kMaxLineBytes + 1, 'x')), HasSubstr("error: "));
  EXPECT_EQ(answer(session, ""), "ok\n");
  EXPECT_THAT(answer(session, "advance 1s"), HasSubstr("--manual"));
}

}  // namespace
}  // namespace estiva::sim
