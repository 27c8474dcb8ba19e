// The replacement library as a client sees it: opened with dlopen, functions called by name, on a
// machine that the test holds in its hand.
#pragma once
#include <dlfcn.h>
#include <filesystem>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <string>

#include "sim/host/machine_file.h"

namespace estiva::sim {

class Library {
 public:
  Library() : handle_(::dlopen(SIM_LIBRARY, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) ADD_FAILURE() << ::dlerror();
  }
  ~Library() { close(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  void close() {
    if (handle_ != nullptr) ::dlclose(handle_);
    handle_ = nullptr;
  }
  // Calls an NVML function; -1 where the library does not have it.
  template <class... Args>
  int call(const char* name, Args... args) {
    auto* function = reinterpret_cast<int (*)(Args...)>(::dlsym(handle_, name));
    return function == nullptr ? -1 : function(args...);
  }
  void* symbol(const char* name) { return ::dlsym(handle_, name); }
  // The handle of card `index`, or nullptr.
  void* card(unsigned index) {
    void* device = nullptr;
    call("nvmlDeviceGetHandleByIndex_v2", index, &device);
    return device;
  }

 private:
  void* handle_;
};

// A machine in a folder of its own, and the environment that points the library at it.
class Testbed {
 public:
  explicit Testbed(std::string_view text) {
    std::string made = (std::filesystem::temp_directory_path() / "estiva-sim-test.XXXXXX").string();
    EXPECT_NE(::mkdtemp(made.data()), nullptr);
    dir = made;
    ParsedScenario parsed = parse_scenario(text);
    EXPECT_FALSE(parsed.problem) << parsed.problem->sentence("text");
    scenario = std::move(parsed.scenario);
    EXPECT_EQ(file.create(dir, scenario), "");
    ::setenv("ESTIVA_SIM_DIR", dir.c_str(), 1);
  }
  ~Testbed() {
    ::unsetenv("ESTIVA_SIM_DIR");
    std::filesystem::remove_all(dir);
  }
  Testbed(const Testbed&) = delete;
  Testbed& operator=(const Testbed&) = delete;

  void does(std::string_view text) {
    const ParsedCommand parsed = parse_command(text, file.state().gpu_count);
    ASSERT_FALSE(parsed.problem) << parsed.problem->sentence("command");
    const Writing writing(file.state());
    const Outcome outcome = apply(file.state(), parsed.command);
    EXPECT_TRUE(outcome.ok) << outcome.why;
  }
  void at(std::int64_t ns) {
    const Writing writing(file.state());
    advance(file.state(), scenario, ns);
  }

  std::string dir;
  Scenario scenario;
  MachineFile file;
};

}  // namespace estiva::sim
