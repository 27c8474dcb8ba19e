#include "net/peer.h"

#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <string_view>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/messages/net.h"
#include "net/address.h"
#include "net/socket.h"

namespace estiva::net {
namespace {

// glibc 2.36 has pidfd_open, older ones do not; the system call is the same.
int open_pidfd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

constexpr int kPeerPidfd = 77;  // SO_PEERPIDFD, which older headers lack

// Between connect() and accept() a client may end and its number go to another; then the kernel's
// own descriptor is of the client, and it has ended.
Result<ProcessIdentity> pin_peer(int socket_fd, pid_t pid) {
  int raw = -1;
  socklen_t size = sizeof raw;
  if (getsockopt(socket_fd, SOL_SOCKET, kPeerPidfd, &raw, &size) != 0) {
    if (errno == ENOPROTOOPT) return pin_process(pid);
    return fail_errno("reading who connected", errno);
  }
  ProcessIdentity who;
  who.pidfd = std::make_shared<UniqueFd>(raw);
  const auto ticks = read_start_ticks(pid);
  who.pid = pid;
  who.pinned = ticks.has_value();  // /proc may hide other users' processes
  who.start_ticks = ticks.value_or(0);
  if (!is_alive(who))
    return fail(ErrorKind::not_found, fmt::format(fmt::runtime(msg::kNetNoProcess), pid));
  return who;
}

Result<Peer> local_peer(int fd) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return fail_errno("reading who connected", errno);
  Peer peer;
  peer.is_local_socket = true;
  peer.address = fmt::format("unix:pid {}", credentials.pid);
  ProcessIdentity who;
  if (credentials.pid > 0)
    if (auto pinned = pin_peer(fd, credentials.pid)) who = std::move(*pinned);
  who.pid = credentials.pid;
  who.uid = credentials.uid;
  who.gid = credentials.gid;
  peer.process = std::move(who);
  return peer;
}

}  // namespace

std::optional<std::uint64_t> read_start_ticks(pid_t pid) {
  const UniqueFd file(open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  char text[1024];
  const ssize_t size = read(file.get(), text, sizeof text);
  if (size <= 0) return std::nullopt;
  std::string_view rest(text, static_cast<std::size_t>(size));
  // The name in field 2 may hold anything, also ") ": the last parenthesis ends it.
  const std::size_t name_end = rest.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  rest.remove_prefix(name_end + 1);
  for (int field = 3; field <= 22; ++field) {
    const std::size_t start = rest.find_first_not_of(' ');
    if (start == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(start);
    if (field < 22) rest.remove_prefix(std::min(rest.find(' '), rest.size()));
  }
  std::uint64_t ticks = 0;
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), ticks);
  if (ec != std::errc{}) return std::nullopt;
  return ticks;
}

Result<ProcessIdentity> pin_process(pid_t pid) {
  const auto before = read_start_ticks(pid);
  UniqueFd pidfd(open_pidfd(pid));
  const auto after = read_start_ticks(pid);
  if (!before || !pidfd || before != after)
    return fail(ErrorKind::not_found, fmt::format(fmt::runtime(msg::kNetNoProcess), pid));
  ProcessIdentity who;
  who.pid = pid;
  who.pinned = true;
  who.start_ticks = *before;
  who.pidfd = std::make_shared<UniqueFd>(std::move(pidfd));
  return who;
}

bool is_alive(const ProcessIdentity& who) {
  if (!who.pidfd) return false;
  pollfd ended{who.pidfd->get(), POLLIN, 0};
  return poll(&ended, 1, 0) == 0;
}

Result<Peer> identify_peer(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return fail_errno("reading the address of the client", errno);
  if (address.ss_family == AF_UNIX) return local_peer(fd);
  Peer peer;
  peer.address = to_text(endpoint_of(address));
  return peer;
}

}  // namespace estiva::net
