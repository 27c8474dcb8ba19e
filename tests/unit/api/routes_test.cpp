// Who may ask what of the API, over real sockets.
#include <gtest/gtest.h>

#include "unit/api/routes_fixture.h"

namespace estiva::api {
namespace {

TEST_F(Routes, TheControlSocketNeedsNoToken) {
  EXPECT_EQ(status(control_, "GET", "/api/v1/gpu"), 200);
  EXPECT_EQ(status(control_, "GET", "/api/v1/status"), 200);
  EXPECT_EQ(status(control_, "GET", "/api/v1/leases"), 200);
  EXPECT_EQ(status(control_, "GET", "/healthz"), 200);
}

TEST_F(Routes, TcpWithoutTheTokenGivesOnlyHealthz) {
  EXPECT_EQ(status(tcp_, "GET", "/healthz"), 200);
  for (const char* path : {"/api/v1/gpu", "/api/v1/status", "/api/v1/leases", "/api/v1/events"}) {
    EXPECT_EQ(status(tcp_, "GET", path), 401) << path;
  }
  EXPECT_EQ(status(tcp_, "POST", "/api/v1/leases", R"({"model":"a","vram":"1GiB"})"), 401);
  EXPECT_EQ(status(tcp_, "DELETE", "/api/v1/leases/here"), 401);
}

TEST_F(Routes, TcpWithTheTokenGivesAllAndAWrongOneNothing) {
  EXPECT_EQ(status(tcp_, "GET", "/api/v1/gpu", "", {{"Authorization", "Bearer secret"}}), 200);
  EXPECT_EQ(status(tcp_, "GET", "/api/v1/gpu", "", {{"Authorization", "Bearer secret2"}}), 403);
  EXPECT_EQ(status(tcp_, "GET", "/api/v1/gpu", "", {{"Authorization", "Bearer "}}), 401);
}

// What Prometheus scrapes: numbers for everyone who may reach the port, names only for who is
// trusted.
TEST_F(Routes, MetricsAreOpenButNamesAreNot) {
  const auto open = ask(tcp_, {"GET", "/metrics", {}, {}});
  EXPECT_EQ(open.head.status, 200);
  EXPECT_EQ(open.head.headers.find("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(open.body.find("estiva_driver_info{version=\"580.159.04\""), std::string::npos);
  EXPECT_EQ(open.body.find("private-name"), std::string::npos);
  const auto named = ask(tcp_, {"GET", "/metrics", {{"Authorization", "Bearer secret"}}, {}});
  EXPECT_NE(named.body.find("private-name"), std::string::npos);
  EXPECT_NE(ask(control_, {"GET", "/metrics", {}, {}}).body.find("private-name"),
            std::string::npos);
  const auto openmetrics = ask(
      tcp_, {"GET", "/metrics", {{"Accept", "application/openmetrics-text; version=1.0.0"}}, {}});
  EXPECT_TRUE(openmetrics.body.ends_with("# EOF\n"));
  EXPECT_EQ(status(tcp_, "GET", "/metrics", "", {{"Authorization", "Bearer wrong"}}), 403);
  EXPECT_EQ(status(tcp_, "POST", "/metrics", "", {{"Authorization", "Bearer secret"}}), 405);
  EXPECT_EQ(status(tcp_, "GET", "/metrics", "", {{"Host", "evil.example"}}), 403);
}

TEST_F(Routes, AnotherHostOrOriginIsRefusedOnEverySocket) {
  EXPECT_EQ(status(tcp_, "GET", "/healthz", "", {{"Host", "evil.example"}}), 403);
  EXPECT_EQ(status(control_, "GET", "/api/v1/gpu", "", {{"Host", "evil.example"}}), 403);
  EXPECT_EQ(status(control_, "GET", "/api/v1/gpu", "",
                   {{"Host", "localhost"}, {"Origin", "https://evil.example"}}),
            403);
  EXPECT_EQ(status(control_, "GET", "/api/v1/gpu", "",
                   {{"Host", "localhost"}, {"Origin", "http://localhost:7700"}}),
            200);
}

TEST_F(Routes, AssignAnswersWithTheStatusOfItsOutcome) {
  const std::string leases = "/api/v1/leases";
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"a","vram":"1GiB"})"), 200);
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"big","vram":"1GiB"})"), 409);
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"blind","vram":"1GiB"})"), 503);
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"a"})"), 400);
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"a","vram":"1GiB","pid":9})"), 400);
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"a","vram":"1GiB","pid":1})"), 200);
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"a","vram":"1GiB","only_new":true})"),
            503);
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"a","vram":"1GiB","only_new":1})"), 400);
}

