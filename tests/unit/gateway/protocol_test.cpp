// What estivad and the gateway say to each other comes out as it went in; what is malformed is
// named.
#include <gtest/gtest.h>

#include "api/gateway_protocol.h"

namespace estiva::api {
namespace {

template <class Message>
Message through(const Message& message) {
  using Side =
      std::conditional_t<std::is_constructible_v<ToGateway, Message>, ToGateway, FromGateway>;
  const std::string packet = to_packet(Side(message));
  if constexpr (std::is_same_v<Side, ToGateway>) {
    return std::get<Message>(read_to_gateway(packet).value());
  } else {
    return std::get<Message>(read_from_gateway(packet).value());
  }
}

TEST(GatewayProtocol, RoutesAndKeysComeThroughWhole) {
  Routes routes;
  routes.routes.push_back({"org/m:1", {"a", "é\"\n"}, "vllm", "M", 4, 7, 1'000'000'000'000});
  routes.routes.push_back({"b", {}, "process", "", 0, 1024, 0});
  routes.keys.push_back({"k", std::string(64, 'a'), "use", 100, 3, {"a", "b"}, 20'000, 17});
  routes.listen = {{"172.17.0.1:7701", "", ""}, {"10.0.0.1:7701", "/c", "/k"}};
  routes.hosts = {"box.lan"};
  routes.listens_only = true;
  const Routes again = through(routes);
  EXPECT_EQ(again.routes, routes.routes);
  EXPECT_EQ(again.keys, routes.keys);
  EXPECT_EQ(again.listen, routes.listen);
  EXPECT_EQ(again.hosts, routes.hosts);
  EXPECT_TRUE(again.listens_only);
}

TEST(GatewayProtocol, EachMessageComesThroughWhole) {
  const OpenModel open = through(OpenModel{"a", 1ULL << 60, "unix:/x", "/p", "b"});
  EXPECT_EQ(open.generation, 1ULL << 60);
  EXPECT_EQ(open.endpoint + open.path_prefix + open.bearer, "unix:/x/pb");
  EXPECT_EQ(through(CloseModel{"a", 2, "why"}).why, "why");
  EXPECT_EQ(through(CutModel{"a", 3, "why"}).generation, 3u);
  const RefuseTicket refuse = through(RefuseTicket{9, 504, "w", "r", 0.0});
  EXPECT_EQ(refuse.status, 504);
  EXPECT_EQ(refuse.retry_after_seconds, 0.0);
  EXPECT_EQ(through(RefuseTicket{9, 503, "w", "r", {}}).retry_after_seconds, std::nullopt);
  EXPECT_EQ(through(QueuePlace{1, 2, 3.5, 4.25, "why"}).bound_seconds, 4.25);
  Hello hello;
  hello.pid = 17;
  hello.open = {{"a", 4, 2}, {"b", 0, 0}};
  const Hello again = through(hello);
  EXPECT_EQ(again.pid, 17);
  ASSERT_EQ(again.open.size(), 2u);
  EXPECT_EQ(again.open[0].in_flight, 2u);
  EXPECT_EQ(through(WantModel{5, "m", -3, 77}).priority, -3);
  EXPECT_EQ(through(LeaveQueue{6}).ticket, 6u);
  EXPECT_EQ(through(UseOfModel{"m", 1, 2, 3, 4}).failed, 4u);
  EXPECT_EQ(through(ClosedModel{"m", 1, 2}).in_flight, 2u);
  const UseOfKey use = through(UseOfKey{"k", 1, 2, 3, 4, 5, 6});
  EXPECT_EQ(use.refused + use.bytes_out, 6u);
  EXPECT_EQ(use.day, 5);
  EXPECT_EQ(use.today, 6u);
  EXPECT_EQ(through(ListensOn{"a:1", "why"}).problem, "why");
}

TEST(GatewayProtocol, WhatIsMalformedIsRefusedAndNamed) {
  for (const std::string_view packet :
       {"", "{", "[]", "{}", R"({"kind":3})", R"({"kind":"nothing"})", R"({"kind":"hello"} x)",
        R"({"kind":"open","generation":-1})", R"({"kind":"open","model":3})",
        R"({"kind":"routes","routes":[3]})", R"({"kind":"refuse","status":"x"})",
        R"({"kind":"routes","routes":[{"parallel":4294967296}]})"}) {
    EXPECT_FALSE(read_to_gateway(packet)) << packet;
    EXPECT_FALSE(read_from_gateway(packet)) << packet;
  }
  EXPECT_FALSE(read_to_gateway(R"({"kind":"hello","protocol":1})"));  // the other direction's
  const auto wrong = read_to_gateway(R"({"kind":"open","generation":"x"})");
  EXPECT_NE(wrong.error().what.find("generation"), std::string::npos);
  EXPECT_FALSE(read_to_gateway(std::string(kMostPacket + 1, ' ')));
}

TEST(GatewayProtocol, AnotherVersionIsRefusedWithBothNumbers) {
  const auto hello = read_from_gateway(R"({"kind":"hello","protocol":2})");
  ASSERT_FALSE(hello);
  EXPECT_NE(hello.error().what.find("version 2"), std::string::npos);
  EXPECT_FALSE(read_from_gateway(R"({"kind":"hello"})"));
}

}  // namespace
}  // namespace estiva::api
