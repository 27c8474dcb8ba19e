// The two child processes: an upstream and a proxy, both on our own server.
#include <time.h>

#include "bench_parts.h"
#include "net/client.h"
#include "net/relay.h"
#include "net/server.h"
#include "net/target.h"

namespace estiva::bench {
using namespace net;
using std::chrono::microseconds;

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void busy_wait(microseconds time) {
  const std::int64_t end = now_ns() + std::chrono::nanoseconds(time).count();
  while (time.count() > 0 && now_ns() < end) {
  }
}

namespace {

Awaitable<void> send_bulk(Exchange& exchange) {
  static const std::string piece(1 << 20, 'b');
  ResponseHead head;
  if (!co_await exchange.start(std::move(head), kBulkBytes)) co_return;
  for (std::uint64_t sent = 0; sent < kBulkBytes; sent += piece.size())
    if (!co_await exchange.write(piece)) co_return;
  co_await exchange.finish();
}

Awaitable<void> send_events(Loop& loop, Exchange& exchange) {
  const auto target = parse_target(exchange.request().target);
  const int count = target ? std::stoi(std::string(target->find("n").value_or("0"))) : 0;
  if (!co_await exchange.start_events()) co_return;
  for (int i = 0; i < count; ++i) {
    co_await loop.sleep(kEventPeriod);
    Event event;
    event.data = std::to_string(now_ns()) + R"( {"choices":[{"delta":{"content":" token"}}]})";
    if (!co_await exchange.send_event(event)) co_return;
  }
  co_await exchange.finish();
}

int serve(Loop& loop, const Endpoint& where, Handler handler) {
  ServerLimits limits;
  limits.body_bytes = kBulkBytes;
  Server server(loop, std::move(handler), limits);
  if (const auto bound = server.listen(where); !bound) {
    fmt::print(stderr, "{}\n", bound.error().sentence());
    return 1;
  }
  loop.run();
  return 0;
}

// With a handicap, the relay is done by hand so that each piece can be held up.
Awaitable<void> relay_slowly(Exchange& exchange, Client& client, const Endpoint& to,
                             microseconds handicap) {
  ClientRequest request;
  request.target = exchange.request().target;
  auto call = co_await client.open(to, std::move(request));
  if (!call) co_return;
  auto head = co_await (*call)->response();
  if (!head) co_return;
  ResponseHead out;
  if (const auto type = (*head)->headers.find("content-type"))
    out.headers.add("Content-Type", *type);
  const BodyInfo& info = (*call)->body_info();
  std::optional<std::uint64_t> length;
  if (info.framing == Framing::length) length = info.length;
  if (!co_await exchange.start(std::move(out), length)) co_return;
  while (true) {
    auto piece = co_await (*call)->read_some();
    if (!piece) co_return;
    if (piece->empty()) break;
    busy_wait(handicap);
    if (!co_await exchange.write(*piece)) co_return;
  }
  co_await exchange.finish();
}

}  // namespace

int run_upstream(const Endpoint& where, microseconds handicap) {
  Loop loop;
  return serve(loop, where, [&loop, handicap](Exchange& exchange) -> Awaitable<void> {
    const std::string& target = exchange.request().target;
    if (target == "/bulk") {
      co_await send_bulk(exchange);
    } else if (target.starts_with("/events")) {
      co_await send_events(loop, exchange);
    } else {
      busy_wait(handicap);
      Response response;
      response.content_type = "application/json";
      response.body.assign(200, 'x');
      co_await exchange.respond(std::move(response));
    }
  });
}

int run_proxy(const Endpoint& where, const Endpoint& upstream, microseconds handicap) {
  Loop loop;
  Client client(loop);
  return serve(loop, where, [&, handicap](Exchange& exchange) -> Awaitable<void> {
    if (handicap.count() > 0)
      co_await relay_slowly(exchange, client, upstream, handicap);
    else
      (void)co_await relay(exchange, client, upstream);
  });
}

}  // namespace estiva::bench