TEST_F(Routes, ReleaseKnowsItsNames) {
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/leases/here"), 200);
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/leases/nowhere"), 404);
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/leases?model=here"), 200);
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/leases/here?id=l-7"), 200);
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/leases/here?id=l-8"), 404);
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/leases?model=here&id=l-8"), 404);
}

TEST_F(Routes, DismissNeedsAKnownDeviceAndTheRight) {
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/health?device=GPU-1"), 200);
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/health?device=GPU-2"), 404);
  EXPECT_EQ(status(control_, "DELETE", "/api/v1/health"), 400);
  EXPECT_EQ(status(control_, "GET", "/api/v1/health?device=GPU-1"), 405);
  EXPECT_EQ(status(tcp_, "DELETE", "/api/v1/health?device=GPU-1"), 401);
  EXPECT_EQ(status(control_, "GET", "/api/v1/containers"), 200);
  EXPECT_EQ(status(tcp_, "GET", "/api/v1/containers"), 401);
}

TEST_F(Routes, ATestOfNotificationsSaysHowItWent) {
  EXPECT_EQ(status(control_, "POST", "/api/v1/notify/test"), 503);
  EXPECT_EQ(status(control_, "GET", "/api/v1/notify/test"), 405);
  EXPECT_EQ(status(tcp_, "POST", "/api/v1/notify/test"), 401);
  loop_.post([this] { backend_.notifies = true; });
  EXPECT_EQ(status(control_, "POST", "/api/v1/notify/test"), 200);
}

TEST_F(Routes, UnknownPathsAndMethods) {
  EXPECT_EQ(status(control_, "GET", "/api/v1/nothing"), 404);
  EXPECT_EQ(status(control_, "POST", "/"), 405);
  EXPECT_EQ(status(control_, "PUT", "/api/v1/leases"), 405);
  EXPECT_EQ(status(control_, "POST", "/api/v1/gpu"), 405);
  EXPECT_EQ(status(control_, "GET", "/api/v1/leases/a/../b"), 400);
}

TEST_F(Routes, EventsBeginWithTheWorldAsItIs) {
  net::ClientRequest request{"GET", "/api/v1/events", {}, {}};
  std::vector<net::Event> seen;
  auto ended = net::fetch_events(control_, request, [&seen](const net::Event& event) {
    seen.push_back(event);
    return false;
  });
  ASSERT_TRUE(ended) << ended.error().sentence();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].name, "world");
  EXPECT_NE(seen[0].data.find("estiva/status/1"), std::string::npos);
}

class Journal : public Routes {
 protected:
  static store::JournalRecord record(std::uint64_t position, std::string text,
                                     Nanoseconds ago = {}) {
    store::JournalRecord one;
    one.position = position;
    one.wall = {wall_now().ns - ago.count()};
    one.subject = "GPU-1";
    one.text = std::move(text);
    return one;
  }
  // On the loop's thread, as the store's callbacks are.
  void write(store::JournalRecord one) {
    loop_.post([this, one = std::move(one)] {
      backend_.records.push_back(one);
      backend_.journalled().notify_all();
    });
  }
  // "1 2 3": the positions in the answer.
  std::string positions(const std::string& query) {
    const std::string body = ask(control_, {"GET", "/api/v1/journal" + query, {}, {}}).body;
    std::string out;
    constexpr std::string_view kMark = "\"position\":";
    for (std::size_t at = 0; (at = body.find(kMark, at)) != std::string::npos;) {
      at += kMark.size();
      out += (out.empty() ? "" : " ") + body.substr(at, body.find(',', at) - at);
    }
    return out;
  }
};

TEST_F(Journal, TheNewestSoManyTheOldestFirst) {
  for (std::uint64_t i = 1; i <= 1200; ++i) write(record(i, i % 2 == 0 ? "even" : "odd"));
  EXPECT_EQ(positions("?limit=3"), "1198 1199 1200");
  EXPECT_EQ(positions("?limit=2&grep=ODD"), "1197 1199");
  EXPECT_EQ(positions("?after=1198"), "1199 1200");
  EXPECT_EQ(positions("?limit=0"), "");
  EXPECT_EQ(positions("?grep=nothing"), "");
  EXPECT_EQ(positions("?limit=1200").size(), positions("?limit=10000").size());
}

