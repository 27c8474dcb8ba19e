// What a program says of its lease over the lease socket, and what it is told.
#include "unit/api/routes_fixture.h"

namespace estiva::api {
namespace {

class LibraryRoutes : public Routes {
 protected:
  LibraryRoutes() {
    auto world = std::make_shared<World>();
    for (const auto& [model, id] : {std::pair{"mine", "l-1"}, {"secret", "l-2"}}) {
      Lease lease;
      lease.model = model;
      lease.id = id;
      lease.holder = Holder{7, 7, "boot"};
      lease.shares = {{{"nvidia", "GPU-1", ""}, gib(1)}, {{"nvidia", "GPU-2", ""}, gib(1)}};
      world->leases.push_back(lease);
      world->lease_uses.emplace_back();
    }
    on_loop([&] {
      backend_.show(world);
      backend_.callers_.caller = Caller{};
      backend_.callers_.whose = {{"mine", Relation::own}};
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
  int post(const std::string& target, std::string body = {}) {
    return status(lease_, "POST", "/api/v1/leases/" + target, std::move(body));
  }
  FakeLibrary& library() { return backend_.library_; }
};

TEST_F(LibraryRoutes, ByIdOrNameAndOnlyOnesOwn) {
  for (const char* action : {"heartbeat", "yielded", "resume"}) {
    EXPECT_EQ(post(std::string("l-1/") + action), 200) << action;
    EXPECT_EQ(post(std::string("mine/") + action), 200) << action;
    EXPECT_EQ(post(std::string(action) + "?model=mine"), 200) << action;
    EXPECT_EQ(post(std::string("l-2/") + action), 403) << action;
    EXPECT_EQ(post(std::string("secret/") + action), 403) << action;
    EXPECT_EQ(post(std::string("l-3/") + action), 404) << action;
    EXPECT_EQ(status(lease_, "GET", std::string("/api/v1/leases/l-1/") + action), 403) << action;
  }
  EXPECT_EQ(status(lease_, "GET", "/api/v1/leases/l-2/events"), 403);
  EXPECT_EQ(post("l-1/revoke"), 403) << "that is for the control socket";
  EXPECT_EQ(status(control_, "GET", "/api/v1/leases/l-1/events"), 404);
}

TEST_F(LibraryRoutes, TermsComeWithTheRequestOrWithAHeartbeat) {
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases",
                   R"({"model":"a","vram":"1GiB","revocable":true,"heartbeat_seconds":2.5,
                       "wait_seconds":0.25})"),
            200);
  EXPECT_EQ(library().enrolled, "a");
  EXPECT_TRUE(library().terms.revocable);
  EXPECT_EQ(library().terms.heartbeat, std::chrono::milliseconds(2500));
  EXPECT_EQ(backend_.waits, std::chrono::milliseconds(250));
  EXPECT_EQ(post("mine/heartbeat", R"({"heartbeat_seconds":3})"), 200);
  EXPECT_EQ(library().enrolled, "mine");
  EXPECT_FALSE(library().terms.revocable);
  EXPECT_EQ(library().beaten, "");
  EXPECT_EQ(post("mine/heartbeat", "{}"), 200);
  EXPECT_EQ(library().beaten, "mine");
}

TEST_F(LibraryRoutes, APlainLeaseIsNotEnrolledAndTheControlSocketTakesNoPromises) {
  EXPECT_EQ(status(lease_, "POST", "/api/v1/leases", R"({"model":"a","vram":"1GiB"})"), 200);
  EXPECT_EQ(library().enrolled, "");
  EXPECT_EQ(
      status(control_, "POST", "/api/v1/leases", R"({"model":"a","vram":"1GiB","revocable":true})"),
      400);
  EXPECT_EQ(
      status(control_, "POST", "/api/v1/leases", R"({"model":"a","vram":"1GiB","wait_seconds":7})"),
      200);
  EXPECT_EQ(backend_.waits, std::chrono::seconds(7));
}

TEST_F(LibraryRoutes, EachShareKeepsAndWantsWhatIsSaid) {
  EXPECT_EQ(post("mine/yielded", R"({"vram":"100MiB"})"), 200);
  EXPECT_EQ(library().yielded_to, (std::vector{mib(100), mib(100)}));
  EXPECT_EQ(post("mine/yielded"), 200);
  EXPECT_EQ(library().yielded_to, (std::vector{Bytes{}, Bytes{}}));
  EXPECT_EQ(post("mine/resume", R"({"vram_bytes":1024,"wait_seconds":9,"busy":true})"), 200);
  EXPECT_TRUE(library().is_busy);
  EXPECT_EQ(library().resumed, Bytes{1024});
  EXPECT_EQ(library().waited, std::chrono::seconds(9));
}

TEST_F(LibraryRoutes, BusyAndIdle) {
  EXPECT_EQ(post("mine/use", R"({"busy":true})"), 200);
  EXPECT_TRUE(library().is_busy);
  EXPECT_EQ(post("mine/use", R"({"busy":false})"), 200);
  EXPECT_FALSE(library().is_busy);
  EXPECT_EQ(post("mine/use"), 400);
  on_loop([this] { library().asked_back = true; });
  EXPECT_EQ(post("mine/use", R"({"busy":true})"), 503);
}

TEST_F(LibraryRoutes, WrongBodiesAreSentences) {
  for (const char* body : {R"({"bussy":true})", R"({"busy":1})", "[]", "{", R"({"vram":"1GiB"})"}) {
    EXPECT_EQ(post("mine/use", body), 400) << body;
  }
  for (const char* body :
       {R"({"heartbeat_seconds":0.5})", R"({"heartbeat_seconds":-1})",
        R"({"heartbeat_seconds":"3"})", R"({"heartbeat_seconds":1e9})", R"({"revocable":"yes"})"}) {
    EXPECT_EQ(post("mine/heartbeat", body), 400) << body;
  }
  EXPECT_EQ(post("mine/resume", R"({"wait_seconds":1e300})"), 400);
  EXPECT_EQ(post("mine/yielded", R"({"vram_bytes":-1})"), 400);
}

TEST_F(LibraryRoutes, EventsInOrderAndTheStreamEndsWithTheLease) {
  on_loop([this] {
    LibraryEvent granted{LibraryEvent::Kind::granted_bytes, 1, {gib(1), gib(2)}, {}, {}};
    LibraryEvent revoke{LibraryEvent::Kind::revoke, 2, {}, "a \"game\"", steady_now()};
    LibraryEvent resume{LibraryEvent::Kind::resume, 3, {}, "room", {}};
    library().events = {granted, revoke, resume};
  });
  const auto stream = ask(lease_, {"GET", "/api/v1/leases/l-1/events", {}, {}});
  EXPECT_EQ(stream.head.status, 200);
  EXPECT_EQ(stream.body,
            "event: granted_bytes\nid: 1\ndata: {\"bytes\":[1073741824,2147483648]}\n\n"
            "event: revoke\nid: 2\ndata: {\"deadline_seconds\":0,\"reason\":\"a \\\"game\\\"\"}\n\n"
            "event: resume\nid: 3\ndata: {\"reason\":\"room\"}\n\n");
}

TEST_F(LibraryRoutes, APersonRevokesOnTheControlSocket) {
  const auto ask_back = [this](std::string body) {
    return ask(control_, {"POST", "/api/v1/leases/l-2/revoke", {}, std::move(body)});
  };
  const auto done = ask_back(R"({"reason":"a game","deadline_seconds":4})");
  EXPECT_EQ(done.head.status, 200);
  EXPECT_EQ(done.body, "{\"schema\":\"estiva/revoke/1\",\"outcome\":\"yielded\"}\n");
  EXPECT_EQ(library().revoked, "l-2: a game");
  EXPECT_EQ(library().waited, std::chrono::seconds(4));
  on_loop([this] { library().outcome = Revoked::refused; });
  EXPECT_EQ(ask_back("").head.status, 409);
  EXPECT_EQ(status(control_, "GET", "/api/v1/leases/l-2/revoke"), 405);
}

}  // namespace
}  // namespace estiva::api
