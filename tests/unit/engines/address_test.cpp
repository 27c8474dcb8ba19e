#include "engines/address.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "host/process.h"
#include "net/socket.h"

namespace estiva::engines {
namespace {

TEST(Address, only_the_port_is_filled_in) {
  EXPECT_EQ(with_port("--port=${PORT}", 8080), "--port=8080");
  EXPECT_EQ(with_port("${PORT}:${PORT}", 1), "1:1");
  EXPECT_EQ(with_port("${HOME} $PORT ${PORT", 1), "${HOME} $PORT ${PORT");
  EXPECT_EQ(with_port("", 1), "");
}

TEST(Address, forms_of_urls) {
  EXPECT_EQ(parse_url("http://127.0.0.1:8080/v1/health?x=1").value(),
            (Url{net::Endpoint::tcp("127.0.0.1", 8080), "/v1/health?x=1"}));
  EXPECT_EQ(parse_url("http://localhost/").value(),
            (Url{net::Endpoint::tcp("localhost", 80), "/"}));
  EXPECT_EQ(parse_url("http://[::1]:9000").value(), (Url{net::Endpoint::tcp("::1", 9000), ""}));
  EXPECT_EQ(parse_url("http://[::1]/x").value(), (Url{net::Endpoint::tcp("::1", 80), "/x"}));
  EXPECT_EQ(parse_url("127.0.0.1:1/y").value(), (Url{net::Endpoint::tcp("127.0.0.1", 1), "/y"}));
  EXPECT_EQ(parse_url("unix:/run/x.sock").value(),
            (Url{net::Endpoint::unix_path("/run/x.sock"), ""}));
}

TEST(Address, what_is_no_url_is_told_with_the_forms) {
  for (const char* wrong : {"", "http://", "http://model.example/", "http://127.0.0.1:99999/x"}) {
    const auto url = parse_url(wrong);
    ASSERT_FALSE(url) << wrong;
    EXPECT_EQ(url.error().kind, ErrorKind::usage);
    EXPECT_NE(url.error().remedy.find("http://ADDRESS:PORT"), std::string::npos) << wrong;
  }
  const auto tls = parse_url("https://api.example/v1");
  ASSERT_FALSE(tls);
  EXPECT_NE(tls.error().what.find("TLS"), std::string::npos);
}

TEST(Address, a_name_keeps_its_port_and_passes_over_those_in_use) {
  const auto all = [](std::uint16_t) { return true; };
  const auto first = choose_port("xtts", all).value();
  EXPECT_EQ(choose_port("xtts", all).value(), first);
  EXPECT_NE(choose_port("f5tts", all).value(), first);
  EXPECT_GE(first, 21'000);
  EXPECT_LT(first, 32'768);
  const auto second = choose_port("xtts", [&](std::uint16_t port) { return port != first; });
  EXPECT_NE(second.value(), first);
  EXPECT_EQ(choose_port("xtts", [&](std::uint16_t port) { return port == 21'000; }).value(),
            21'000);
  EXPECT_FALSE(choose_port("xtts", [](std::uint16_t) { return false; }));
}

TEST(Address, a_listener_is_seen_and_told_to_be_ours) {
  const auto root = host::Root::open().value();
  auto bound = net::open_listener(net::Endpoint::tcp("127.0.0.1", 0), 0).value();
  const auto port = bound.endpoint.port;
  EXPECT_FALSE(is_port_free(port));
  EXPECT_TRUE(accepts(bound.endpoint));
  const Member ourselves{::getpid(), host::start_ticks_of(root, ::getpid()).value()};
  const Member other{::getppid(), host::start_ticks_of(root, ::getppid()).value()};
  EXPECT_EQ(is_listener(root, {ourselves}, port), true);
  EXPECT_EQ(is_listener(root, {other, ourselves}, port), true);
  EXPECT_EQ(is_listener(root, {other}, port), false);
  EXPECT_EQ(is_listener(root, {}, port), std::nullopt);
  bound.fd.reset();
  EXPECT_TRUE(is_port_free(port));
  EXPECT_FALSE(accepts(bound.endpoint));
  EXPECT_EQ(is_listener(root, {ourselves}, port), std::nullopt);
}

}  // namespace
}  // namespace estiva::engines
