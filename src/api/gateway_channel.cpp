#include "api/gateway_channel.h"

#include <cerrno>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/packets.h"
#include "base/log.h"
#include "base/messages/gateway.h"

namespace estiva::api {
namespace {

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

bool is_trusted(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == geteuid();
}

// A socket file on which nobody answers was left by a program that died.
Result<void> clear_stale(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) != 0) return {};
  if (!S_ISSOCK(info.st_mode)) return fail(fmt::format(msg::kGatewayNoSocket, path));
  const UniqueFd probe = make_packet_socket();
  const sockaddr_un address = address_of(path);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fail(fmt::format(msg::kGatewaySocketInUse, path));
  unlink(path.c_str());
  return {};
}

}  // namespace

// ---- estivad's end ------------------------------------------------------------------------------

struct GatewayListener::Impl {
  Impl(net::Loop& l, std::string p, Handlers h)
      : loop(l), path(std::move(p)), handlers(std::move(h)) {}
  ~Impl() {
    if (peer) peer->abandon();
    if (fd) unlink(path.c_str());
  }

  Result<void> start() {
    if (path.size() >= sizeof(sockaddr_un::sun_path))
      return fail(ErrorKind::usage, fmt::format(msg::kGatewayPathLong, path));
    if (auto cleared = clear_stale(path); !cleared) return cleared;
    UniqueFd made = make_packet_socket();
    const sockaddr_un address = address_of(path);
    fchmod(made.get(), 0600);  // decides the mode of the file that bind makes
    if (!made ||
        bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        chmod(path.c_str(), 0600) != 0 || listen(made.get(), 4) != 0)
      return fail_errno(fmt::format(msg::kGatewayListening, path), errno);
    fd = std::move(made);
    watch = loop.on_readable(fd.get(), [this] { accept_one(); });
    return {};
  }

  void accept_one() {
    UniqueFd one(accept4(fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!one) return;
    if (!is_trusted(one.get())) return log(LogLevel::warning, msg::kGatewayStranger, {});
    widen_packet_socket(one.get());
    if (peer) {
      peer->abandon();
      gone();
    }
    peer = std::make_shared<Packets>(
        loop, std::move(one), [this](std::string_view packet) { return take(packet); },
        [this] { gone(); });
    peer->start();
  }

  bool take(std::string_view packet) {
    auto message = read_from_gateway(packet);
    if (message && !has_hello && !std::holds_alternative<Hello>(*message))
      message = fail(msg::kGatewayNoHello);
    if (!message) {
      log(LogLevel::warning, msg::kGatewayBadPacket, {{"reason", message.error().sentence()}});
      return false;
    }
    has_hello = true;
    if (handlers.said) handlers.said(*message);
    return true;
  }

  void gone() {
    peer.reset();
    if (std::exchange(has_hello, false) && handlers.lost) handlers.lost();
  }

  net::Loop& loop;
  std::string path;
  Handlers handlers;
  UniqueFd fd;
  std::shared_ptr<void> watch;
  std::shared_ptr<Packets> peer;
  bool has_hello = false;
};

GatewayListener::GatewayListener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayListener::~GatewayListener() = default;

Result<std::unique_ptr<GatewayListener>> GatewayListener::open(net::Loop& loop, std::string path,
                                                               Handlers handlers) {
  auto impl = std::make_unique<Impl>(loop, std::move(path), std::move(handlers));
  if (auto started = impl->start(); !started) return Failure(started.error());
  return std::unique_ptr<GatewayListener>(new GatewayListener(std::move(impl)));
}

bool GatewayListener::send(const ToGateway& message) {
  if (!is_connected()) return false;
  impl_->peer->send(to_packet(message));
  return true;
}

bool GatewayListener::is_connected() const {
  return impl_->peer && impl_->has_hello;
}

// ---- the gateway's end --------------------------------------------------------------------------

struct GatewayLink::Impl : std::enable_shared_from_this<GatewayLink::Impl> {
  Impl(net::Loop& l, std::string p, Handlers h)
      : loop(l), path(std::move(p)), handlers(std::move(h)) {}
  ~Impl() {
    if (peer) peer->abandon();
  }

  void connect_now() {
    UniqueFd fd = make_packet_socket();
    const sockaddr_un address = address_of(path);
    if (!fd || connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return try_later();
    if (!is_trusted(fd.get())) {
      log(LogLevel::warning, msg::kGatewayStranger, {{"path", path}});
      return try_later();
    }
    if (pause) loop.post([handle = std::exchange(pause, {})] {});
    peer = std::make_shared<Packets>(
        loop, std::move(fd), [this](std::string_view packet) { return take(packet); },
        [this] { gone(); });
    peer->start();
    peer->send(to_packet(FromGateway(handlers.hello())));
    if (handlers.connected) handlers.connected();
  }

  void try_later() {
    if (!pause) pause = loop.every(kReconnect, [this] { connect_now(); });
  }

  bool take(std::string_view packet) {
    const auto message = read_to_gateway(packet);
    if (message && handlers.said) handlers.said(*message);
    if (!message)
      log(LogLevel::warning, msg::kGatewayBadPacket, {{"reason", message.error().sentence()}});
    return message.has_value();
  }

  void gone() {
    peer.reset();
    if (handlers.lost) handlers.lost();
    try_later();
  }

  net::Loop& loop;
  std::string path;
  Handlers handlers;
  std::shared_ptr<Packets> peer;
  std::shared_ptr<void> pause;
};

GatewayLink::GatewayLink(net::Loop& loop, std::string path, Handlers handlers)
    : impl_(std::make_shared<Impl>(loop, std::move(path), std::move(handlers))) {
  loop.post([weak = impl_->weak_from_this()] {
    if (const auto impl = weak.lock()) impl->connect_now();
  });
}
GatewayLink::~GatewayLink() = default;

void GatewayLink::send(const FromGateway& message) {
  if (impl_->peer) impl_->peer->send(to_packet(message));
}

bool GatewayLink::is_connected() const {
  return impl_->peer != nullptr;
}

}  // namespace estiva::api
