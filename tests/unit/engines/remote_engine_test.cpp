#include "engines/remote_engine.h"

#include "engine_fixture.h"
#include "net/server.h"

namespace estiva::engines {
namespace {

struct RemoteEngineTest : EngineTest {
  RemoteEngineTest() { spec.engine = ModelEngine::remote; }

  // A server on the test's own loop that answers with `status` and notes what it was asked.
  void serve(int status) {
    net::Handler handler = [this, status](net::Exchange& exchange) -> net::Awaitable<void> {
      asked.push_back(exchange.request().target);
      bearer = exchange.request().headers.find("Authorization").value_or("");
      net::Response response;
      response.status = status;
      co_await exchange.respond(std::move(response));
    };
    server = std::make_unique<net::Server>(loop, std::move(handler));
    url = "http://" + net::to_text(server->listen(net::Endpoint::tcp("127.0.0.1", 0)).value());
  }

  std::unique_ptr<net::Server> server;
  std::string url, bearer;
  std::vector<std::string> asked;
};

TEST_F(RemoteEngineTest, is_asked_and_relayed_to_and_has_no_processes) {
  serve(200);
  dir.write("key", "sesame\n");
  spec.url = url + "/v1";
  spec.ready = url + "/health";
  spec.api_key = "file:" + dir.path() + "/key";
  make();
  const auto facts = run(engine->probe());
  ASSERT_TRUE(facts) << facts.error().sentence();
  EXPECT_FALSE(facts->can_sleep);
  EXPECT_EQ(engine->record(), "");
  const auto running = load();
  ASSERT_TRUE(running) << running.error().sentence();
  EXPECT_EQ("http://" + net::to_text(running->endpoint), url);
  EXPECT_EQ(running->path_prefix, "/v1");
  EXPECT_FALSE(running->holder);
  EXPECT_TRUE(holders.empty());
  EXPECT_TRUE(engine->roots().empty());
  EXPECT_EQ(asked, (std::vector<std::string>{"/health", "/health"}));
  EXPECT_EQ(bearer, "Bearer sesame");

  const std::string record = engine->record();
  EXPECT_NE(record, "");
  ASSERT_TRUE(run(engine->stop()));
  EXPECT_EQ(engine->record(), "");
  EXPECT_TRUE(run(engine->adopt(record)));
  EXPECT_FALSE(run(engine->sleep()));
}

TEST_F(RemoteEngineTest, a_status_decides_by_whether_a_url_to_ask_was_given) {
  struct Case {
    int status;
    bool with_ready, without_ready;
  };
  for (const Case& one : {Case{204, true, true}, Case{401, false, true}, Case{404, false, true},
                          Case{500, false, false}, Case{503, false, false}}) {
    serve(one.status);
    spec.url = url;
    spec.ready = url + "/health";
    make();
    EXPECT_EQ(run(engine->probe()).has_value(), one.with_ready) << one.status;
    spec.ready.clear();
    make();
    EXPECT_EQ(run(engine->probe()).has_value(), one.without_ready) << one.status;
  }
}

TEST_F(RemoteEngineTest, what_can_not_be_reached_is_told) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "has no address"},
      {"https://api.example/v1", "no TLS"},
      {"http://api.example/v1", "no address of a model"},
      {"http://127.0.0.1:1/", "nothing is listening on 127.0.0.1:1"},
  };
  for (const auto& [wrong, told] : cases) {
    spec.url = wrong;
    make();
    const auto facts = run(engine->probe());
    ASSERT_FALSE(facts) << wrong;
    EXPECT_NE(facts.error().what.find(told), std::string::npos) << facts.error().what;
    EXPECT_FALSE(load());
    EXPECT_EQ(engine->record(), "");
  }
  spec.url = "http://127.0.0.1:1/";
  spec.api_key = "file:/no/such/key";
  make();
  const auto facts = run(engine->probe());
  ASSERT_FALSE(facts);
  EXPECT_NE(facts.error().what.find("/no/such/key"), std::string::npos);
}

}  // namespace
}  // namespace estiva::engines
