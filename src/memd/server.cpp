#include "memd/server.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/messages/memd.h"

namespace estiva::memd {

Result<void> Server::listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail(fmt::format(msg::kMemdNoSocket, path, std::strerror(ENAMETOOLONG)));
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  listener_.reset(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  unlink(path.c_str());
  const mode_t mask = umask(0177);
  const int bound =
      bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  umask(mask);
  if (bound != 0 || ::listen(listener_.get(), kMostClients) != 0)
    return fail(fmt::format(msg::kMemdNoSocket, path, std::strerror(errno)));
  return {};
}

std::array<pollfd, kMostClients + 1> Server::waits() const noexcept {
  std::array<pollfd, kMostClients + 1> out{};
  out[0] = {listener_.get(), POLLIN, 0};
  for (std::size_t i = 0; i < kMostClients; ++i) out[i + 1] = {clients_[i].get(), POLLIN, 0};
  return out;
}

void Server::accept() noexcept {
  UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client) return;
  for (UniqueFd& place : clients_) {
    if (place) continue;
    place = std::move(client);
    return;
  }
}

bool Server::take(std::size_t client, Request& request) noexcept {
  char message[sizeof(Header) + sizeof(PolicyRow)];
  const ssize_t n = recv(clients_[client].get(), message, sizeof message, MSG_TRUNC);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  const auto size = static_cast<std::size_t>(n < 0 ? 0 : n);
  if (size >= sizeof(Header)) std::memcpy(&request.header, message, sizeof(Header));
  const bool has_policy = request.header.kind == Kind::policy;
  const std::size_t wanted = sizeof(Header) + (has_policy ? sizeof(PolicyRow) : 0);
  if (size != wanted || request.header.magic != kMagic ||
      request.header.version != kProtocolVersion) {
    clients_[client].reset();
    return false;
  }
  if (has_policy) std::memcpy(&request.policy, message + sizeof(Header), sizeof(PolicyRow));
  request.client = client;
  return true;
}

void Server::answer(const Request& to, Kind kind, std::uint32_t argument,
                    std::span<const std::byte> rows, std::uint32_t count) noexcept {
  Header header;
  header.kind = kind;
  header.id = to.header.id;
  header.argument = argument;
  header.count = count;
  send_to(to.client, header, rows);
}

void Server::tell(const EventRow& event) noexcept {
  Header header;
  header.kind = Kind::event;
  header.count = 1;
  for (std::size_t i = 0; i < kMostClients; ++i)
    if (clients_[i]) send_to(i, header, std::as_bytes(std::span(&event, 1)));
}

void Server::send_to(std::size_t client, const Header& header,
                     std::span<const std::byte> rows) noexcept {
  iovec parts[2] = {{const_cast<Header*>(&header), sizeof header},
                    {const_cast<std::byte*>(rows.data()), rows.size()}};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = rows.empty() ? 1 : 2;
  if (sendmsg(clients_[client].get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) ++lost_;
}

}  // namespace estiva::memd
