// How a browser gets in and what it may then do, over real sockets.
#include "routes_fixture.h"

namespace estiva::api {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

class Login : public Routes {
 protected:
  // A code as `estiva login` gets it.
  std::string code() {
    const std::string body = ask(control_, {"POST", "/api/v1/login", {}, {}}).body;
    constexpr std::string_view kMark = "/login?code=";
    const std::size_t at = body.find(kMark);
    return at == std::string::npos ? body : body.substr(at + kMark.size(), 32);
  }
  net::ClientResponse use(const std::string& code, net::Headers headers = {}) {
    return ask(tcp_, {"POST", "/login", std::move(headers), "code=" + code});
  }
  // The cookie of a new session, as a browser sends it back.
  std::string log_in() {
    const auto answer = use(code());
    EXPECT_EQ(answer.head.status, 303);
    const std::string cookie(answer.head.headers.find("Set-Cookie").value_or(""));
    return cookie.substr(0, cookie.find(';'));
  }
  int with(const std::string& cookie, std::string method, std::string target,
           net::Headers more = {}) {
    more.add("Cookie", cookie);
    return status(tcp_, std::move(method), std::move(target), "", std::move(more));
  }
  std::string origin() const { return "http://" + net::to_text(tcp_); }
};

TEST_F(Login, OnlyTheControlSocketGivesCodes) {
  const auto given = ask(control_, {"POST", "/api/v1/login", {}, {}});
  EXPECT_EQ(given.head.status, 200);
  EXPECT_TRUE(has(given.body, "\"schema\":\"estiva/login/1\"")) << given.body;
  EXPECT_TRUE(has(given.body, "\"urls\":[\"http://127.0.0.1:7700/login?code=")) << given.body;
  EXPECT_TRUE(has(given.body, "\"expires_seconds\":60")) << given.body;
  EXPECT_EQ(status(tcp_, "POST", "/api/v1/login"), 401);
  EXPECT_EQ(status(tcp_, "POST", "/api/v1/login", "", {{"Authorization", "Bearer secret"}}), 403);
  EXPECT_EQ(with(log_in(), "POST", "/api/v1/login", {{"Origin", origin()}}), 403);
  EXPECT_EQ(status(control_, "GET", "/api/v1/login"), 405);
}

TEST_F(Login, WithoutTcpThereIsNothingToLogInTo) {
  loop_.post([this] { backend_.addresses.clear(); });
  const auto answer = ask(control_, {"POST", "/api/v1/login", {}, {}});
  EXPECT_EQ(answer.head.status, 503);
  EXPECT_TRUE(has(answer.body, "estiva.toml")) << answer.body;
}

TEST_F(Login, TheCookieOpensTheApi) {
  const std::string cookie = log_in();
  EXPECT_EQ(with(cookie, "GET", "/api/v1/status"), 200);
  EXPECT_EQ(with(cookie, "GET", "/"), 200);
  EXPECT_EQ(with("other=1; " + cookie + "; more=2", "GET", "/api/v1/gpu"), 200);
  EXPECT_EQ(with("x" + cookie, "GET", "/api/v1/gpu"), 401);
  std::string wrong = cookie;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  EXPECT_EQ(with(wrong, "GET", "/api/v1/gpu"), 401);
  EXPECT_EQ(with(cookie.substr(0, cookie.size() - 1), "GET", "/api/v1/gpu"), 401);
  EXPECT_EQ(with("estiva_session=", "GET", "/api/v1/gpu"), 401);
  const auto metrics = ask(tcp_, {"GET", "/metrics", {{"Cookie", cookie}}, {}});
  EXPECT_TRUE(has(metrics.body, "private-name"));
}

TEST_F(Login, TheCookieIsForThisBrowserAndPortOnly) {
  const auto answer = use(code());
  const std::string cookie(answer.head.headers.find("Set-Cookie").value_or(""));
  EXPECT_TRUE(cookie.starts_with("estiva_session_" + std::to_string(tcp_.port) + "=")) << cookie;
  EXPECT_EQ(cookie.find("; HttpOnly; SameSite=Strict; Path=/; Max-Age=604800"),
            cookie.find('=') + 1 + 64)
      << cookie;
  EXPECT_EQ(answer.head.headers.find("Location"), "/");
  EXPECT_EQ(answer.head.headers.find("Cache-Control"), "no-store");
}

TEST_F(Login, ACodeIsGoodOnce) {
  const std::string one = code();
  EXPECT_EQ(use(one).head.status, 303);
  const auto again = use(one);
  EXPECT_EQ(again.head.status, 403);
  EXPECT_FALSE(again.head.headers.has("Set-Cookie"));
  EXPECT_TRUE(has(again.body, "was used before"));
}

// A preview of the link, a browser that looks ahead, a scanner of mail: none of them presses the
// button.
TEST_F(Login, LookingAtTheLinkUsesNothingUp) {
  const std::string one = code();
  for (const char* method : {"HEAD", "GET", "HEAD", "GET"}) {
    const auto page = ask(tcp_, {method, "/login?code=" + one, {}, {}});
    EXPECT_EQ(page.head.status, 200);
    EXPECT_FALSE(page.head.headers.has("Set-Cookie"));
    EXPECT_EQ(page.head.headers.find("Cache-Control"), "no-store");
    EXPECT_EQ(page.head.headers.find("X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(page.head.headers.find("Referrer-Policy"), "same-origin");
    EXPECT_TRUE(has(std::string(*page.head.headers.find("Content-Security-Policy")),
                    "default-src 'none'; form-action 'self'"));
  }
  EXPECT_EQ(use(one).head.status, 303);
}

TEST_F(Login, WhatIsNoCodeIsNeverPutIntoThePage) {
  for (const std::string bad : {"", "%3Cscript%3E", "0123", "00112233445566778899aabbccddeefF"}) {
    const auto page = ask(tcp_, {"GET", "/login?code=" + bad, {}, {}});
    EXPECT_EQ(page.head.status, 400) << bad;
    EXPECT_FALSE(has(page.body, "script")) << page.body;
    EXPECT_EQ(use(bad).head.status, 400) << bad;
  }
  EXPECT_EQ(status(tcp_, "GET", "/login"), 400);
  EXPECT_EQ(status(tcp_, "POST", "/login", std::string(5000, 'x')), 400);
  EXPECT_EQ(status(tcp_, "PUT", "/login"), 405);
}

TEST_F(Login, WhoGuessesIsLockedOutAndEveryCodeIsVoid) {
  const std::string good = code();
  const std::string bad(32, '0');
  for (int i = 0; i < 9; ++i) EXPECT_EQ(use(bad).head.status, 403) << i;
  const auto locked = use(bad);
  EXPECT_EQ(locked.head.status, 429);
  EXPECT_TRUE(locked.head.headers.has("Retry-After"));
  EXPECT_EQ(use(good).head.status, 429);
  const auto next = ask(control_, {"POST", "/api/v1/login", {}, {}});
  EXPECT_EQ(next.head.status, 503);
  EXPECT_TRUE(has(next.body, "too many wrong codes")) << next.body;
}

TEST_F(Login, ACookieChangesNothingForAnotherSite) {
  const std::string cookie = log_in();
  const std::string lease = "/api/v1/leases/here";
  EXPECT_EQ(with(cookie, "DELETE", lease), 403);
  EXPECT_EQ(with(cookie, "DELETE", lease, {{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(with(cookie, "DELETE", lease, {{"Origin", "null"}}), 403);
  // Another program of this machine, to whose port the browser sends the same cookie.
  EXPECT_EQ(with(cookie, "DELETE", lease, {{"Origin", "http://127.0.0.1:1"}}), 403);
  EXPECT_EQ(with(cookie, "DELETE", lease, {{"Origin", origin()}}), 200);
  EXPECT_EQ(status(tcp_, "DELETE", lease, "", {{"Authorization", "Bearer secret"}}), 200);
  EXPECT_EQ(with(cookie, "GET", "/api/v1/gpu", {{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(with(cookie, "GET", "/api/v1/gpu", {{"Host", "evil.example"}}), 403);
}

TEST_F(Login, TheFormTakesNoCodeFromAnotherSite) {
  const std::string one = code();
  EXPECT_EQ(use(one, {{"Origin", "http://127.0.0.1:1"}}).head.status, 403);
  EXPECT_EQ(use(one, {{"Origin", "https://evil.example"}}).head.status, 403);
  EXPECT_EQ(use(one, {{"Host", "evil.example"}}).head.status, 403);
  EXPECT_EQ(use(one, {{"Origin", origin()}}).head.status, 303);
}

TEST_F(Login, LoggingOutEndsThisSessionOnly) {
  const std::string mine = log_in(), other = log_in();
  EXPECT_EQ(with(mine, "POST", "/logout"), 403);
  EXPECT_EQ(with(mine, "POST", "/logout", {{"Origin", "http://127.0.0.1:1"}}), 403);
  EXPECT_EQ(with(mine, "GET", "/api/v1/gpu"), 200);
  const auto out = ask(tcp_, {"POST", "/logout", {{"Cookie", mine}, {"Origin", origin()}}, {}});
  EXPECT_EQ(out.head.status, 303);
  EXPECT_TRUE(has(std::string(out.head.headers.find("Set-Cookie").value_or("")), "=; HttpOnly"));
  EXPECT_TRUE(has(std::string(out.head.headers.find("Set-Cookie").value_or("")), "Max-Age=0"));
  EXPECT_EQ(with(mine, "GET", "/api/v1/gpu"), 401);
  EXPECT_EQ(with(other, "GET", "/api/v1/gpu"), 200);
  EXPECT_EQ(with(mine, "POST", "/logout"), 303) << "there is nothing left to protect";
  EXPECT_EQ(with(other, "GET", "/logout"), 405);
}

TEST_F(Login, EndingAllEndsAll) {
  const std::string one = log_in(), two = log_in();
  const auto ended = ask(control_, {"DELETE", "/api/v1/login", {}, {}});
  EXPECT_TRUE(has(ended.body, "\"ended\":2")) << ended.body;
  EXPECT_EQ(with(one, "GET", "/api/v1/gpu"), 401);
  EXPECT_EQ(with(two, "GET", "/api/v1/gpu"), 401);
  EXPECT_EQ(with(one, "DELETE", "/api/v1/login", {{"Origin", origin()}}), 401);
}

TEST_F(Login, LoggingOutEndsAStreamThatIsOpen) {
  for (const char* path : {"/api/v1/events", "/api/v1/journal/follow"}) {
    store::JournalRecord record;
    record.position = 1;
    loop_.post([this, record] { backend_.records = {record}; });
    const std::string cookie = log_in();
    std::size_t seen = 0;
    const net::ClientRequest request{"GET", path, {{"Cookie", cookie}}, {}};
    const auto ended = net::fetch_events(tcp_, request, [&](const net::Event&) {
      ++seen;
      EXPECT_EQ(with(cookie, "POST", "/logout", {{"Origin", origin()}}), 303);
      loop_.post([this] {
        backend_.changed().notify_all();
        backend_.journalled().notify_all();
      });
      return true;
    });
    ASSERT_TRUE(ended) << path << ended.error().sentence();
    EXPECT_EQ(seen, 1u) << path;
  }
}

TEST_F(Login, TheFrontPageSaysWhatItIsAndHowToGetIn) {
  const auto closed = ask(tcp_, {"GET", "/", {}, {}});
  EXPECT_EQ(closed.head.status, 401);
  EXPECT_TRUE(has(closed.body, "<code>estiva login</code>")) << closed.body;
  EXPECT_FALSE(has(closed.body, "/api/v1"));
  const auto open = ask(tcp_, {"GET", "/", {{"Cookie", log_in()}}, {}});
  EXPECT_EQ(open.head.status, 200);
  EXPECT_EQ(open.head.headers.find("Content-Type"), "text/html; charset=utf-8");
  for (const char* part : {"href=\"/api/v1/status\"", "href=\"/metrics\"", "action=\"/logout\"",
                           "GPU status: <strong>OK</strong>"}) {
    EXPECT_TRUE(has(open.body, part)) << part << " in " << open.body;
  }
  EXPECT_FALSE(has(open.body, "SIMULATED"));
  const auto control = ask(control_, {"GET", "/", {}, {}});
  EXPECT_EQ(control.head.status, 200);
  EXPECT_FALSE(has(control.body, "/logout")) << "nobody is logged in there";
  EXPECT_EQ(status(tcp_, "GET", "/", "", {{"Authorization", "Bearer wrong"}}), 403);
}

TEST_F(Login, WhatTheDriverSaysIsTextOnThePage) {
  auto world = std::make_shared<World>();
  world->simulated = true;
  world->driver.state = DriverState::failed;
  world->driver.reason = "<script>alert(\"x\")</script>";
  loop_.post([this, world] { backend_.show(world); });
  const auto page = ask(control_, {"GET", "/", {}, {}});
  EXPECT_TRUE(has(page.body, "SIMULATED")) << page.body;
  EXPECT_TRUE(has(page.body, "&lt;script&gt;alert(&quot;x&quot;)")) << page.body;
  EXPECT_FALSE(has(page.body, "<script")) << page.body;
}

TEST_F(Login, AnAnswerOfTheApiIsNotKeptByTheBrowser) {
  const auto answer = ask(control_, {"GET", "/api/v1/gpu", {}, {}});
  EXPECT_EQ(answer.head.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(answer.head.headers.find("X-Content-Type-Options"), "nosniff");
}

}  // namespace
}  // namespace estiva::api
