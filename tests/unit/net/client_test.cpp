// The clients and the relay against real servers, well-behaved and not.
#include "net/client.h"

#include "net/relay.h"
#include "net_fixture.h"

namespace estiva::net {
namespace {

// Answers each connection with a fixed text, whatever it is asked, and counts connections.
class Script {
 public:
  // `answers[i]` goes to the i-th connection after its first bytes; then it is closed.
  explicit Script(std::vector<std::string> answers, bool keep_open = false) {
    bound_ = std::move(open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value());
    endpoint = bound_.endpoint;
    thread_ = std::thread([this, answers = std::move(answers), keep_open] {
      std::vector<UniqueFd> open;
      for (const std::string& answer : answers) {
        pollfd query{bound_.fd.get(), POLLIN, 0};
        if (poll(&query, 1, 10'000) <= 0) return;
        UniqueFd fd(accept(bound_.fd.get(), nullptr, nullptr));
        ++connections;
        char request[65536];
        if (recv(fd.get(), request, sizeof request, 0) <= 0) continue;
        ::send(fd.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
        if (keep_open) open.push_back(std::move(fd));
      }
      while (keep_open && !stop_) std::this_thread::sleep_for(5ms);
    });
  }
  ~Script() {
    stop_ = true;
    thread_.join();
  }
  Endpoint endpoint;
  std::atomic<int> connections = 0;

 private:
  BoundSocket bound_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

struct Clients {
  explicit Clients(ClientLimits limits = {}) {
    thread.on_loop([&] { client = std::make_unique<Client>(thread.loop, limits); });
  }
  ~Clients() {
    thread.on_loop([&] { client.reset(); });
  }
  Result<ClientResponse> send(Endpoint to, ClientRequest request) {
    Result<ClientResponse> out = fail("not run");
    thread.run([](Clients& self, Endpoint where, ClientRequest what,
                  Result<ClientResponse>& result) -> Awaitable<void> {
      result = co_await self.client->send(where, what);
    }(*this, std::move(to), std::move(request), out));
    return out;
  }
  LoopThread thread;
  std::unique_ptr<Client> client;
};

ClientRequest post(std::string target, std::string body) {
  ClientRequest request;
  request.method = "POST";
  request.target = std::move(target);
  request.body = std::move(body);
  return request;
}

TEST(Client, reuses_one_connection_for_many_requests) {
  TestServer server(echo());
  Clients clients;
  for (int i = 0; i < 20; ++i) {
    const auto response = clients.send(server.endpoint, post("/" + std::to_string(i), "b"));
    ASSERT_TRUE(response) << response.error().sentence();
    EXPECT_EQ(response->body, "POST /" + std::to_string(i) + " b");
  }
  EXPECT_EQ(server.stats().accepted, 1u);
  EXPECT_EQ(clients.client->pooled(), 1u);
}

TEST(Client, the_pool_is_bounded_and_forgets_old_connections) {
  TestServer server(echo());
  Clients clients({.pool_time = 100ms, .pooled_per_endpoint = 0});
  ASSERT_TRUE(clients.send(server.endpoint, {}));
  EXPECT_EQ(clients.client->pooled(), 0u);
  Clients forgetful({.pool_time = 50ms});
  ASSERT_TRUE(forgetful.send(server.endpoint, {}));
  EXPECT_EQ(forgetful.client->pooled(), 1u);
  EXPECT_TRUE(eventually([&] {
    std::size_t pooled = 1;
    forgetful.thread.on_loop([&] { pooled = forgetful.client->pooled(); });
    return pooled == 0;
  }));
}

TEST(Client, gives_up_the_pooled_connections_of_one_server) {
  TestServer server(echo()), other(echo());
  Clients clients;
  ASSERT_TRUE(clients.send(server.endpoint, {}));
  ASSERT_TRUE(clients.send(other.endpoint, {}));
  std::size_t pooled = 0;
  clients.thread.on_loop([&] {
    clients.client->close_idle(server.endpoint);
    clients.client->close_idle(Endpoint::tcp("127.0.0.1", 1));
    pooled = clients.client->pooled();
  });
  EXPECT_EQ(pooled, 1u);
  ASSERT_TRUE(clients.send(server.endpoint, {}));
  ASSERT_TRUE(clients.send(other.endpoint, {}));
  EXPECT_EQ(server.stats().accepted, 2u);
  EXPECT_EQ(other.stats().accepted, 1u);
}

// A server that closes a pooled connection at the very moment it is used: it reads the second
// request and closes without a byte.
TEST(Client, retries_once_on_a_connection_that_went_stale_but_only_what_is_safe) {
  for (const bool safe : {true, false}) {
    BoundSocket listener = std::move(open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value());
    std::atomic<int> connections = 0;
    std::thread peer([&] {
      const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      char request[4096];
      for (int i = 0; i < (safe ? 2 : 1); ++i) {
        pollfd query{listener.fd.get(), POLLIN, 0};
        if (poll(&query, 1, 10'000) <= 0) return;
        UniqueFd fd(accept(listener.fd.get(), nullptr, nullptr));
        ++connections;
        if (recv(fd.get(), request, sizeof request, 0) <= 0) return;
        ::send(fd.get(), ok.data(), ok.size(), MSG_NOSIGNAL);
        if (i == 0 && recv(fd.get(), request, sizeof request, 0) <= 0) return;
      }
    });
    Clients clients;
    EXPECT_TRUE(clients.send(listener.endpoint, {}));
    ClientRequest second = safe ? ClientRequest{} : post("/", "x");
    const auto response = clients.send(listener.endpoint, second);
    EXPECT_EQ(response.has_value(), safe);
    peer.join();
    EXPECT_EQ(connections, safe ? 2 : 1);
  }
}

TEST(Client, errors_say_what_happened) {
  Clients clients({.connect_time = 200ms, .response_time = 200ms, .idle_time = 200ms});
  const Endpoint nobody = open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value().endpoint;
  for (const auto& response : {clients.send(nobody, {}), fetch(nobody, {})}) {
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::not_found) << response.error().sentence();
    EXPECT_FALSE(response.error().remedy.empty());
  }
  EXPECT_EQ(fetch(Endpoint::unix_path("/nonexistent/s"), {}).error().kind, ErrorKind::not_found);

  const BoundSocket deaf = std::move(open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value());
  EXPECT_EQ(clients.send(deaf.endpoint, {}).error().kind, ErrorKind::timed_out);
  EXPECT_EQ(fetch(deaf.endpoint, {}, {.total_time = 200ms}).error().kind, ErrorKind::timed_out);
}

TEST(Client, a_fetch_ends_when_what_is_watched_beside_it_says_so) {
  const BoundSocket deaf = std::move(open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value());
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const UniqueFd reads(pipe[0]), writes(pipe[1]);
  ASSERT_EQ(::write(pipe[1], "nothing, end", 12), 12);
  int asked = 0;
  FetchLimits limits;
  limits.beside = reads.get();
  limits.stops = [&] {
    char word[8];
    const ssize_t got = ::read(reads.get(), word, asked++ == 0 ? 8 : 4);
    return got == 4;  // the first word does not end it
  };
  const auto answer = fetch(deaf.endpoint, {}, limits);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::refused);
  EXPECT_EQ(asked, 2);
}

TEST(Client, responses_that_are_wrong_or_cut_short_are_errors) {
  const std::vector<std::string> rows = {
      "",
      "HTTP/1.1 200 OK\r\nContent-Len",
      "garbage\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nA: " + std::string(70'000, 'a') + "\r\n\r\n",
  };
  std::vector<std::string> twice;
  for (const std::string& row : rows) twice.insert(twice.end(), {row, row});
  Script script(twice);
  Clients clients;
  for (const std::string& row : rows) {
    EXPECT_FALSE(clients.send(script.endpoint, {})) << row.substr(0, 60);
    EXPECT_FALSE(fetch(script.endpoint, {})) << row.substr(0, 60);
  }
  EXPECT_EQ(clients.client->pooled(), 0u);
}

TEST(Client, reads_until_close_skips_100_and_ignores_bytes_out_of_turn) {
  const std::string close = "HTTP/1.1 200 OK\r\n\r\nuntil the end";
  const std::string early =
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  const std::string extra =
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\nevil";
  Script script({close, close, early, early, extra, extra});
  Clients clients;
  for (const std::string& body :
       {std::string("until the end"), std::string("ok"), std::string("ok")}) {
    EXPECT_EQ(clients.send(script.endpoint, {}).value().body, body);
    EXPECT_EQ(fetch(script.endpoint, {}).value().body, body);
  }
  EXPECT_EQ(script.connections, 6) << "a connection with bytes out of turn was used again";
}

TEST(Client, a_body_beyond_the_limit_is_refused) {
  TestServer server(echo());
  Clients clients({.body_bytes = 1000});
  EXPECT_FALSE(clients.send(server.endpoint, post("/", std::string(2000, 'x'))));
  EXPECT_FALSE(fetch(server.endpoint, post("/", std::string(2000, 'x')), {.body_bytes = 1000}));
}

Awaitable<void> stream_both_ways(Client& client, Endpoint to, std::string& out) {
  RequestHead head;
  head.method = "POST";
  head.target = "/s";
  auto call = co_await client.open_streaming(to, std::move(head), std::nullopt);
  if (!call) co_return;
  co_await (*call)->write("one ");
  co_await (*call)->write("two");
  co_await (*call)->finish();
  auto response = co_await (*call)->response();
  if (!response) co_return;
  while (true) {
    auto piece = co_await (*call)->read_some();
    if (!piece || piece->empty()) co_return;
    out.append(*piece);
  }
}

Awaitable<void> read_events(Client& client, Endpoint to, int& seen) {
  ClientRequest request;
  auto call = co_await client.open(to, std::move(request));
  if (!call) co_return;
  while (true) {
    auto event = co_await (*call)->next_event();
    if (!event || !*event) co_return;
    if ((*event)->data == std::to_string(seen)) ++seen;
  }
}

TEST(Client, streams_both_ways_and_reads_events) {
  TestServer server(echo());
  Clients clients;
  std::string out;
  clients.thread.run(stream_both_ways(*clients.client, server.endpoint, out));
  EXPECT_EQ(out, "POST /s one two");
  TestServer events([](Exchange& exchange) -> Awaitable<void> {
    co_await exchange.start_events();
    for (int i = 0; i < 50; ++i) {
      Event event;
      event.data = std::to_string(i);
      co_await exchange.send_event(event);
    }
    co_await exchange.finish();
  });
  int seen = 0;
  clients.thread.run(read_events(*clients.client, events.endpoint, seen));
  EXPECT_EQ(seen, 50);
}

Awaitable<void> cancel_while_waiting(Loop& loop, Client& client, Endpoint to, std::string& why) {
  RequestHead head;
  head.method = "GET";
  head.target = "/";
  auto call = co_await client.open_streaming(to, std::move(head), 0);
  if (!call) co_return;
  loop.post([raw = call->get()] { raw->cancel(); });
  auto response = co_await (*call)->response();
  if (!response) why = response.error().what;
}

TEST(Client, a_call_can_be_cancelled_while_it_waits) {
  const BoundSocket deaf = std::move(open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value());
  Clients clients;
  std::string why;
  clients.thread.run(
      cancel_while_waiting(clients.thread.loop, *clients.client, deaf.endpoint, why));
  EXPECT_FALSE(why.empty());
}

// --- relay --------------------------------------------------------------------------------------

class RelayServer {
 public:
  explicit RelayServer(const Endpoint& upstream, ClientLimits limits = {})
      : server(
            [this, upstream](Exchange& exchange) -> Awaitable<void> {
              auto done = co_await relay(exchange, *client, upstream);
              last_ok = done.has_value();
              ++relayed;
            },
            {.body_bytes = std::uint64_t{1} << 30}) {
    server.thread.on_loop([&] { client = std::make_unique<Client>(server.thread.loop, limits); });
  }
  ~RelayServer() {
    server.thread.on_loop([&] {
      server.server.reset();
      client.reset();
    });
  }
  std::unique_ptr<Client> client;
  std::atomic<int> relayed = 0;
  std::atomic<bool> last_ok = false;
  TestServer server;
};

TEST(Relay, passes_bodies_of_every_size_and_framing_verbatim) {
  TestServer upstream(echo(), {.body_bytes = 64 << 20});
  RelayServer proxy(upstream.endpoint);
  for (const std::size_t size : {0, 1, 160, 65536, 65537, 10 << 20}) {
    std::string body(size, 'x');
    for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * 31 + i / 251);
    const auto response = fetch(proxy.server.endpoint, post("/p", body));
    ASSERT_TRUE(response) << size << response.error().sentence();
    EXPECT_TRUE(response->body == "POST /p " + body) << size;
  }
  Raw chunked(proxy.server.endpoint);
  chunked.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  chunked.send("2\r\nde\r\n0\r\n\r\n");
  EXPECT_NE(chunked.read_to("POST /c abcde").find("200 OK"), std::string::npos);
  EXPECT_LE(upstream.stats().accepted, 8u) << "small requests share pooled connections";
}

TEST(Relay, filters_hop_by_hop_fields_and_keeps_the_rest) {
  TestServer upstream([](Exchange& exchange) -> Awaitable<void> {
    Response response;
    for (const HeaderView field : exchange.request().headers)
      response.body.append(field.name).append("=").append(field.value).append(";");
    response.headers = {{"X-Up", "1"}, {"Keep-Alive", "timeout=5"}, {"Server", "up"}};
    co_await exchange.respond(std::move(response));
  });
  RelayServer proxy(upstream.endpoint);
  Raw client(proxy.server.endpoint);
  client.send(
      "GET / HTTP/1.1\r\nHost: h\r\nX-Keep-Case: a\r\nTE: trailers\r\nX-Drop: b\r\n"
      "Connection: X-Drop\r\nX-Drop-Too: c\r\nConnection: X-Drop-Too\r\n"
      "Proxy-Authorization: secret\r\n\r\n");
  const std::string answer = client.read_to("X-Keep-Case=a;");
  EXPECT_EQ(answer.substr(answer.find("\r\n\r\n") + 4), "Host=h;X-Keep-Case=a;");
  EXPECT_NE(answer.find("X-Up: 1"), std::string::npos);
  EXPECT_EQ(answer.find("Keep-Alive: timeout"), std::string::npos);
  EXPECT_EQ(occurrences(answer, "Date: "), 1u);
}

TEST(Relay, an_upstream_that_is_absent_dead_or_slow_is_502_or_504) {
  const Endpoint nobody = open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value().endpoint;
  RelayServer absent(nobody);
  EXPECT_EQ(fetch(absent.server.endpoint, {})->head.status, 502);
  Script dead({"", ""});
  RelayServer to_dead(dead.endpoint);
  EXPECT_EQ(fetch(to_dead.server.endpoint, {})->head.status, 502);
  EXPECT_EQ(fetch(to_dead.server.endpoint, post("/", "x"))->head.status, 502);
  const BoundSocket deaf = std::move(open_listener(Endpoint::tcp("127.0.0.1", 0), 0).value());
  RelayServer slow(deaf.endpoint, {.response_time = 100ms});
  EXPECT_EQ(fetch(slow.server.endpoint, {})->head.status, 504);
  EXPECT_EQ(fetch(slow.server.endpoint, post("/", std::string(1 << 20, 'x')))->head.status, 504);
}

TEST(Relay, an_upstream_that_dies_mid_body_cuts_the_client) {
  Script script({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"});
  RelayServer proxy(script.endpoint);
  for (int i = 0; i < 2; ++i) {
    Raw client(proxy.server.endpoint);
    client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string answer = client.read_all();
    EXPECT_NE(answer.find("abc"), std::string::npos);
    EXPECT_EQ(answer.find("\r\n0\r\n"), std::string::npos) << "a cut body must not look whole";
    EXPECT_TRUE(client.ended);
  }
}

TEST(Relay, events_pass_one_by_one_and_a_hang_up_reaches_the_upstream) {
  std::atomic<bool> upstream_saw_it = false;
  std::unique_ptr<Notice> go;
  TestServer upstream([&](Exchange& exchange) -> Awaitable<void> {
    co_await exchange.start_events();
    Event event;
    event.data = "first";
    co_await exchange.send_event(event);
    upstream_saw_it = co_await exchange.wait(*go) == Wake::hung_up;
  });
  upstream.thread.on_loop([&] { go = std::make_unique<Notice>(upstream.thread.loop); });
  RelayServer proxy(upstream.endpoint);
  Raw client(proxy.server.endpoint);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.read_to("data: first").find("text/event-stream"), std::string::npos);
  EXPECT_FALSE(upstream_saw_it);
  client.close();
  EXPECT_TRUE(eventually([&] { return upstream_saw_it.load(); }));
  EXPECT_TRUE(eventually([&] { return proxy.relayed == 1; }));
  EXPECT_FALSE(proxy.last_ok);
  upstream.thread.on_loop([&] { go.reset(); });
}

TEST(Relay, an_upstream_may_answer_before_it_has_read_the_body) {
  TestServer upstream([](Exchange& exchange) -> Awaitable<void> {
    Response response;
    response.status = 403;
    co_await exchange.respond(std::move(response));
  });
  RelayServer proxy(upstream.endpoint);
  Raw client(proxy.server.endpoint);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nabc");
  EXPECT_TRUE(client.read_to("\r\n\r\n").starts_with("HTTP/1.1 403"));
}

TEST(Relay, a_client_that_does_not_read_stops_the_upstream) {
  std::atomic<std::size_t> produced = 0;
  TestServer upstream([&](Exchange& exchange) -> Awaitable<void> {
    const std::string piece(64 << 10, 'p');
    ResponseHead head;
    co_await exchange.start(std::move(head));
    while (co_await exchange.write(piece)) produced += piece.size();
  });
  RelayServer proxy(upstream.endpoint);
  Raw client(proxy.server.endpoint);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  std::size_t before = 1;
  EXPECT_TRUE(eventually([&] {
    const std::size_t now = produced;
    const bool still = now == before;
    before = now;
    std::this_thread::sleep_for(100ms);
    return still;
  })) << "production must stop";
  EXPECT_LT(produced, std::size_t{64} << 20);
  client.close();
}

}  // namespace
}  // namespace estiva::net
