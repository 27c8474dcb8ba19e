// Who may ask what of the API, over real sockets.
#include "api/routes.h"

#include <gtest/gtest.h>
#include <thread>

#include "net/fetch.h"

namespace estiva::api {
namespace {

class FakeBackend final : public Backend {
 public:
  explicit FakeBackend(net::Loop& loop) : changed_(loop) {
    auto world = std::make_shared<World>();
    world->driver.state = DriverState::ready;
    world->sequence = 1;
    world->driver.version = "580.159.04";
    Lease lease;
    lease.model = "private-name";
    lease.shares.resize(1);
    world->leases.push_back(lease);
    world->lease_uses.emplace_back();
    world_ = world;
  }
  WorldPtr world() const override { return world_; }
  WorldPtr published() const override { return world_; }
  net::Notice& changed() override { return changed_; }
  bool is_ending() const override { return false; }
  net::Awaitable<Result<AssignAnswer>> assign(decide::AssignRequest request,
                                              bool only_new) override {
    if (only_new) co_return fail(ErrorKind::refused, "has a lease");
    AssignAnswer answer;
    answer.lease.model = request.model;
    if (request.model == "big") {
      answer.refusal = decide::Explanation{ErrorKind::no_room, "too big", "", {}, {}};
    } else if (request.model == "blind") {
      answer.refusal = decide::Explanation{ErrorKind::refused, "no driver", "", {}, {}};
    }
    co_return answer;
  }
  Result<void> dismiss(const std::string& device) override {
    if (device != "GPU-1") return fail(ErrorKind::not_found, "nothing is wrong");
    return {};
  }
  net::Awaitable<Result<Lease>> release(std::string model, std::string id) override {
    if (model != "here" || (!id.empty() && id != "l-7"))
      co_return fail(ErrorKind::not_found, "no such model");
    Lease lease;
    lease.model = model;
    co_return lease;
  }
  Result<Holder> identify(pid_t pid) override {
    if (pid == 1) return Holder{1, 1, "boot"};
    return fail(ErrorKind::usage, "no such process");
  }

 private:
  net::Notice changed_;
  WorldPtr world_;
};

class Routes : public testing::Test {
 protected:
  Routes() : backend_(loop_) {
    char name[] = "/tmp/estiva-routes-XXXXXX";
    dir_ = ::mkdtemp(name);
    server_ = std::make_unique<net::Server>(
        loop_, make_handler(backend_, {"secret", {"127.0.0.1", "localhost"}}));
    control_ = *server_->listen(net::Endpoint::unix_path(dir_ + "/s"),
                                {std::string(kControlListener), 0600});
    tcp_ = *server_->listen(net::Endpoint::tcp("127.0.0.1", 0), {std::string(kTcpListener), 0600});
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Routes() override {
    loop_.stop();
    thread_.join();
    server_.reset();
    ::unlink((dir_ + "/s").c_str());
    ::rmdir(dir_.c_str());
  }
  net::ClientResponse ask(const net::Endpoint& to, net::ClientRequest request) {
    auto response = net::fetch(to, request);
    EXPECT_TRUE(response) << response.error().sentence();
    return response ? *response : net::ClientResponse{};
  }
  int status(const net::Endpoint& to, std::string method, std::string target, std::string body = {},
             net::Headers headers = {}) {
    net::ClientRequest request{std::move(method), std::move(target), std::move(headers),
                               std::move(body)};
    return ask(to, std::move(request)).head.status;
  }

  net::Loop loop_;
  FakeBackend backend_;
  std::string dir_;
  std::unique_ptr<net::Server> server_;
  net::Endpoint control_, tcp_;
  std::thread thread_;
};

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

TEST_F(Routes, UnknownPathsAndMethods) {
  EXPECT_EQ(status(control_, "GET", "/api/v1/nothing"), 404);
  EXPECT_EQ(status(control_, "GET", "/"), 404);
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

}  // namespace
}  // namespace estiva::api
