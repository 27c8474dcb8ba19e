// What the lease socket answers, and what it keeps to itself.
#include <algorithm>
#include <gtest/gtest.h>

#include "unit/api/routes_fixture.h"

namespace estiva::api {
namespace {

class CallerRoutes : public Routes {
 protected:
  CallerRoutes() {
    auto world = std::make_shared<World>();
    world->driver.state = DriverState::ready;
    world->leases = {lease("mine", "l-1"), lease("secret", "l-2"), lease("neighbour", "l-3"),
                     lease("mine-gone", "l-4", LeaseState::releasing)};
    world->lease_uses.resize(world->leases.size());
    world->gpus.push_back(gpu());
    world->process_containers = {{11, std::string(64, 'a'), "docker", false},
                                 {12, std::string(64, 'b'), "docker", false},
                                 {13, std::string(64, 'a'), "docker", true}};
    Caller caller;
    caller.process = {10, 500, "boot"};
    caller.group = "/docker/" + std::string(64, 'a');
    caller.place = {10, std::string(64, 'a'), "docker", false};
    caller.container = Container{};
    caller.container->name = "chat-llm-1";
    caller.container->project = "chat";
    caller.container->service = "llm";
    caller.container->model = "qwen";
    // The loop's thread runs already.
    on_loop([&] {
      backend_.show(world);
      backend_.callers_.caller = caller;
      backend_.callers_.whose = {{"mine", Relation::own},
                                 {"mine-gone", Relation::own},
                                 {"neighbour", Relation::same_user}};
    });
  }
  template <class Work>
  void on_loop(Work work) {
    std::atomic<bool> done = false;
    loop_.post([&] {
      work();
      done = true;
    });
    while (!done) std::this_thread::yield();
  }
  static Lease lease(std::string model, std::string id, LeaseState state = LeaseState::active) {
    Lease one;
    one.model = std::move(model);
    one.id = std::move(id);
    one.state = state;
    one.holder = Holder{7, 7, "boot"};
    one.shares = {{{"nvidia", "GPU-1", ""}, gib(1)}};
    return one;
  }
  static Gpu gpu() {
    Gpu one;
    one.identity.id.uuid = "GPU-1";
    std::vector<GpuProcess> processes;
    for (const pid_t pid : {10, 11, 12, 13}) {
      processes.emplace_back();
      processes.back().pid = pid;
      processes.back().used = mib(static_cast<std::uint64_t>(pid));
    }
    one.sample.processes = processes;
    return one;
  }
  std::string body(std::string method, std::string target, std::string text = {}) {
    return ask(lease_, {std::move(method), std::move(target), {}, std::move(text)}).body;
  }
};

TEST_F(CallerRoutes, OnlyAFewRoutesAreServed) {
  EXPECT_EQ(status(lease_, "GET", "/healthz"), 200);
  EXPECT_EQ(status(lease_, "GET", "/api/v1/self"), 200);
  EXPECT_EQ(status(lease_, "GET", "/api/v1/leases"), 200);
  for (const char* path :
       {"/api/v1/gpu", "/api/v1/status", "/api/v1/world", "/api/v1/containers", "/api/v1/events",
        "/api/v1/journal", "/api/v1/journal/follow", "/metrics", "/", "/api/v1/leases/mine",
        "/api/v1/self/x", "/api/v1", "/api/v2/self"}) {
    EXPECT_EQ(status(lease_, "GET", path), 403) << path;
  }
  EXPECT_EQ(status(lease_, "POST", "/api/v1/notify/test"), 403);
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/health?device=GPU-1"), 403);
  EXPECT_EQ(status(lease_, "POST", "/api/v1/self"), 403);
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/leases"), 403);
  EXPECT_NE(body("GET", "/api/v1/status").find("not answered on the lease socket"),
            std::string::npos);
}

TEST_F(CallerRoutes, TheTokenOpensNothingMoreHere) {
  EXPECT_EQ(status(lease_, "GET", "/api/v1/status", "", {{"Authorization", "Bearer secret"}}), 403);
}

TEST_F(CallerRoutes, AnotherHostOrOriginIsRefusedHereToo) {
  EXPECT_EQ(status(lease_, "GET", "/api/v1/self", "", {{"Host", "evil.example"}}), 403);
  EXPECT_EQ(status(lease_, "GET", "/api/v1/self", "",
                   {{"Host", "localhost"}, {"Origin", "https://evil.example"}}),
            403);
}

TEST_F(CallerRoutes, SelfIsOnlyOnTheLeaseSocket) {
  EXPECT_EQ(status(control_, "GET", "/api/v1/self"), 404);
}

TEST_F(CallerRoutes, WhoCannotBeSeenIsToldSoAndGetsNothing) {
  on_loop([this] { backend_.callers_.caller.reset(); });
  for (const char* path : {"/api/v1/self", "/api/v1/leases", "/api/v1/gpu"}) {
    EXPECT_EQ(status(lease_, "GET", path), 403) << path;
    EXPECT_NE(body("GET", path).find("nobody can see you"), std::string::npos);
  }
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases", R"({"model":"a","vram":"1GiB"})"), 403);
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/leases/mine"), 403);
  EXPECT_EQ(status(lease_, "GET", "/healthz"), 200);
}

TEST_F(CallerRoutes, SelfSaysWhoTheCallerIsAndNothingOfOthers) {
  const std::string text = body("GET", "/api/v1/self");
  for (const char* part :
       {"\"schema\":\"estiva/self/1\"", "\"pid\":10", "\"container\":\"chat-llm-1\"",
        "\"project\":\"chat\"", "\"service\":\"llm\"", "\"model\":\"qwen\"",
        "\"runtime\":\"docker\"", "\"processes\":2,\"used_bytes\":22020096", "\"mine\""}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
  }
  EXPECT_EQ(text.find("secret"), std::string::npos) << text;
  EXPECT_EQ(text.find("neighbour"), std::string::npos) << text;
  EXPECT_EQ(backend_.callers_.seen_pid, ::getpid());
}

TEST_F(CallerRoutes, AContainerThatNoEngineKnowsIsItsIdAndAProcessOutsideIsNone) {
  on_loop([this] { backend_.callers_.caller->container.reset(); });
  EXPECT_NE(body("GET", "/api/v1/self").find("\"container\":\"aaaaaaaaaaaa\""), std::string::npos);
  on_loop([this] { backend_.callers_.caller->place = {}; });
  const std::string text = body("GET", "/api/v1/self");
  EXPECT_NE(text.find("\"container\":null,\"container_id\":null"), std::string::npos) << text;
  EXPECT_NE(text.find("\"processes\":1,\"used_bytes\":10485760"), std::string::npos) << text;
}

TEST_F(CallerRoutes, LeasesAreTheCallersOnly) {
  const std::string text = body("GET", "/api/v1/leases");
  EXPECT_NE(text.find("\"l-1\""), std::string::npos);
  EXPECT_NE(text.find("\"l-4\""), std::string::npos) << "what leaves is theirs still";
  EXPECT_EQ(text.find("l-2"), std::string::npos);
  EXPECT_EQ(text.find("l-3"), std::string::npos);
  EXPECT_NE(ask(control_, {"GET", "/api/v1/leases", {}, {}}).body.find("l-2"), std::string::npos);
}

TEST_F(CallerRoutes, TheHolderIsTheCallerOrItsContainersFirst) {
  const std::string leases = "/api/v1/leases";
  on_loop([this] { backend_.callers_.whose.erase("neighbour"); });
  EXPECT_EQ(status(lease_, "POST", leases, R"({"model":"a","vram":"1GiB"})"), 200);
  EXPECT_EQ(backend_.asked.holder, (Holder{10, 500, "boot"}));
  EXPECT_EQ(backend_.names, decide::Names::none);
  EXPECT_EQ(status(lease_, "POST", leases, R"({"model":"a","vram":"1GiB","pid":1})"), 403);
  EXPECT_EQ(status(lease_, "POST", leases, R"({"model":"a","vram":"1GiB","pid":10})"), 403);
  const char* for_all = R"({"model":"b","vram":"1GiB","holder":"container"})";
  EXPECT_EQ(status(lease_, "POST", leases, for_all), 503);
  on_loop([this] { backend_.callers_.first = Holder{9, 400, "boot"}; });
  EXPECT_EQ(status(lease_, "POST", leases, for_all), 200);
  EXPECT_EQ(backend_.asked.holder, (Holder{9, 400, "boot"}));
  EXPECT_EQ(status(lease_, "POST", leases, R"({"model":"a"})"), 400);
  const char* for_caller = R"({"model":"c","vram":"1GiB","holder":"caller"})";
  EXPECT_EQ(status(lease_, "POST", leases, for_caller), 200);
  EXPECT_EQ(backend_.asked.holder, (Holder{10, 500, "boot"}));
  EXPECT_EQ(status(control_, "POST", leases, for_all), 400) << "no such word there";
  EXPECT_EQ(status(control_, "POST", leases, for_caller), 400) << "it would be held by nobody";
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"a","vram":"1GiB"})"), 200);
  EXPECT_EQ(backend_.names, decide::Names::all);
}

