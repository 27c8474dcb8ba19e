// Real children and GPU views for the daemon's tests.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <signal.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "gpu/sensor_view.h"

namespace estiva::daemon {

// A child that waits to be killed; it is killed and reaped at the end.
class Child {
 public:
  // `anew`: another program, which holds none of our descriptors (the lock of a store is one).
  explicit Child(bool anew = false) {
    pid_ = ::fork();
    if (pid_ == 0) {
      if (anew) ::execl("/bin/sleep", "sleep", "1000000", nullptr);
      while (true) ::pause();
    }
  }
  ~Child() { end(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  pid_t pid() const { return pid_; }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "estiva-daemon-XXXXXX";
    path_ = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline Gpu gpu_with(unsigned index, Bytes total, Bytes used, std::vector<GpuProcess> processes) {
  Gpu gpu;
  gpu.identity.index = index;
  gpu.identity.id.uuid = "GPU-" + std::to_string(index);
  gpu.identity.name = "Test GPU";
  gpu.sample.memory = GpuMemory{total, used, total - used, {}, true};
  gpu.sample.utilization = Ratio{0.1};
  gpu.sample.processes = std::move(processes);
  return gpu;
}

inline GpuProcess process_of(pid_t pid, Bytes used) {
  GpuProcess process;
  process.pid = pid;
  process.used = used;
  process.compute = true;
  return process;
}

}  // namespace estiva::daemon
