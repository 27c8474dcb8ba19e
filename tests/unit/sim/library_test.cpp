// The library's life: loading and unloading, versions, every kind of fault, cards that vanish.
#include "library.h"

#include <chrono>
#include <fstream>
#include <gtest/gtest.h>
#include <malloc.h>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "sim/core/functions.h"

namespace estiva::sim {
namespace {

using Clock = std::chrono::steady_clock;

int mappings_of_library() {
  std::ifstream maps("/proc/self/maps");
  int found = 0;
  for (std::string line; std::getline(maps, line);) {
    found += line.find("libnvidia-ml") != std::string::npos ||
             line.find("/machine") != std::string::npos;
  }
  return found;
}
int all_mappings() {
  std::ifstream maps("/proc/self/maps");
  int found = 0;
  for (std::string line; std::getline(maps, line);) ++found;
  return found;
}
long descriptors() {
  const auto folder = std::filesystem::directory_iterator("/proc/self/fd");
  return std::distance(begin(folder), end(folder));
}

void one_life() {
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  unsigned long long memory[3];
  ASSERT_EQ(lib.call("nvmlDeviceGetMemoryInfo", lib.card(0), memory), 0);
  ASSERT_EQ(lib.call("nvmlShutdown"), 0);
}

// `own`: views of the machine file that the test itself keeps.
void lives_leave_nothing(int times, int own) {
  for (int i = 0; i < 3; ++i) one_life();  // what the loader itself keeps
  [[maybe_unused]] const int maps = all_mappings();
  const long fds = descriptors();
  [[maybe_unused]] const std::size_t heap = ::mallinfo2().uordblks;
  for (int i = 0; i < times; ++i) one_life();
  EXPECT_EQ(mappings_of_library(), own);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they keep maps of their own
  EXPECT_LE(all_mappings(), maps + 1);                               // the heap may have been split
  EXPECT_LE(::mallinfo2().uordblks, heap + 16384);
#endif
  EXPECT_EQ(descriptors(), fds);
}

TEST(SimLibrary, TwoHundredLivesWithoutAHostLeaveNothing) {
  ::setenv("ESTIVA_SIM_SCENARIO", "server-8", 1);
  lives_leave_nothing(200, 0);
  ::unsetenv("ESTIVA_SIM_SCENARIO");
}

TEST(SimLibrary, TwoHundredLivesOnAMachineInAFileLeaveNothing) {
  const Testbed bed("gpu rtx3060-12g\n");
  lives_leave_nothing(200, 1);
}

TEST(SimLibrary, BeforeInitOnlyTheVersionIsToldAndShutdownFails) {
  const Testbed bed("driver 550.163.01\ngpu rtx3060-12g\n");
  Library lib;
  char text[80];
  unsigned count = 0;
  EXPECT_EQ(lib.call("nvmlSystemGetNVMLVersion", text, 80u), 0);
  EXPECT_STREQ(text, "12.550.163.01");
  EXPECT_EQ(lib.call("nvmlDeviceGetCount_v2", &count), 1);
  EXPECT_EQ(lib.call("nvmlShutdown"), 1);
  EXPECT_EQ(lib.call("nvmlInit_v2"), 0);
  EXPECT_EQ(lib.call("nvmlInit_v2"), 0);
  EXPECT_EQ(lib.call("nvmlShutdown"), 0);
  EXPECT_EQ(lib.call("nvmlDeviceGetCount_v2", &count), 0);  // reference counted
  EXPECT_EQ(lib.call("nvmlShutdown"), 0);
  EXPECT_EQ(lib.call("nvmlDeviceGetCount_v2", &count), 1);
}

TEST(SimLibrary, NoHostThereIsNoDriver) {
  ::setenv("ESTIVA_SIM_DIR", "/nowhere/at/all", 1);
  Library lib;
  EXPECT_EQ(lib.call("nvmlInit_v2"), 9);
  EXPECT_EQ(lib.call("nvmlShutdown"), 0);  // as driver 550 after a failed Init
  ::unsetenv("ESTIVA_SIM_DIR");
}

TEST(SimLibrary, AnUpgradeIsAMismatchUntilTheLibraryIsLoadedAgain) {
  Testbed bed("driver 550.163.01\ngpu rtx3060-12g\n");
  Library old;
  ASSERT_EQ(old.call("nvmlInit_v2"), 0);
  void* card = old.card(0);
  bed.does("upgrade 560.35.03");
  unsigned value = 0;
  EXPECT_EQ(old.call("nvmlDeviceGetTemperature", card, 0u, &value), 18);
  EXPECT_EQ(old.call("nvmlShutdown"), 0);
  EXPECT_EQ(old.call("nvmlInit_v2"), 18);
  old.close();
  Library fresh;
  EXPECT_EQ(fresh.call("nvmlInit_v2"), 0);
  char text[80];
  EXPECT_EQ(fresh.call("nvmlSystemGetDriverVersion", text, 80u), 0);
  EXPECT_STREQ(text, "560.35.03");
  EXPECT_EQ(fresh.call("nvmlSystemGetNVMLVersion", text, 80u), 0);
  EXPECT_STREQ(text, "12.560.35.03");
}

TEST(SimLibrary, ANewLibraryFileUnderAnOldModuleHurtsOnlyNewcomers) {
  Testbed bed("gpu rtx3060-12g\n");
  Library old;
  ASSERT_EQ(old.call("nvmlInit_v2"), 0);
  bed.does("library 560.35.03");
  unsigned count = 0;
  EXPECT_EQ(old.call("nvmlDeviceGetCount_v2", &count), 0);
  old.close();
  Library fresh;
  EXPECT_EQ(fresh.call("nvmlInit_v2"), 18);
}

TEST(SimLibrary, AnUnloadedDriverIsErrorNine) {
  Testbed bed("gpu rtx3060-12g\n");
  bed.does("unload-driver");
  Library lib;
  EXPECT_EQ(lib.call("nvmlInit_v2"), 9);
  bed.does("load-driver");
  EXPECT_EQ(lib.call("nvmlInit_v2"), 0);
}

TEST(SimLibrary, LostCardsFailAloneAndKeepTheirPlace) {
  Testbed bed("gpu rtx3060-12g times 3\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  void* first = lib.card(0);
  void* second = lib.card(1);
  bed.does("lose 1");
  unsigned value = 0, count = 0;
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", first, 0u, &value), 0);
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", second, 0u, &value), 15);
  EXPECT_EQ(lib.call("nvmlDeviceGetCount_v2", &count), 0);
  EXPECT_EQ(count, 3u);
  EXPECT_EQ(lib.card(1), nullptr);
  bed.does("reset-required 1");
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", second, 0u, &value), 16);
  bed.does("recover 1");
  EXPECT_EQ(lib.card(1), second);
  bed.does("unplug 0");
  EXPECT_EQ(lib.call("nvmlDeviceGetCount_v2", &count), 0);
  EXPECT_EQ(count, 2u);
  EXPECT_EQ(lib.card(0), second);  // indexes move up, handles stay
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", first, 0u, &value), 15);
}

TEST(SimLibrary, ForeignHandlesAreRefused) {
  const Testbed bed("gpu rtx3060-12g\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  unsigned value = 0;
  int here = 0;
  for (void* wrong : {static_cast<void*>(nullptr), static_cast<void*>(&here),
                      static_cast<void*>(static_cast<char*>(lib.card(0)) + 1)}) {
    EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", wrong, 0u, &value), 2);
  }
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", lib.card(0), 0u, static_cast<unsigned*>(nullptr)),
            2);
}

TEST(SimLibrary, UnifiedCardsHaveNoMemoryOfTheirOwn) {
  const Testbed bed("gpu gb10\nprocess 7 gpu 0 vram 2GiB\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  unsigned long long first[3], second[5] = {0x02000028};
  EXPECT_EQ(lib.call("nvmlDeviceGetMemoryInfo", lib.card(0), first), 3);
  EXPECT_EQ(lib.call("nvmlDeviceGetMemoryInfo_v2", lib.card(0), second), 3);
  unsigned count = 0;
  EXPECT_EQ(lib.call("nvmlDeviceGetComputeRunningProcesses_v3", lib.card(0), &count,
                     static_cast<void*>(nullptr)),
            7);
  EXPECT_EQ(count, 1u);
}

TEST(SimLibrary, MigInstancesShowTheirOwnMemoryAndProcesses) {
  const Testbed bed("gpu a100-80g\nmig 0 1g.10gb 2g.20gb\nprocess 7 gpu 0 vram 6GiB instance 1\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  unsigned current = 0, pending = 0, is_mig = 0, rates[2];
  EXPECT_EQ(lib.call("nvmlDeviceGetMigMode", lib.card(0), &current, &pending), 0);
  EXPECT_EQ(current, 1u);
  void* instance = nullptr;
  ASSERT_EQ(lib.call("nvmlDeviceGetMigDeviceHandleByIndex", lib.card(0), 1u, &instance), 0);
  EXPECT_EQ(lib.call("nvmlDeviceIsMigDeviceHandle", instance, &is_mig), 0);
  EXPECT_EQ(is_mig, 1u);
  unsigned long long memory[3];
  EXPECT_EQ(lib.call("nvmlDeviceGetMemoryInfo", instance, memory), 0);
  EXPECT_EQ(memory[0], 19968ull << 20);
  EXPECT_EQ(memory[2], 6ull << 30);
  EXPECT_EQ(lib.call("nvmlDeviceGetUtilizationRates", lib.card(0), rates), 3);
  void* none = nullptr;
  EXPECT_EQ(lib.call("nvmlDeviceGetMigDeviceHandleByIndex", lib.card(0), 2u, &none), 6);
}

TEST(SimLibrary, ACallOnASleepingCardIsCountedAsOneWake) {
  Testbed bed("gpu gtx1050ti-4g may-sleep\nsleep 0\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  unsigned count = 0;
  EXPECT_EQ(lib.call("nvmlDeviceGetCount_v2", &count), 0);
  EXPECT_EQ(bed.file.state().gpus[0].wakes.load(), 0u);  // Init and counting touch no card
  void* card = lib.card(0);
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", card, 0u, &count), 0);
  EXPECT_EQ(bed.file.state().gpus[0].wakes.load(), 1u);
  bed.at(1'000'000'000);
  bed.at(6'000'000'000);
  ASSERT_TRUE(bed.file.state().gpus[0].asleep);
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", card, 0u, &count), 0);
  EXPECT_EQ(bed.file.state().gpus[0].wakes.load(), 2u);
}

TEST(SimLibrary, CallsTimeAndErrorsAreCounted) {
  Testbed bed("gpu rtx3060-12g\nfault PowerUsage error 4 after 1 times 2\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  void* card = lib.card(0);
  unsigned value = 0;
  const int expected[] = {0, 4, 4, 0};
  for (int code : expected) EXPECT_EQ(lib.call("nvmlDeviceGetPowerUsage", card, &value), code);
  unsigned long long calls = 0, ns = 0, errors = 0;
  EXPECT_EQ(lib.call("estiva_sim_stats", "nvmlDeviceGetPowerUsage", &calls, &ns, &errors), 1);
  EXPECT_EQ(calls, 4u);
  EXPECT_EQ(errors, 2u);
  EXPECT_GT(ns, 0u);
  EXPECT_EQ(lib.call("estiva_sim_stats", "nvmlNothing", &calls, &ns, &errors), 0);
  EXPECT_EQ(lib.call("estiva_sim_stats", static_cast<const char*>(nullptr), &calls, &ns, &errors),
            1);
  EXPECT_EQ(calls, 6u);
}

TEST(SimLibrary, ALatencyIsWaitedForAndCountedInside) {
  Testbed bed("gpu rtx3060-12g\nfault Temperature latency 30ms\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  void* card = lib.card(0);
  unsigned value = 0;
  const auto start = Clock::now();
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", card, 0u, &value), 0);
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(30));
  unsigned long long calls = 0, ns = 0, errors = 0;
  lib.call("estiva_sim_stats", "nvmlDeviceGetTemperature", &calls, &ns, &errors);
  EXPECT_GE(ns, 30'000'000u);
}

TEST(SimLibrary, AHangEndsWhenTheFaultIsCleared) {
  Testbed bed("gpu rtx3060-12g\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  void* card = lib.card(0);
  bed.does("fault Temperature hang");
  std::atomic<bool> back = false;
  std::thread caller([&] {
    unsigned value = 0;
    EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", card, 0u, &value), 0);
    back = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(back);
  bed.does("clear-faults");
  caller.join();
  EXPECT_TRUE(back);
}

TEST(SimLibrary, AnAbortKillsTheCallerInTheCallThatIsNamed) {
  Testbed bed("gpu rtx3060-12g\nfault Temperature abort after 2\n");
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGABRT, SIG_DFL);
    Library lib;
    lib.call("nvmlInit_v2");
    unsigned value = 0;
    for (int i = 0; i < 5; ++i) lib.call("nvmlDeviceGetTemperature", lib.card(0), 0u, &value);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  EXPECT_EQ(bed.file.state().faults[0].seen.load(), 3u);
}

TEST(SimLibrary, AFaultCanBeOfOneCardOrOfInit) {
  Testbed bed("gpu rtx3060-12g times 2\nfault all gpu 1 error 999\n");
  Library lib;
  ASSERT_EQ(lib.call("nvmlInit_v2"), 0);
  unsigned value = 0;
  EXPECT_EQ(lib.call("nvmlDeviceGetTemperature", lib.card(0), 0u, &value), 0);
  EXPECT_EQ(lib.card(1), nullptr);
  bed.does("clear-faults");
  EXPECT_NE(lib.card(1), nullptr);
  bed.does("fault init error 4");
  EXPECT_EQ(lib.call("nvmlInit_v2"), 4);
}

TEST(SimLibrary, AMalformedScenarioIsASentenceAndAnError) {
  ::setenv("ESTIVA_SIM_SCENARIO", "/nowhere/x.scenario", 1);
  ::testing::internal::CaptureStderr();
  {
    Library lib;
    EXPECT_EQ(lib.call("nvmlInit_v2"), 999);
  }
  EXPECT_NE(::testing::internal::GetCapturedStderr().find("neither a file"), std::string::npos);
  ::unsetenv("ESTIVA_SIM_SCENARIO");
}

TEST(SimLibrary, AnUpgradeBeforeTheLoadIsNoMismatch) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("estiva-epoch-" + std::to_string(::getpid())))
          .string();
  std::ofstream(path) << "gpu rtx3060-12g\nat 1s upgrade 560.35.03\n";
  ::setenv("ESTIVA_SIM_SCENARIO", path.c_str(), 1);
  ::setenv("ESTIVA_SIM_TIME", "100", 1);
  {
    Library lib;
    // The upgrade lies in the past when the file is loaded: library and module agree.
    EXPECT_EQ(lib.call("nvmlInit_v2"), 0);
  }
  ::unsetenv("ESTIVA_SIM_TIME");
  ::unsetenv("ESTIVA_SIM_SCENARIO");
  std::filesystem::remove(path);
}

TEST(SimLibrary, EveryFunctionOfTheListIsExported) {
  const Testbed bed("gpu rtx3060-12g\n");
  Library lib;
  unsigned i = 0;
  for (; i < kMaxFunctions; ++i) {
    const std::string name(function_name(i));
    if (name.empty()) break;
    EXPECT_NE(lib.symbol(name.c_str()), nullptr) << name;
  }
  EXPECT_GT(i, 150u);
}

}  // namespace
}  // namespace estiva::sim
