#include "net/server.h"

#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <list>
#include <map>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_set>

#include "base/log.h"
#include "base/messages/net.h"
#include "net/connection.h"
#include "net/socket.h"

namespace estiva::net {
namespace {

// How many connections one turn of the loop accepts, so that a flood does not starve the others.
constexpr int kAcceptBatch = 64;
// After an accept failed for want of descriptors or memory: trying at once would burn the CPU.
constexpr std::chrono::milliseconds kAcceptPause{100};

struct Listener {
  UniqueFd fd;
  ListenOptions options;
  Endpoint endpoint;
  bool remove_file = false;
  std::size_t open = 0;                               // connections that came through it
  std::map<std::string, std::size_t> open_by_client;  // those of clients with a name
  std::shared_ptr<void> watch, pause;
};

void turn_away(int fd) {
  static const std::string kAnswer = [] {
    return fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n"
        "Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{}\n",
        msg::kNetTooManyConnections.size() + 1, msg::kNetTooManyConnections);
  }();
  // Best effort: a fresh socket's buffer takes it, or the client is gone.
  [[maybe_unused]] const ssize_t sent =
      ::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

struct Server::Impl : std::enable_shared_from_this<Server::Impl> {
  Impl(Loop& l, Handler handler, ServerLimits limits)
      : loop(l),
        shared(std::make_shared<ServerShared>(l, std::move(handler), limits)),
        all_done(l) {}

  Result<Endpoint> add(Result<BoundSocket> bound, ListenOptions options, bool remove_file) {
    if (!bound) return Failure(bound.error());
    Listener& one = listeners.emplace_back();
    one.fd = std::move(bound->fd);
    one.options = std::move(options);
    one.endpoint = bound->endpoint;
    one.remove_file = remove_file && one.endpoint.kind == Endpoint::Kind::unix_socket;
    watch(one);
    return one.endpoint;
  }

  void watch(Listener& one) {
    one.pause.reset();
    one.watch = loop.on_readable(one.fd.get(), [this, &one] { accept_some(one); });
  }

  void accept_some(Listener& one) {
    for (int i = 0; i < kAcceptBatch; ++i) {
      UniqueFd fd(accept4(one.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd) {
        try {
          welcome(std::move(fd), one);
        } catch (const std::exception& e) {  // no memory, or no room in epoll: this client only
          log(LogLevel::warning, "a connection could not be set up", {{"reason", e.what()}});
        }
      } else if (errno == EAGAIN) {
        return;
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        return pause(one, errno);
      }
    }
  }

  void pause(Listener& one, int number) {
    log(LogLevel::warning, "can't accept connections for a moment",
        {{"address", to_text(one.endpoint)}, {"reason", std::strerror(number)}});
    one.pause = loop.every(kAcceptPause, [this, &one] {
      // Dropping the handle inside its own call would free the function that runs.
      loop.post([weak = weak_from_this(), &one] {
        if (const auto self = weak.lock(); self && one.pause) self->watch(one);
      });
    });
    one.watch.reset();
  }

  bool is_full(const Listener& one) const {
    return connections.size() >= shared->limits.connections ||
           (one.options.connections > 0 && one.open >= one.options.connections);
  }

  void welcome(UniqueFd fd, Listener& one) {
    ++shared->stats.accepted;
    if (is_full(one)) {
      ++shared->stats.refused;
      return turn_away(fd.get());
    }
    auto peer = identify_peer(fd.get());
    if (!peer) return;  // it hung up already
    std::string client = one.options.client_of ? one.options.client_of(*peer) : std::string();
    if (!client.empty()) {
      const auto known = one.open_by_client.find(client);
      if (known != one.open_by_client.end() && known->second >= one.options.per_client) {
        ++shared->stats.refused;
        return turn_away(fd.get());
      }
    }
    const int on = 1;
    if (one.endpoint.kind == Endpoint::Kind::tcp)
      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (one.options.wrap) fd = one.options.wrap(std::move(fd));
    if (!fd) return;
    auto connection =
        std::make_shared<Connection>(shared, std::move(fd), std::move(*peer), one.options.name);
    connections.insert(connection);
    ++one.open;
    if (!client.empty()) ++one.open_by_client[client];
    loop.spawn(serve(weak_from_this(), std::move(connection), one, std::move(client)));
  }

  // `listener` lives as long as the server, which is asked for before it is touched.
  static Awaitable<void> serve(std::weak_ptr<Impl> weak, std::shared_ptr<Connection> connection,
                               Listener& listener, std::string client) {
    try {
      co_await connection->serve();
    } catch (const std::exception& e) {
      log(LogLevel::error, "a connection failed", {{"reason", e.what()}});
      connection->abort();
    }
    const auto self = weak.lock();
    if (!self) co_return;
    self->connections.erase(connection);
    --listener.open;
    const auto known = listener.open_by_client.find(client);
    if (known != listener.open_by_client.end() && --known->second == 0) {
      listener.open_by_client.erase(known);
    }
    if (self->connections.empty()) self->all_done.notify_all();
  }

  static void close(Listener& one) {
    one.watch.reset();
    one.pause.reset();
    if (one.remove_file && one.fd) unlink(one.endpoint.path.c_str());
    one.fd.reset();
  }

  void stop_listening() {
    shared->stopping = true;
    for (Listener& one : listeners) close(one);
  }

  template <class Condition>
  void abort_if(Condition wanted) {
    const std::vector<std::shared_ptr<Connection>> copy(connections.begin(), connections.end());
    for (const auto& connection : copy)
      if (wanted(*connection)) connection->abort();
  }

  Loop& loop;
  std::shared_ptr<ServerShared> shared;
  std::list<Listener> listeners;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  Notice all_done;
};

Server::Server(Loop& loop, Handler handler, ServerLimits limits)
    : impl_(std::make_shared<Impl>(loop, std::move(handler), limits)) {}

Server::~Server() {
  impl_->stop_listening();
  impl_->abort_if([](const Connection&) { return true; });
}

Result<Endpoint> Server::listen(const Endpoint& where, ListenOptions options) {
  auto bound = open_listener(where, options.unix_mode);
  return impl_->add(std::move(bound), std::move(options), true);
}

Result<Endpoint> Server::adopt(int listening_fd, ListenOptions options) {
  return impl_->add(adopt_listener(listening_fd), std::move(options), false);
}

// The Listener itself stays: its connections count for it.
void Server::stop_listening(const Endpoint& where) {
  for (auto& one : impl_->listeners) {
    if (one.endpoint == where) Impl::close(one);
  }
}

Awaitable<void> Server::stop(std::chrono::milliseconds grace) {
  const std::shared_ptr<Impl> impl = impl_;
  impl->stop_listening();
  impl->abort_if([](const Connection& connection) { return connection.is_idle(); });
  if (!impl->connections.empty()) co_await impl->all_done.wait(grace);
  impl->abort_if([](const Connection&) { return true; });
  // Handlers see the hang-up at once; one that ignores it must not hold up the stop.
  if (!impl->connections.empty()) co_await impl->all_done.wait(std::chrono::milliseconds(200));
}

ServerStats Server::stats() const {
  ServerStats stats = impl_->shared->stats;
  stats.connections = impl_->connections.size();
  return stats;
}

}  // namespace estiva::net
