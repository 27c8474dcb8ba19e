// The server on real sockets: every limit is reached, every fault is answered.
#include "net/target.h"
#include "net_fixture.h"

namespace estiva::net {
namespace {

const std::string kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

TEST(Server, answers_on_tcp_unix_and_ipv6) {
  const TempDir dir;
  for (const std::string& where :
       {std::string("127.0.0.1:0"), std::string("[::1]:0"), "unix:" + (dir / "api.sock")}) {
    TestServer server(echo(), {}, parse_endpoint(where).value());
    ClientRequest request;
    request.method = "POST";
    request.target = "/a";
    request.body = "hello";
    const auto response = fetch(server.endpoint, request);
    ASSERT_TRUE(response) << where << response.error().sentence();
    EXPECT_EQ(response->body, "POST /a hello");
    EXPECT_TRUE(response->head.headers.has("date"));
  }
}

TEST(Server, keeps_the_connection_and_serves_pipelined_requests_in_order) {
  TestServer server(echo());
  Raw client(server.endpoint);
  std::string many;
  int count = 0;
  while (many.size() < (64 << 10)) {
    many +=
        "POST /" + std::to_string(count++) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  }
  std::thread sender([&] { EXPECT_EQ(client.send(many), many.size()); });
  const std::string last = "POST /" + std::to_string(count - 1) + " abc";
  const std::string answers = client.read_to(last);
  sender.join();
  EXPECT_EQ(occurrences(answers, "HTTP/1.1 200 OK"), static_cast<std::size_t>(count));
  std::size_t at = 0;
  for (int i = 0; i < count && at != std::string::npos; ++i)
    at = answers.find("POST /" + std::to_string(i) + " abc", at);
  EXPECT_NE(at, std::string::npos) << "an answer is out of order";
  EXPECT_EQ(server.stats().connections, 1u);
}

TEST(Server, reads_a_request_that_arrives_byte_by_byte) {
  TestServer server(echo());
  Raw client(server.endpoint);
  const std::string text =
      "POST /slow HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
  for (const char c : text) client.send({&c, 1});
  EXPECT_NE(client.read_to("POST /slow abc").find("200 OK"), std::string::npos);
}

TEST(Server, refuses_smuggling_and_closes_before_the_second_request) {
  const char* rows[] = {
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: "
      "chunked\r\n\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\n",
      "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n",
      "GET / HTTP/1.1\nHost: h\n\n",
      "\x16\x03\x01\x02\x00",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  };
  std::atomic<int> smuggled = 0;
  TestServer server([&](Exchange& exchange) -> Awaitable<void> {
    if (exchange.request().target == "/smuggled") ++smuggled;
    auto body = co_await exchange.read_body(1000);
    Response response;
    response.status = body ? 200 : 400;
    co_await exchange.respond(std::move(response));
  });
  for (const std::string text : rows) {
    Raw client(server.endpoint);
    client.send(text + "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n");
    client.half_close();
    const std::string answer = client.read_all();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << text << "\n" << answer;
    EXPECT_EQ(occurrences(answer, "HTTP/1.1"), 1u) << text;
  }
  EXPECT_EQ(smuggled, 0);
}

TEST(Server, limits_the_header) {
  TestServer server(echo(), {.header_bytes = 4096});
  Raw big(server.endpoint);
  big.send("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(5000, 'a') + "\r\n\r\n");
  EXPECT_TRUE(big.read_all().starts_with("HTTP/1.1 431"));
  Raw fits(server.endpoint);
  fits.send("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(4000, 'a') + "\r\n\r\n");
  EXPECT_TRUE(fits.read_to("GET /").starts_with("HTTP/1.1 200"));
}

TEST(Server, limits_the_body_announced_or_chunked) {
  TestServer server(echo(), {.body_bytes = 1000});
  const std::string body(1001, 'b');
  Raw counted(server.endpoint);
  counted.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n" + body);
  EXPECT_TRUE(counted.read_all().starts_with("HTTP/1.1 413"));
  Raw chunked(server.endpoint);
  chunked.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + body);
  EXPECT_TRUE(chunked.read_all().starts_with("HTTP/1.1 413"));
  Raw fits(server.endpoint);
  fits.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n" + body.substr(1));
  EXPECT_TRUE(fits.read_to("bbb").starts_with("HTTP/1.1 200"));
}

TEST(Server, turns_connections_away_beyond_the_cap) {
  TestServer server(echo(), {.connections = 2});
  Raw one(server.endpoint), two(server.endpoint);
  one.send(kGet);
  two.send(kGet);
  EXPECT_NE(one.read_to("GET /x").find("200"), std::string::npos);
  EXPECT_NE(two.read_to("GET /x").find("200"), std::string::npos);
  Raw three(server.endpoint);
  EXPECT_TRUE(three.read_all().starts_with("HTTP/1.1 503"));
  one.close();
  EXPECT_TRUE(eventually([&] { return server.stats().connections == 1; }));
  Raw four(server.endpoint);
  four.send(kGet);
  EXPECT_NE(four.read_to("GET /x").find("200"), std::string::npos);
  EXPECT_EQ(server.stats().refused, 1u);
}

TEST(Server, a_slow_loris_is_cut_off_however_it_trickles) {
  TestServer server(echo(), {.header_time = 200ms});
  Raw client(server.endpoint);
  client.send("GET / HTTP/1.1\r\n");
  std::atomic<bool> stop = false;
  std::thread trickle([&] {
    while (!stop) {
      client.send("A");
      std::this_thread::sleep_for(20ms);
    }
  });
  const std::string answer = client.read_all();
  stop = true;
  trickle.join();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408")) << answer;
  EXPECT_EQ(server.stats().timed_out, 1u);
}

TEST(Server, an_idle_connection_is_closed_without_a_word) {
  TestServer server(echo(), {.idle_time = 100ms});
  Raw client(server.endpoint);
  EXPECT_EQ(client.read_all(), "");
  EXPECT_TRUE(client.ended);
}

TEST(Server, a_body_that_trickles_is_cut_off) {
  TestServer server(echo(), {.body_window = 200ms, .body_window_bytes = 1000});
  Raw client(server.endpoint);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  std::atomic<bool> stop = false;
  std::thread trickle([&] {
    while (!stop) {
      client.send("A");
      std::this_thread::sleep_for(20ms);
    }
  });
  const std::string answer = client.read_all();
  stop = true;
  trickle.join();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413")) << "echo's answer to a failed read: " << answer;
  EXPECT_EQ(server.stats().timed_out, 1u);
}

TEST(Server, ten_megabytes_of_garbage_do_no_harm) {
  TestServer server(echo());
  Raw client(server.endpoint);
  std::string garbage(10 << 20, 'x');
  for (std::size_t i = 0; i < garbage.size(); ++i)
    garbage[i] = static_cast<char>(i * 2654435761u >> 7);
  std::thread sender([&] { client.send(garbage, 5s); });
  const std::string answer = client.read_all();
  sender.join();
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 4")) << answer.substr(0, 80);
  EXPECT_TRUE(fetch(server.endpoint, {}));
}

TEST(Server, a_client_that_hangs_up_wakes_the_waiting_handler) {
  std::atomic<int> state = 0;
  std::unique_ptr<Notice> never;
  TestServer server([&](Exchange& exchange) -> Awaitable<void> {
    exchange.on_hang_up([&] { ++state; });
    if (co_await exchange.wait(*never) == Wake::hung_up) ++state;
    co_await exchange.hung_up();  // returns at once from now on
    if (exchange.is_hung_up()) ++state;
  });
  server.thread.on_loop([&] { never = std::make_unique<Notice>(server.thread.loop); });
  for (const bool pipelined : {false, true}) {
    state = 0;
    Raw client(server.endpoint);
    client.send(pipelined ? kGet + kGet : kGet);
    ASSERT_TRUE(eventually([&] {
      bool waits = false;
      server.thread.on_loop([&] { waits = never->waiting() == 1; });
      return waits;
    }));
    EXPECT_EQ(state, 0);
    client.close();
    EXPECT_TRUE(eventually([&] { return state == 3; })) << "pipelined: " << pipelined;
  }
  EXPECT_TRUE(eventually([&] { return server.stats().hung_up == 2; }));
  server.thread.on_loop([&] { never.reset(); });
}

TEST(Server, a_notice_or_a_time_out_wakes_the_waiting_handler_too) {
  std::unique_ptr<Notice> notice;
  TestServer server([&](Exchange& exchange) -> Awaitable<void> {
    const Wake why = exchange.request().target == "/timed" ? co_await exchange.wait(*notice, 10ms)
                                                           : co_await exchange.wait(*notice);
    Response response;
    response.body = why == Wake::notified ? "notified" : "timed out";
    co_await exchange.respond(std::move(response));
  });
  server.thread.on_loop([&] { notice = std::make_unique<Notice>(server.thread.loop); });
  ClientRequest timed;
  timed.target = "/timed";
  EXPECT_EQ(fetch(server.endpoint, timed)->body, "timed out");
  Raw client(server.endpoint);
  client.send(kGet);
  ASSERT_TRUE(eventually([&] {
    bool waits = false;
    server.thread.on_loop([&] { waits = notice->waiting() == 1; });
    return waits;
  }));
  server.thread.on_loop([&] { notice->notify_all(); });
  EXPECT_NE(client.read_to("notified").find("200"), std::string::npos);
  // The connection was watched meanwhile; it must still serve the next request.
  client.send("GET /timed HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(client.read_to("timed out").find("200"), std::string::npos);
  server.thread.on_loop([&] { notice.reset(); });
}

TEST(Server, a_reader_that_stops_makes_the_producer_stop) {
  std::atomic<std::size_t> produced = 0;
  std::atomic<bool> over = false;
  TestServer server(
      [&](Exchange& exchange) -> Awaitable<void> {
        const std::string piece(64 << 10, 'p');
        ResponseHead head;
        if (!co_await exchange.start(std::move(head))) co_return;
        while (co_await exchange.write(piece)) produced += piece.size();
        over = true;
      },
      {.write_stall = 300ms});
  Raw client(server.endpoint);
  client.send(kGet);
  EXPECT_TRUE(eventually([&] { return over.load(); })) << "the stall limit must end it";
  // Only what the two socket buffers hold was produced, not what a producer could make.
  EXPECT_LT(produced, std::size_t{32} << 20);
  EXPECT_EQ(server.stats().timed_out, 1u);
}

TEST(Server, a_handler_that_does_not_read_makes_the_sender_stop) {
  std::unique_ptr<Notice> go;
  TestServer server(
      [&](Exchange& exchange) -> Awaitable<void> {
        co_await exchange.wait(*go);
        auto body = co_await exchange.read_body(std::size_t{256} << 20);
        Response response;
        response.body = std::to_string(body ? body->size() : 0);
        co_await exchange.respond(std::move(response));
      },
      {.body_bytes = std::uint64_t{256} << 20});
  server.thread.on_loop([&] { go = std::make_unique<Notice>(server.thread.loop); });
  Raw client(server.endpoint);
  const std::size_t total = std::size_t{64} << 20;
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(total) +
              "\r\n\r\n");
  const std::string body(total, 'b');
  const std::size_t first = client.send(body, 300ms);
  EXPECT_LT(first, total) << "the kernel's buffers can't hold it all: somebody read it";
  server.thread.on_loop([&] { go->notify_all(); });
  EXPECT_EQ(client.send(std::string_view(body).substr(first)), total - first);
  EXPECT_NE(client.read_to("\r\n\r\n" + std::to_string(total)).find("200"), std::string::npos);
  server.thread.on_loop([&] { go.reset(); });
}

TEST(Server, sends_100_continue_only_to_who_waits_for_it) {
  TestServer server(echo());
  Raw client(server.endpoint);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read_to("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  const std::string answer = client.read_to("POST / abc");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200"));
}

TEST(Server, head_has_the_length_and_no_body_and_http_1_0_is_closed) {
  TestServer server(echo());
  Raw client(server.endpoint);
  client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n" + kGet);
  const std::string answer = client.read_to("GET /x ");
  EXPECT_EQ(occurrences(answer, "HEAD /x"), 0u);
  EXPECT_EQ(occurrences(answer, "Content-Length: "), 2u);
  Raw old(server.endpoint);
  old.send("GET /x HTTP/1.0\r\n\r\n");
  const std::string closed = old.read_all();
  EXPECT_NE(closed.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(old.ended);
}

TEST(Server, a_streamed_response_is_chunked_or_counted) {
  TestServer server([](Exchange& exchange) -> Awaitable<void> {
    const bool counted = exchange.request().target == "/counted";
    ResponseHead head;
    head.headers.add("X-Case", "Kept");
    co_await exchange.start(std::move(head),
                            counted ? std::optional<std::uint64_t>(6) : std::nullopt);
    co_await exchange.write("abc");
    co_await exchange.write("def");
    const auto over = co_await exchange.write(counted ? "g" : "");
    if (counted && over) co_return;
    co_await exchange.finish();
  });
  for (const char* target : {"/counted", "/chunked"}) {
    ClientRequest request;
    request.target = target;
    const auto response = fetch(server.endpoint, request);
    ASSERT_TRUE(response) << response.error().sentence();
    EXPECT_EQ(response->body, "abcdef");
    EXPECT_EQ(response->head.headers.find("X-Case"), "Kept");
  }
}

TEST(Server, a_handler_that_fails_is_a_500_and_one_that_breaks_off_is_a_cut) {
  TestServer server([](Exchange& exchange) -> Awaitable<void> {
    if (exchange.request().target == "/throw") throw std::runtime_error("oops");
    if (exchange.request().target == "/cut") {
      ResponseHead head;
      co_await exchange.start(std::move(head));
      co_await exchange.write("abc");
    }
  });
  for (const char* target : {"/throw", "/silent"}) {
    ClientRequest request;
    request.target = target;
    EXPECT_EQ(fetch(server.endpoint, request)->head.status, 500);
  }
  ClientRequest cut;
  cut.target = "/cut";
  EXPECT_FALSE(fetch(server.endpoint, cut)) << "a truncated body must not look whole";
}

TEST(Server, events_arrive_one_by_one_and_end_when_the_reader_has_enough) {
  std::atomic<bool> gone = false;
  TestServer server([&](Exchange& exchange) -> Awaitable<void> {
    co_await exchange.start_events();
    for (int i = 0; !gone; ++i) {
      Event event;
      event.name = "tick";
      event.data = std::to_string(i);
      if (!co_await exchange.send_event(event)) gone = true;
    }
  });
  int seen = 0;
  const auto done = fetch_events(server.endpoint, {}, [&](const Event& event) {
    EXPECT_EQ(event.name, "tick");
    EXPECT_EQ(event.data, std::to_string(seen));
    return ++seen < 100;
  });
  ASSERT_TRUE(done) << done.error().sentence();
  EXPECT_EQ(seen, 100);
  EXPECT_TRUE(eventually([&] { return gone.load(); }));
}

TEST(EventStream, takes_what_has_arrived_and_never_waits) {
  std::unique_ptr<Notice> go;
  TestServer server([&](Exchange& exchange) -> Awaitable<void> {
    co_await exchange.start_events();
    co_await exchange.write("event: tick\nda");
    co_await exchange.wait(*go);
    co_await exchange.write("ta: 1\n\nevent: tick\ndata: 2\n\n:\n\n");
    co_await exchange.wait(*go);
    co_await exchange.finish();
  });
  server.thread.on_loop([&] { go = std::make_unique<Notice>(server.thread.loop); });
  const auto waiting = [&] {
    std::size_t count = 0;
    server.thread.on_loop([&] { count = go->waiting(); });
    return count == 1;
  };
  auto stream = EventStream::open(server.endpoint, {});
  ASSERT_TRUE(stream) << stream.error().sentence();
  ASSERT_TRUE(eventually(waiting));
  auto half = stream->take();
  ASSERT_TRUE(half) << half.error().sentence();
  EXPECT_FALSE(*half) << "half an event is none";
  server.thread.on_loop([&] { go->notify_all(); });
  for (const char* data : {"1", "2"}) {
    Result<std::optional<Event>> event;
    ASSERT_TRUE(eventually([&] { return (event = stream->take()) && *event; }));
    EXPECT_EQ((*event)->data, data);
  }
  EXPECT_FALSE(*stream->take());
  ASSERT_TRUE(eventually(waiting));
  server.thread.on_loop([&] { go->notify_all(); });
  pollfd query{stream->fd(), POLLIN, 0};
  ASSERT_EQ(poll(&query, 1, static_cast<int>(kHang.count())), 1);
  Result<std::optional<Event>> end;
  ASSERT_TRUE(eventually([&] { return !(end = stream->take()); }));
  EXPECT_NE(end.error().what.find("ended its event stream"), std::string::npos);
  EXPECT_FALSE(stream->take()) << "and it stays so";
  server.thread.on_loop([&] { go.reset(); });
}

TEST(EventStream, another_answer_is_an_error_that_says_which) {
  TestServer server([](Exchange& exchange) -> Awaitable<void> {
    Response response;
    response.status = 404;
    response.content_type = "application/json";
    co_await exchange.respond(std::move(response));
  });
  const auto stream = EventStream::open(server.endpoint, {});
  ASSERT_FALSE(stream);
  EXPECT_NE(stream.error().what.find("404 application/json"), std::string::npos);
  const auto nobody = EventStream::open(Endpoint::unix_path("/nowhere/s"), {});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().kind, ErrorKind::not_found);
}

}  // namespace
}  // namespace estiva::net
