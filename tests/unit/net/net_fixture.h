// A server on a loop in a thread of its own, and raw sockets to talk to it byte by byte.
#pragma once
#include <atomic>
#include <filesystem>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "net/fetch.h"
#include "net/server.h"
#include "net/socket.h"

namespace estiva::net {

using namespace std::chrono_literals;

// Longest a test waits for something that must happen: generous, it only detects hangs.
inline constexpr std::chrono::milliseconds kHang{20'000};

inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 4000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

class TempDir {
 public:
  TempDir() {
    char name[] = "/tmp/estiva-net-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

// Runs a loop in a thread; `setup` and `teardown` run there too.
class LoopThread {
 public:
  LoopThread()
      : thread_([this] {
          keep_ = loop.every(50ms, [] {});
          loop.run();
        }) {}
  ~LoopThread() { end(); }
  void end() {
    if (!thread_.joinable()) return;
    loop.post([this] { keep_.reset(); });
    loop.stop();
    thread_.join();
  }
  // Runs `work` on the loop and waits for it.
  void on_loop(const std::function<void()>& work) {
    std::atomic<bool> done = false;
    loop.post([&] {
      work();
      done = true;
    });
    ASSERT_TRUE(eventually([&] { return done.load(); }));
  }
  // Runs a coroutine on the loop to its end.
  void run(Awaitable<void> work) {
    std::atomic<bool> done = false;
    loop.post([&] { loop.spawn(wrap(std::move(work), done)); });
    ASSERT_TRUE(eventually([&] { return done.load(); }));
  }
  Loop loop;

 private:
  static Awaitable<void> wrap(Awaitable<void> work, std::atomic<bool>& done) {
    co_await std::move(work);
    done = true;
  }
  std::shared_ptr<void> keep_;
  std::thread thread_;
};

class TestServer {
 public:
  explicit TestServer(Handler handler, ServerLimits limits = {},
                      Endpoint where = Endpoint::tcp("127.0.0.1", 0)) {
    thread.on_loop([&] {
      server = std::make_unique<Server>(thread.loop, std::move(handler), limits);
      auto bound = server->listen(where, {.name = "test"});
      ASSERT_TRUE(bound) << bound.error().sentence();
      endpoint = *bound;
    });
  }
  ~TestServer() {
    if (server) thread.on_loop([&] { server.reset(); });
    thread.end();
  }
  ServerStats stats() {
    ServerStats out;
    thread.on_loop([&] { out = server->stats(); });
    return out;
  }
  LoopThread thread;
  std::unique_ptr<Server> server;
  Endpoint endpoint;
};

// A blocking raw connection.
class Raw {
 public:
  explicit Raw(const Endpoint& to) {
    auto fd = start_connect(to);
    if (!fd) return;
    fd_ = std::move(*fd);
    pollfd query{fd_.get(), POLLOUT, 0};
    poll(&query, 1, 5000);
  }
  // Returns how many bytes the other side took before it broke off or `patience` passed.
  std::size_t send(std::string_view text, std::chrono::milliseconds patience = kHang) {
    std::size_t total = 0;
    while (total < text.size()) {
      pollfd query{fd_.get(), POLLOUT, 0};
      if (poll(&query, 1, static_cast<int>(patience.count())) <= 0) break;
      const ssize_t n = ::send(fd_.get(), text.data() + total, text.size() - total, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN) break;
      if (n > 0) total += static_cast<std::size_t>(n);
    }
    return total;
  }
  // Reads until `stop` says that it is enough, the end, or `patience` without a byte.
  std::string read_until(const std::function<bool(const std::string&)>& stop,
                         std::chrono::milliseconds patience = kHang) {
    std::string all;
    char piece[65536];
    while (!stop(all)) {
      pollfd query{fd_.get(), POLLIN, 0};
      if (poll(&query, 1, static_cast<int>(patience.count())) <= 0) break;
      const ssize_t n = recv(fd_.get(), piece, sizeof piece, 0);
      if (n <= 0) {
        ended = true;
        break;
      }
      all.append(piece, static_cast<std::size_t>(n));
    }
    return all;
  }
  std::string read_all() {
    return read_until([](const std::string&) { return false; });
  }
  std::string read_to(std::string_view text) {
    return read_until([&](const std::string& s) { return s.find(text) != std::string::npos; });
  }
  void half_close() { shutdown(fd_.get(), SHUT_WR); }
  void close() { fd_.reset(); }
  int fd() const { return fd_.get(); }
  bool ended = false;

 private:
  UniqueFd fd_;
};

inline Handler echo() {
  return [](Exchange& exchange) -> Awaitable<void> {
    auto body = co_await exchange.read_body(std::size_t{64} << 20);
    Response response;
    if (!body) {
      response.status = 413;
      response.body = body.error().what;
    } else {
      response.body = exchange.request().method + " " + exchange.request().target + " " + *body;
    }
    co_await exchange.respond(std::move(response));
  };
}

inline std::size_t occurrences(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
    ++n;
  return n;
}

}  // namespace estiva::net
