// One daemon a state folder: an flock on DIR/estiva.lock, which also holds the owner's pid for
// whoever is turned away. The kernel drops the lock when the owner dies, however it dies.
#pragma once
#include <utility>

#include "base/error.h"
#include "store/trouble.h"

namespace estiva::store {

class LockFile {
 public:
  // Tries for a quarter of a second: a daemon that was just killed may still be dying.
  static Result<LockFile> take(const Place& place);

  LockFile() = default;
  LockFile(LockFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  LockFile& operator=(LockFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~LockFile();

 private:
  int fd_ = -1;
};

}  // namespace estiva::store
