// TLS in front of a server: files that can't be used, a certificate that is renewed, and clients
// that never shake hands. What real clients make of it is tests/e2e/gateway_tls_test.py.
#include "net/tls.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>

#include "net_fixture.h"

namespace estiva::net {
namespace {

class Tls : public testing::Test {
 protected:
  // OpenSSL's own program makes the files.
  TlsFiles make(const std::string& name, const std::string& more = "-nodes") {
    TlsFiles files{folder_ / (name + ".pem"), folder_ / (name + ".key")};
    const std::string command = fmt::format(
        "openssl req -x509 -newkey rsa:2048 -days 2 -subj /CN={} {} -out {} -keyout {} 2>/dev/null",
        name, more, files.certificate, files.private_key);
    EXPECT_EQ(std::system(command.c_str()), 0);
    return files;
  }
  ErrorKind refused(TlsFiles files) {
    const auto front = TlsFront::open(loop_, std::move(files));
    EXPECT_FALSE(front);
    return front ? ErrorKind::failed : front.error().kind;
  }

  TempDir folder_;
  Loop loop_;
};

TEST_F(Tls, FilesThatCanNotBeUsedAreNamed) {
  const TlsFiles good = make("good"), other = make("other"),
                 locked = make("locked", "-passout pass:secret");
  EXPECT_TRUE(TlsFront::open(loop_, good));
  EXPECT_EQ(refused({good.certificate, other.private_key}), ErrorKind::refused);
  EXPECT_EQ(refused(locked), ErrorKind::refused);
  EXPECT_EQ(refused({good.private_key, good.private_key}), ErrorKind::refused);
  EXPECT_EQ(refused({"/nowhere", good.private_key}), ErrorKind::refused);
  EXPECT_FALSE(TlsFront::open(loop_, {good.certificate, "/nowhere"}));
  std::filesystem::permissions(good.private_key, std::filesystem::perms(0644));
  const auto open = TlsFront::open(loop_, good);
  ASSERT_FALSE(open);
  EXPECT_NE(open.error().what.find(good.private_key), std::string::npos);
}

TEST_F(Tls, ARenewedCertificateIsReadOnceAndABadOneIsNotTaken) {
  const TlsFiles files = make("now");
  const auto front = TlsFront::open(loop_, files).value();
  EXPECT_FALSE(front->reload_if_changed().value());
  const TlsFiles next = make("next");
  std::filesystem::rename(next.certificate, files.certificate);
  EXPECT_FALSE(front->reload_if_changed());          // the key is still the old one's
  EXPECT_FALSE(front->reload_if_changed().value());  // said once
  std::filesystem::rename(next.private_key, files.private_key);
  EXPECT_TRUE(front->reload_if_changed().value());
  EXPECT_FALSE(front->reload_if_changed().value());
}

TEST_F(Tls, WhoNeverShakesHandsIsLetGo) {
  const auto front = TlsFront::open(loop_, make("a"), {100ms, 30s}).value();
  bool is_asked = false;
  Server server(loop_, [&](Exchange&) -> Awaitable<void> {
    is_asked = true;
    co_return;
  });
  const auto where = server.listen(
      Endpoint::tcp("127.0.0.1", 0),
      {.name = "tls", .wrap = [&](UniqueFd fd) { return front->wrap(std::move(fd)); }});
  ASSERT_TRUE(where);
  const UniqueFd silent = start_connect(*where).value(), plain = start_connect(*where).value();
  loop_.run_for(20ms);
  const std::string_view request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_GT(::send(plain.get(), request.data(), request.size(), MSG_NOSIGNAL), 0);
  const auto ended = [](int fd) {
    char byte;
    const ssize_t got = ::recv(fd, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
  };
  char alert[64];
  for (int i = 0; i < 400 && server.stats().connections > 0; ++i) loop_.run_for(10ms);
  EXPECT_EQ(server.stats().connections, 0u);
  EXPECT_TRUE(ended(silent.get()));
  while (::recv(plain.get(), alert, sizeof alert, MSG_DONTWAIT) > 0) {
  }
  EXPECT_TRUE(ended(plain.get()));
  EXPECT_FALSE(is_asked);
  EXPECT_EQ(front->connections(), 0u);
}

// OpenSSL's own client, whose reader takes nothing.
TEST_F(Tls, WhoTakesNothingIsLetGoOnceTheServerHasClosed) {
  const auto front = TlsFront::open(loop_, make("a"), {10s, 200ms}).value();
  ServerLimits limits;
  limits.write_stall = 200ms;
  bool is_cut = false;
  const std::string piece(1 << 20, 'x');
  Server server(
      loop_,
      [&](Exchange& exchange) -> Awaitable<void> {
        net::ResponseHead head;
        auto going = co_await exchange.start(std::move(head));
        while (going) going = co_await exchange.write(piece);
        is_cut = true;
      },
      limits);
  const auto where = server.listen(
      Endpoint::tcp("127.0.0.1", 0),
      {.name = "tls", .wrap = [&](UniqueFd fd) { return front->wrap(std::move(fd)); }});
  ASSERT_TRUE(where);
  const std::string command = fmt::format(
      "printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' | "
      "timeout 100 openssl s_client -quiet -connect {} 2>/dev/null",
      to_text(*where));
  FILE* const client = ::popen(command.c_str(), "re");  // nobody reads it
  ASSERT_NE(client, nullptr);
  for (int i = 0; i < 6000 && !(is_cut && front->connections() == 0); ++i) loop_.run_for(10ms);
  EXPECT_TRUE(is_cut);
  EXPECT_EQ(front->connections(), 0u);
  // Its end makes the client end; what it was still given is read away.
  std::array<char, 65536> sink;
  while (::fread(sink.data(), 1, sink.size(), client) > 0) {
  }
  ::pclose(client);
}

}  // namespace
}  // namespace estiva::net
