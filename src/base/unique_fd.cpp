#include "base/unique_fd.h"

#include <cerrno>
#include <unistd.h>

namespace estiva {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) {
    const int before = errno;
    ::close(fd_);  // never tried again: Linux has closed it even on EINTR
    errno = before;
  }
  fd_ = fd;
}

}  // namespace estiva