TEST_F(Journal, SinceEndsAtTheFirstThatIsTooOld) {
  write(record(1, "old", std::chrono::hours(3)));
  write(record(2, "older than an hour", std::chrono::minutes(61)));
  write(record(3, "new", std::chrono::minutes(59)));
  EXPECT_EQ(positions("?since_seconds=3600"), "3");
  EXPECT_EQ(positions("?since_seconds=7200"), "2 3");
  EXPECT_EQ(positions("?since_seconds=0"), "");
}

TEST_F(Journal, ARecordIsShownWithWhatItIsAbout) {
  store::JournalRecord grant = record(7, "GPU 0 is the only one with room");
  grant.kind = store::RecordKind::grant;
  grant.subject = "llama";
  grant.lease.emplace();
  grant.lease->shares.push_back({{"nvidia", "GPU-1", ""}, gib(6)});
  write(grant);
  store::JournalRecord refused = record(8, "");
  refused.kind = store::RecordKind::decision;
  refused.decision = store::Decision{"{}", nullptr, "no GPU has 90 GiB free"};
  write(refused);
  const std::string body = ask(control_, {"GET", "/api/v1/journal", {}, {}}).body;
  for (const char* part :
       {"\"schema\":\"estiva/journal/1\"", "\"kind\":\"assigned\"", "\"subject\":\"llama\"",
        "\"gpus\":[\"GPU-1\"]", "\"vram_bytes\":6442450944", "\"kind\":\"refused\"",
        "\"text\":\"no GPU has 90 GiB free\"", "\"vram_bytes\":null"}) {
    EXPECT_NE(body.find(part), std::string::npos) << part << " in " << body;
  }
}

TEST_F(Journal, WrongQuestionsAreNamed) {
  for (const char* query : {"?limit=10001", "?limit=-1", "?limit=x", "?since_seconds=1e9",
                            "?after=99999999999999999999"}) {
    EXPECT_EQ(status(control_, "GET", std::string("/api/v1/journal") + query), 400) << query;
    EXPECT_EQ(status(control_, "GET", std::string("/api/v1/journal/follow") + query), 400) << query;
  }
  EXPECT_EQ(status(control_, "GET", "/api/v1/journal?grep=" + std::string(257, 'x')), 400);
  EXPECT_EQ(status(control_, "POST", "/api/v1/journal"), 405);
  EXPECT_EQ(status(control_, "GET", "/api/v1/journal/else"), 404);
  EXPECT_EQ(status(tcp_, "GET", "/api/v1/journal"), 401);
}

TEST_F(Journal, FollowingTellsTheLastOnesAndThenEachOnce) {
  for (std::uint64_t i = 1; i <= 5; ++i) write(record(i, "before"));
  net::ClientRequest request{"GET", "/api/v1/journal/follow?limit=2", {}, {}};
  std::string seen;
  auto ended = net::fetch_events(control_, request, [&](const net::Event& event) {
    EXPECT_EQ(event.name, "record");
    seen += event.id + " ";
    if (event.id == "5") {
      write(record(6, "added"));
      write(record(7, "added"));
    }
    if (event.id == "7") write(record(8, "last"));
    return event.id != "8";
  });
  ASSERT_TRUE(ended) << ended.error().sentence();
  EXPECT_EQ(seen, "4 5 6 7 8 ");
}

TEST_F(Journal, FollowingWithoutThePastAndBehindAPosition) {
  for (std::uint64_t i = 1; i <= 5; ++i) write(record(i, "before"));
  for (const auto& [target, headers] :
       {std::pair<std::string, net::Headers>{"?limit=0", {}},
        std::pair<std::string, net::Headers>{"", {{"Last-Event-ID", "5"}}}}) {
    net::ClientRequest request{"GET", "/api/v1/journal/follow" + target, headers, {}};
    std::string seen;
    std::thread later([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      write(record(6, "added"));
    });
    auto ended = net::fetch_events(control_, request, [&](const net::Event& event) {
      seen += event.id + " ";
      return false;
    });
    later.join();
    ASSERT_TRUE(ended) << ended.error().sentence();
    EXPECT_EQ(seen, "6 ") << target;
    loop_.post([this] { backend_.records.pop_back(); });
  }
}

}  // namespace
}  // namespace estiva::api
