#include "net/socket.h"

#include <arpa/inet.h>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/messages/net.h"

namespace estiva::net {
namespace {

template <class... Args>
std::string say(std::string_view form, const Args&... args) {
  return fmt::format(fmt::runtime(form), args...);
}

// Only a socket file that refuses connections is removed: it was left by a program that died.
Result<void> clear_stale_socket(const Endpoint& where) {
  struct stat info {};
  if (lstat(where.path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode))
    return fail(say(msg::kNetNotASocket, where.path), std::string(msg::kNetNotASocketRemedy));
  const UniqueFd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const SocketAddress address = to_sockaddr(where);
  const int connected =
      connect(probe.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size);
  if (connected != 0 && errno == ECONNREFUSED) {
    unlink(where.path.c_str());
    return {};
  }
  return fail(say(msg::kNetSocketInUse, to_text(where)), std::string(msg::kNetSocketInUseRemedy));
}

Failure listen_failure(const Endpoint& where, int number) {
  if (number == EADDRINUSE && where.kind == Endpoint::Kind::tcp)
    return fail(say(msg::kNetPortInUse, where.port, port_holder(where.port)),
                say(msg::kNetPortInUseRemedy, where.host));
  const bool privileged = number == EACCES && where.kind == Endpoint::Kind::tcp;
  return fail_errno(say(msg::kNetListen, to_text(where)), number,
                    privileged ? std::string(msg::kNetPrivilegedPort) : "");
}

}  // namespace

SocketAddress to_sockaddr(const Endpoint& endpoint) {
  SocketAddress out;
  if (endpoint.kind == Endpoint::Kind::unix_socket) {
    auto& address = reinterpret_cast<sockaddr_un&>(out.storage);
    address.sun_family = AF_UNIX;
    endpoint.path.copy(address.sun_path, sizeof address.sun_path - 1);
    out.size = sizeof address;
  } else if (endpoint.host.find(':') != std::string::npos) {
    auto& address = reinterpret_cast<sockaddr_in6&>(out.storage);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(endpoint.port);
    inet_pton(AF_INET6, endpoint.host.c_str(), &address.sin6_addr);
    out.size = sizeof address;
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(out.storage);
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    const std::string host = endpoint.host == "localhost" ? "127.0.0.1" : endpoint.host;
    inet_pton(AF_INET, host.c_str(), &address.sin_addr);
    out.size = sizeof address;
  }
  return out;
}

Endpoint endpoint_of(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = "";
  if (storage.ss_family == AF_UNIX)
    return Endpoint::unix_path(reinterpret_cast<const sockaddr_un&>(storage).sun_path);
  if (storage.ss_family == AF_INET6) {
    const auto& address = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof text);
    return Endpoint::tcp(text, ntohs(address.sin6_port));
  }
  const auto& address = reinterpret_cast<const sockaddr_in&>(storage);
  inet_ntop(AF_INET, &address.sin_addr, text, sizeof text);
  return Endpoint::tcp(text, ntohs(address.sin_port));
}

Result<Endpoint> local_endpoint(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return fail_errno("reading the address of a socket", errno);
  return endpoint_of(address);
}

Result<BoundSocket> open_listener(const Endpoint& where, mode_t unix_mode) {
  const SocketAddress address = to_sockaddr(where);
  const bool local = where.kind == Endpoint::Kind::unix_socket;
  if (local)
    if (auto cleared = clear_stale_socket(where); !cleared) return Failure(cleared.error());
  UniqueFd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return listen_failure(where, errno);
  const int on = 1;
  if (!local) setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.storage.ss_family == AF_INET6)
    setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  // The file must never exist with wider permissions than asked for: fchmod on the socket before
  // bind decides the mode of the file that bind creates (Linux: unix(7), with umask applied).
  if (local) fchmod(fd.get(), unix_mode);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0)
    return listen_failure(where, errno);
  if (local && chmod(where.path.c_str(), unix_mode) != 0) return listen_failure(where, errno);
  if (::listen(fd.get(), SOMAXCONN) != 0) return listen_failure(where, errno);
  auto endpoint = local ? Result<Endpoint>(where) : local_endpoint(fd.get());
  if (!endpoint) return Failure(endpoint.error());
  return BoundSocket{std::move(fd), std::move(*endpoint)};
}

Result<BoundSocket> adopt_listener(int number) {
  UniqueFd fd(number);
  int listening = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
    return fail(say(msg::kNetNotListening, number), std::string(msg::kNetCheckUnit));
  fcntl(number, F_SETFD, FD_CLOEXEC);
  fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK);
  auto endpoint = local_endpoint(number);
  if (!endpoint) return Failure(endpoint.error());
  return BoundSocket{std::move(fd), std::move(*endpoint)};
}

Failure connect_failure(const Endpoint& to, int number) {
  if (number == ECONNREFUSED || number == ENOENT)
    return fail(ErrorKind::not_found, say(msg::kNetNobodyThere, to_text(to)),
                std::string(msg::kNetIsItRunning));
  if (number == EACCES || number == EPERM)
    return fail(ErrorKind::denied, say(msg::kNetNoPermission, to_text(to)),
                std::string(msg::kNetNoPermissionRemedy));
  return fail_errno(say(msg::kNetConnect, to_text(to)), number);
}

Result<UniqueFd> start_connect(const Endpoint& to) {
  const SocketAddress address = to_sockaddr(to);
  UniqueFd fd(socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return connect_failure(to, errno);
  const int on = 1;
  if (to.kind == Endpoint::Kind::tcp)
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 &&
      errno != EINPROGRESS)
    return connect_failure(to, errno);
  return fd;
}

Result<void> connect_result(int fd, const Endpoint& to) {
  int number = 0;
  socklen_t size = sizeof number;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) number = errno;
  if (number != 0) return connect_failure(to, number);
  return {};
}

}  // namespace estiva::net
