// Both ends of the socket between estivad and the gateway, on one loop.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "api/gateway_channel.h"
#include "unit/net/net_fixture.h"

namespace estiva::api {
namespace {

using namespace std::chrono_literals;

struct Pair {
  net::Loop loop;
  net::TempDir dir;
  std::string path = dir / "gateway.sock";
  std::vector<FromGateway> from;
  std::vector<ToGateway> to;
  int connected = 0, gone = 0, lost = 0;
  std::unique_ptr<GatewayListener> listener;
  std::unique_ptr<GatewayLink> link;

  void listen() {
    auto made = GatewayListener::open(
        loop, path, {[this](const FromGateway& m) { from.push_back(m); }, [this] { ++gone; }});
    ASSERT_TRUE(made) << made.error().sentence();
    listener = std::move(*made);
  }
  std::unique_ptr<GatewayLink> make_link() {
    GatewayLink::Handlers handlers;
    handlers.hello = [] { return Hello{kGatewayProtocol, 1, {{"m", 2, 3}}}; };
    handlers.connected = [this] { ++connected; };
    handlers.said = [this](const ToGateway& m) { to.push_back(m); };
    handlers.lost = [this] { ++lost; };
    return std::make_unique<GatewayLink>(loop, path, std::move(handlers));
  }
  bool until(const std::function<bool()>& condition) {
    for (int i = 0; i < 4000 && !condition(); ++i) loop.run_for(5ms);
    return condition();
  }
};

TEST(GatewayChannel, HelloComesFirstAndPacketsKeepTheirOrder) {
  Pair pair;
  pair.listen();
  EXPECT_FALSE(pair.listener->send(CutModel{}));
  pair.link = pair.make_link();
  ASSERT_TRUE(pair.until([&] { return pair.listener->is_connected(); }));
  EXPECT_EQ(std::get<Hello>(pair.from.at(0)).open.at(0).in_flight, 3u);
  // Far more than the socket holds, both ways at once.
  for (std::uint64_t i = 0; i < 5000; ++i) {
    EXPECT_TRUE(pair.listener->send(CloseModel{"m", i, std::string(i % 300, 'w')}));
    pair.link->send(LeaveQueue{i});
  }
  ASSERT_TRUE(pair.until([&] { return pair.to.size() == 5000 && pair.from.size() == 5001; }));
  for (std::uint64_t i = 0; i < 5000; ++i) {
    EXPECT_EQ(std::get<CloseModel>(pair.to[i]).generation, i);
    EXPECT_EQ(std::get<LeaveQueue>(pair.from[i + 1]).ticket, i);
  }
}

TEST(GatewayChannel, AFullTableOfRoutesFitsIntoOnePacket) {
  Pair pair;
  pair.listen();
  pair.link = pair.make_link();
  ASSERT_TRUE(pair.until([&] { return pair.listener->is_connected(); }));
  Routes routes;
  while (to_packet(ToGateway(routes)).size() < kMostPacket - 2000)
    for (int i = 0; i < 10; ++i)
      routes.routes.push_back({std::string(90, 'm'), {}, "process", {}, 0, 1024, 0});
  EXPECT_TRUE(pair.listener->send(routes));
  ASSERT_TRUE(pair.until([&] { return pair.to.size() == 1; }));
  EXPECT_EQ(std::get<Routes>(pair.to[0]).routes.size(), routes.routes.size());
}

TEST(GatewayChannel, TheGatewayComesBackByItself) {
  Pair pair;
  pair.link = pair.make_link();  // nobody listens yet
  pair.loop.run_for(20ms);
  for (int round = 1; round <= 3; ++round) {
    pair.listen();
    const SteadyTime started = steady_now();
    ASSERT_TRUE(pair.until([&] { return pair.listener->is_connected(); }));
    EXPECT_LT(steady_now() - started, 5s);
    EXPECT_EQ(pair.connected, round);
    pair.listener.reset();
    ASSERT_TRUE(pair.until([&] { return pair.lost == round; }));
    EXPECT_FALSE(pair.link->is_connected());
    pair.link->send(LeaveQueue{1});  // to nobody
  }
}

TEST(GatewayChannel, ANewGatewayReplacesTheOld) {
  Pair pair;
  pair.listen();
  auto old = pair.make_link();
  ASSERT_TRUE(pair.until([&] { return pair.listener->is_connected(); }));
  old.reset();
  ASSERT_TRUE(pair.until([&] { return pair.gone == 1; }));
  EXPECT_FALSE(pair.listener->is_connected());
  pair.link = pair.make_link();
  ASSERT_TRUE(pair.until([&] { return pair.listener->is_connected(); }));
}

TEST(GatewayChannel, APeerThatDoesNotReadIsGivenUp) {
  Pair pair;
  pair.listen();
  const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  const UniqueFd owner(fd);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  pair.path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string hello = to_packet(FromGateway(Hello{}));
  ASSERT_EQ(send(fd, hello.data(), hello.size(), 0), static_cast<ssize_t>(hello.size()));
  ASSERT_TRUE(pair.until([&] { return pair.listener->is_connected(); }));
  for (std::size_t i = 0; i < 2 * kMostQueuedPackets; ++i)
    pair.listener->send(CutModel{"m", i, {}});
  EXPECT_TRUE(pair.until([&] { return pair.gone == 1; }));
}

TEST(GatewayChannel, WhatIsNoPacketOfOursEndsTheConnection) {
  for (const std::string& text : {std::string("x"), to_packet(FromGateway(LeaveQueue{1})),
                                  std::string(R"({"kind":"hello","protocol":99})")}) {
    Pair pair;
    pair.listen();
    const UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    pair.path.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_GT(send(fd.get(), text.data(), text.size(), 0), 0);
    char byte = 0;
    EXPECT_TRUE(pair.until([&] { return recv(fd.get(), &byte, 1, MSG_DONTWAIT) == 0; })) << text;
    EXPECT_FALSE(pair.listener->is_connected());
    EXPECT_EQ(pair.from.size(), 0u);
  }
}

TEST(GatewayChannel, TheSocketIsOursAloneAndADeadOneIsReplaced) {
  Pair pair;
  pair.listen();
  struct stat info {};
  ASSERT_EQ(lstat(pair.path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_FALSE(GatewayListener::open(pair.loop, pair.path, {}));  // somebody listens
  const std::string dead = pair.dir / "dead.sock";
  {
    const UniqueFd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    dead.copy(address.sun_path, sizeof address.sun_path - 1);
    ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  EXPECT_TRUE(GatewayListener::open(pair.loop, dead, {}));
  const std::string file = pair.dir / "file";
  close(open(file.c_str(), O_CREAT | O_WRONLY, 0600));
  EXPECT_FALSE(GatewayListener::open(pair.loop, file, {}));
  EXPECT_EQ(lstat(file.c_str(), &info), 0);
}

}  // namespace
}  // namespace estiva::api
