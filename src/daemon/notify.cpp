#include "daemon/notify.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace estiva::daemon {
namespace {

constexpr int kFirstPassed = 3;  // SD_LISTEN_FDS_START of sd_listen_fds(3)
constexpr unsigned kMaxPassed = 16;

unsigned long long number_of(const char* text) {
  unsigned long long number = 0;
  if (text == nullptr) return 0;
  const char* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, number);
  return error == std::errc() && rest == end ? number : 0;
}

bool meant_for_us(const char* pid_text) {
  return pid_text == nullptr || number_of(pid_text) == static_cast<unsigned long long>(::getpid());
}

}  // namespace

Result<void> notify(std::string_view state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || *path == '\0') return {};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t length = std::strlen(path);
  if (length >= sizeof address.sun_path) return fail("NOTIFY_SOCKET is longer than a socket name");
  std::memcpy(address.sun_path, path, length);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return fail_errno("opening a socket for the service manager", errno);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const auto sent = ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&address), size);
  const int number = errno;
  ::close(fd);
  if (sent < 0) return fail_errno(std::string("telling the service manager at ") + path, number);
  return {};
}

std::chrono::microseconds watchdog_interval() {
  if (!meant_for_us(std::getenv("WATCHDOG_PID"))) return {};
  return std::chrono::microseconds(number_of(std::getenv("WATCHDOG_USEC")) / 2);
}

std::vector<PassedSocket> take_passed_sockets() {
  std::vector<PassedSocket> passed;
  const char* pid = std::getenv("LISTEN_PID");
  if (pid == nullptr || !meant_for_us(pid)) return passed;
  const auto count = number_of(std::getenv("LISTEN_FDS"));
  static std::string names;
  if (const char* given = std::getenv("LISTEN_FDNAMES")) names = given;
  std::string_view rest = names;
  for (unsigned i = 0; i < count && i < kMaxPassed; ++i) {
    const int fd = kFirstPassed + static_cast<int>(i);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    const std::size_t colon = rest.find(':');
    passed.push_back({fd, rest.substr(0, colon)});
    rest = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon + 1);
  }
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_FDNAMES");
  return passed;
}

}  // namespace estiva::daemon
