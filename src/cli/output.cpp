#include "cli/output.h"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

#include "base/messages/cli.h"

namespace estiva::cli {

Result<void> FileOutput::write(std::string_view text) {
  while (!text.empty() && !closed_) {
    const ssize_t count = ::write(fd_, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EPIPE) {
      closed_ = true;
    } else if (errno == EAGAIN) {  // the other end made the pipe non-blocking: wait for room
      pollfd room{fd_, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return fail_errno(msg::cli::kWriting, errno, std::string(msg::cli::kWritingRemedy));
    }
  }
  return {};
}

}  // namespace estiva::cli
