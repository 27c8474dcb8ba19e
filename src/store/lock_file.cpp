#include "store/lock_file.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/messages/store.h"

namespace estiva::store {
namespace {

constexpr int kTries = 10;
constexpr timespec kPause = {0, 25'000'000};

std::string owner_of(int fd) {
  char text[16] = {};
  const ssize_t size = pread(fd, text, sizeof text - 1, 0);
  const int pid = size > 0 ? atoi(text) : 0;
  return pid > 0 ? fmt::format("process {}", pid) : std::string("of unknown pid");
}

Error locked_error(const Place& place, int fd) {
  return {ErrorKind::refused,
          fmt::format(msg::kStoreLocked, fmt::arg("who", owner_of(fd)), fmt::arg("dir", place.dir)),
          msg::kStoreLockedRemedy};
}

// The pid is for people; the lock itself does not need it, so a full disk is no reason to fail.
void write_owner(int fd) {
  const std::string text = fmt::format("{}\n", getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) < 0) return;
}

}  // namespace

Result<LockFile> LockFile::take(const Place& place) {
  LockFile lock;
  const std::string path = place.dir + "/estiva.lock";
  lock.fd_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock.fd_ < 0) return Failure(folder_error(place, "written", errno));
  for (int i = 0; i < kTries; ++i) {
    if (flock(lock.fd_, LOCK_EX | LOCK_NB) == 0) {
      write_owner(lock.fd_);
      return lock;
    }
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return Failure(folder_error(place, "locked", errno));
    }
    nanosleep(&kPause, nullptr);
  }
  return Failure(locked_error(place, lock.fd_));
}

LockFile::~LockFile() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace estiva::store