TEST_F(CallerRoutes, ANameOfAnotherCanNotBeTaken) {
  const std::string leases = "/api/v1/leases";
  EXPECT_EQ(status(lease_, "POST", leases, R"({"model":"mine","vram":"1GiB"})"), 200);
  EXPECT_EQ(status(lease_, "POST", leases, R"({"model":"secret","vram":"1GiB"})"), 403);
  EXPECT_EQ(status(lease_, "POST", leases, R"({"model":"neighbour","vram":"1GiB"})"), 403);
  EXPECT_EQ(status(control_, "POST", leases, R"({"model":"secret","vram":"1GiB"})"), 200);
}

TEST_F(CallerRoutes, LeasesPerClientAreBounded) {
  const std::string wanted = R"({"model":"new","vram":"1GiB"})";
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases", wanted), 503)
      << "one is its own, one of the same user outside containers; 2 is the limit";
  EXPECT_NE(body("POST", "/api/v1/leases", wanted).find("2 leases are held already"),
            std::string::npos);
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases", R"({"model":"mine","vram":"1GiB"})"), 200)
      << "the same again is no further one";
  on_loop([this] { backend_.callers_.whose.erase("neighbour"); });
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases", wanted), 200) << "what leaves does not count";
}

TEST_F(CallerRoutes, ReleaseIsForOnesOwn) {
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/leases/secret"), 403);
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/leases/neighbour"), 403);
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/leases?model=secret"), 403);
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/leases/nowhere"), 404);
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/leases/mine-gone"), 404);
  EXPECT_EQ(status(lease_, "DELETE", "/api/v1/leases/mine?id=l-2"), 404);
  EXPECT_EQ(backend_.released, "") << "nothing of it reached the ledger";
  (void)status(lease_, "DELETE", "/api/v1/leases/mine");
  EXPECT_EQ(backend_.released, "l-1") << "by its id";
  on_loop([this] { backend_.released.clear(); });
  (void)status(lease_, "DELETE", "/api/v1/leases?model=mine&id=l-1");
  EXPECT_EQ(backend_.released, "l-1");
}

TEST_F(CallerRoutes, AHeartbeatSaysWhetherTheLeaseIsHeld) {
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases/mine/heartbeat"), 200);
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases/heartbeat?model=mine"), 200);
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases/mine-gone/heartbeat"), 404);
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases/never/heartbeat"), 404);
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases/secret/heartbeat"), 403);
  EXPECT_EQ(status(lease_, "GET", "/api/v1/leases/mine/heartbeat"), 403);
  EXPECT_NE(body("POST", "/api/v1/leases/mine/heartbeat").find("estiva/heartbeat/1"),
            std::string::npos);
}

}  // namespace
}  // namespace estiva::api
