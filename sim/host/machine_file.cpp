// Making and removing DIR/machine.
#include "sim/host/machine_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace estiva::sim {

MachineFile::~MachineFile() {
  if (state_ != nullptr) ::munmap(state_, sizeof(State));
  if (!path_.empty()) ::unlink(path_.c_str());
}

std::string MachineFile::create(const std::string& dir, const Scenario& scenario) {
  if (::mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST) {
    return "making the folder " + dir + ": " + std::strerror(errno);
  }
  const std::string path = dir + "/machine", fresh = path + ".new";
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) return "making " + fresh + ": " + std::strerror(errno);
  void* at = MAP_FAILED;
  if (::ftruncate(fd, sizeof(State)) == 0) {
    at = ::mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  ::close(fd);
  if (at == MAP_FAILED) return "mapping " + fresh + ": " + std::strerror(errno);
  state_ = static_cast<State*>(at);
  build(*state_, scenario);
  state_->host_pid = ::getpid();
  if (::rename(fresh.c_str(), path.c_str()) != 0)
    return "naming " + path + ": " + std::strerror(errno);
  path_ = path;
  return {};
}

}  // namespace estiva::sim
