#include "api/routes.h"

#include <fmt/format.h>
#include <unistd.h>

#include "api/caller_routes.h"
#include "api/journal_routes.h"
#include "api/json.h"
#include "api/key_routes.h"
#include "api/lease_routes.h"
#include "api/library_routes.h"
#include "api/login_routes.h"
#include "api/metrics.h"
#include "api/model_routes.h"
#include "base/messages/api.h"
#include "base/messages/api_keys.h"
#include "format/json_writer.h"
#include "net/target.h"

namespace estiva::api {
namespace {

using namespace std::chrono_literals;

// An idle event stream says so this often, so that proxies and clients know it lives.
constexpr Nanoseconds kKeepAlive = 15s;

net::Awaitable<void> healthz(Backend& backend, net::Exchange& exchange) {
  const Check check = gpu_status(*backend.world());
  std::string text;
  format::JsonWriter json(text);
  json.begin_object()
      .field("schema", "estiva/healthz/1")
      .field("gpu_status", check.state)
      .end_object();
  co_await send_json(exchange, check.state == "UNHEALTHY" ? 503 : 200, std::move(text));
}

// `with_names`: asked for by the control socket or with the token. Others get
// numbers, and no names that users gave.
net::Awaitable<void> metrics(Backend& backend, net::Exchange& exchange, bool with_names) {
  char hostname[256] = {};
  if (with_names) ::gethostname(hostname, sizeof hostname - 1);
  const auto accept = exchange.request().headers.find("Accept");
  MetricsOptions options{form_for(accept.value_or("")), with_names, hostname};
  net::Response response;
  response.status = 200;
  response.content_type = format::Exposition::content_type(options.form);
  const Residents* residents = backend.residents();
  const auto models = residents == nullptr ? std::vector<ModelStatus>() : residents->models();
  response.body = metrics_text(*backend.world(), models, options);
  (void)co_await exchange.respond(std::move(response));
}

// One event for each published World, the newest first seen at once; a slow client gets the newest
// there is when it is ready again, never a queue of old ones.
net::Awaitable<void> events(Backend& backend, net::Exchange& exchange,
                            std::function<bool()> is_welcome) {
  if (!co_await exchange.start_events()) co_return;
  std::uint64_t sent = 0;
  while (!backend.is_ending() && is_welcome()) {
    // The first is the newest there is: the client may have been told of it already. Then only what
    // is published, or one that is slow to take each event would be sent more than that.
    const WorldPtr world = sent == 0 ? backend.world() : backend.published();
    if (world->sequence > sent) {
      sent = world->sequence;
      net::Event event{"world", fmt::format("{}", sent), status_json(*world)};
      if (!co_await exchange.send_event(event)) co_return;
      continue;
    }
    const net::Wake wake = co_await exchange.wait(backend.changed(), kKeepAlive);
    if (wake == net::Wake::hung_up) co_return;
    if (wake == net::Wake::timed_out && !co_await exchange.write(net::kEventKeepAlive)) co_return;
  }
  (void)co_await exchange.finish();
}

// Who may ask: what does not change, and who logged in meanwhile.
struct Guard {
  Access access;
  decide::LoginBook book;
};

// The control socket's mode is its guard; TCP needs the token.
bool shows_token(const net::Exchange& exchange, const Access& access) {
  if (exchange.listener() == kControlListener) return true;
  const auto given = net::bearer_token(exchange.request());
  return given && net::equal_in_constant_time(*given, access.token);
}

bool is_trusted(const net::Exchange& exchange, Guard& guard) {
  return shows_token(exchange, guard.access) || has_session(guard.book, exchange.request());
}

bool is_get(const net::Exchange& exchange) {
  return exchange.request().method == "GET" || exchange.request().method == "HEAD";
}

// These look after themselves.
bool is_open(std::string_view path) {
  return path == "/healthz" || path == "/login" || path == "/logout";
}

struct Turned {
  int status = 403;
  Error error;
};

// Who may not ask, and why. The right Host defeats DNS rebinding, the right Origin a web page
// elsewhere.
std::optional<Turned> turned_away(const net::Exchange& exchange, Guard& guard,
                                  std::string_view path) {
  const net::RequestHead& head = exchange.request();
  const Access& access = guard.access;
  if (!net::host_allowed(head, access.allowed_hosts)) {
    return Turned{403, {ErrorKind::denied, msg::kHostRefused, msg::kHostRefusedRemedy}};
  }
  if (!net::origin_allowed(head, access.allowed_hosts)) {
    return Turned{403, {ErrorKind::denied, msg::kOriginRefused, {}}};
  }
  // The lease socket shows each client what is its own.
  if (exchange.listener() == kLeaseListener) return std::nullopt;
  if (is_open(path) || shows_token(exchange, access)) return std::nullopt;
  if (has_session(guard.book, head)) {
    // The browser sends the cookie whoever made it ask; who did, only the Origin says.
    if (is_get(exchange) || net::is_same_origin(head)) return std::nullopt;
    return Turned{403, {ErrorKind::denied, msg::kOriginNeeded, msg::kOriginNeededRemedy}};
  }
  const auto given = net::bearer_token(head);
  if (path == "/metrics" && !given) return std::nullopt;
  return Turned{given ? 403 : 401, {ErrorKind::denied, msg::kTokenNeeded, msg::kTokenNeededRemedy}};
}

std::string document(Backend& backend, std::string_view name) {
  const World& world = *backend.world();
  if (name == "gpu") return gpu_json(world);
  if (name == "containers") return containers_json(world);
  if (name == "status" || name == "world") return status_json(world, backend.residents());
  return {};
}

net::Awaitable<void> wrong_method(net::Exchange& exchange, std::string_view path,
                                  std::string_view allow) {
  net::Response response;
  response.status = 405;
  response.content_type = "application/json";
  response.headers.add("Allow", allow);
  response.body = error_json(
      {ErrorKind::usage, fmt::format(msg::kWrongMethod, exchange.request().method, path), {}});
  (void)co_await exchange.respond(std::move(response));
}

net::Awaitable<void> leases(Backend& backend, net::Exchange& exchange, const net::Target& target) {
  const std::string& method = exchange.request().method;
  std::string id(target.find("id").value_or(""));
  if (target.segments.size() == 3) {
    if (method == "GET") co_return co_await send_json(exchange, 200, leases_json(*backend.world()));
    if (method == "POST") co_return co_await post_lease(backend, exchange);
    // Names with a slash can't be a part of the path: DELETE /api/v1/leases?model=NAME.
    const auto named = target.find("model");
    if (method == "DELETE" && named) {
      co_return co_await delete_lease(backend, exchange, std::string(*named), std::move(id));
    }
    co_return co_await wrong_method(exchange, target.path, "GET, POST, DELETE");
  }
  if (method != "DELETE") co_return co_await wrong_method(exchange, target.path, "DELETE");
  co_await delete_lease(backend, exchange, target.segments[3], std::move(id));
}

// DELETE /api/v1/health?device=UUID
net::Awaitable<void> dismiss(Backend& backend, net::Exchange& exchange, const net::Target& target) {
  if (exchange.request().method != "DELETE") {
    co_return co_await wrong_method(exchange, target.path, "DELETE");
  }
  const auto device = target.find("device");
  if (!device || device->empty()) {
    const Error error{ErrorKind::usage, msg::kDeviceNeeded, {}};
    co_return co_await send_error(exchange, error);
  }
  if (auto done = backend.dismiss(std::string(*device)); !done) {
    co_return co_await send_error(exchange, done.error());
  }
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("schema", "estiva/dismiss/1").field("device", *device).end_object();
  co_await send_json(exchange, 200, std::move(text));
}

// POST /api/v1/notify/test
net::Awaitable<void> test_notification(Backend& backend, net::Exchange& exchange,
                                       std::string_view path) {
  if (exchange.request().method != "POST") {
    co_return co_await wrong_method(exchange, path, "POST");
  }
  const auto sent = co_await backend.test_notification();
  if (!sent) co_return co_await send_error(exchange, sent.error());
  co_await send_json(exchange, 200, R"({"schema":"estiva/notify/1","sent":true})");
}

// POST and DELETE /api/v1/login
net::Awaitable<void> codes(Backend& backend, decide::LoginBook& book, net::Exchange& exchange,
                           std::string_view path) {
  const std::string& method = exchange.request().method;
  if (exchange.listener() != kControlListener) {
    const Error error{ErrorKind::denied, msg::kControlOnly, msg::kControlOnlyRemedy};
    co_return co_await send_error(exchange, error);
  }
  if (method == "POST") co_return co_await post_code(backend, book, exchange);
  if (method == "DELETE") co_return co_await end_sessions(book, exchange);
  co_await wrong_method(exchange, path, "POST, DELETE");
}

// What a browser shows; false: the path is no page.
net::Awaitable<bool> route_page(Backend& backend, decide::LoginBook& book, net::Exchange& exchange,
                                const net::Target& target) {
  const bool get = is_get(exchange), post = exchange.request().method == "POST";
  if (target.path == "/" && get) {
    co_await front_page(backend, exchange, has_session(book, exchange.request()));
  } else if (target.path == "/login" && get) {
    co_await login_page(exchange, target);
  } else if (target.path == "/login" && post) {
    co_await log_in(book, exchange);
  } else if (target.path == "/logout" && post) {
    co_await log_out(book, exchange);
  } else if (target.path == "/" || target.path == "/login" || target.path == "/logout") {
    const std::string_view allow = target.path == "/"        ? "GET"
                                   : target.path == "/login" ? "GET, POST"
                                                             : "POST";
    co_await wrong_method(exchange, target.path, allow);
  } else {
    co_return false;
  }
  co_return true;
}

net::Awaitable<void> route(Backend& backend, net::Exchange& exchange, Guard& guard,
                           const net::Target& target) {
  const auto& parts = target.segments;
  const bool v1 = parts.size() >= 3 && parts[0] == "api" && parts[1] == "v1";
  const bool get = is_get(exchange);
  // A stream outlives its request: a browser that was logged out must not go on reading.
  const auto is_welcome = [&exchange, &guard] { return is_trusted(exchange, guard); };
  if (co_await route_page(backend, guard.book, exchange, target)) co_return;
  if (v1 && parts[2] == "login" && parts.size() == 3) {
    co_return co_await codes(backend, guard.book, exchange, target.path);
  }
  if (backend.residents() != nullptr && is_model_route(target)) {
    co_return co_await serve_models(*backend.residents(), exchange, target,
                                    backend.world()->simulated);
  }
  if (backend.keys() != nullptr && is_key_route(target)) {
    if (exchange.listener() == kControlListener)
      co_return co_await serve_keys(*backend.keys(), exchange, target);
    const Error error{ErrorKind::denied, msg::kKeysControlOnly, msg::kKeysControlOnlyRemedy};
    co_return co_await send_error(exchange, error);
  }
  if (v1 && parts[2] == "leases" && parts.size() == 5 && parts[4] == "revoke") {
    if (exchange.request().method != "POST") {
      co_return co_await wrong_method(exchange, target.path, "POST");
    }
    co_return co_await post_revoke(backend, exchange, parts[3]);
  }
  if (v1 && parts[2] == "leases" && parts.size() <= 4) {
    co_return co_await leases(backend, exchange, target);
  }
  if (v1 && parts[2] == "journal") {
    const bool follows = parts.size() == 4 && parts[3] == "follow";
    if (follows || parts.size() == 3) {
      if (!get) co_return co_await wrong_method(exchange, target.path, "GET");
      if (follows) co_return co_await follow_journal(backend, exchange, target, is_welcome);
      co_return co_await get_journal(backend, exchange, target);
    }
  }
  if (v1 && parts[2] == "notify" && parts.size() == 4 && parts[3] == "test") {
    co_return co_await test_notification(backend, exchange, target.path);
  }
  if (v1 && parts[2] == "health" && parts.size() == 3) {
    co_return co_await dismiss(backend, exchange, target);
  }
  if (target.path == "/healthz") {
    if (!get) co_return co_await wrong_method(exchange, target.path, "GET");
    co_return co_await healthz(backend, exchange);
  }
  if (target.path == "/metrics") {
    if (!get) co_return co_await wrong_method(exchange, target.path, "GET");
    co_return co_await metrics(backend, exchange, is_trusted(exchange, guard));
  }
  if (v1 && parts.size() == 3) {
    const bool is_events = parts[2] == "events";
    std::string text = document(backend, parts[2]);
    if (is_events || !text.empty()) {
      if (!get) co_return co_await wrong_method(exchange, target.path, "GET");
      if (is_events) co_return co_await events(backend, exchange, is_welcome);
      co_return co_await send_json(exchange, 200, std::move(text));
    }
  }
  const Error error{ErrorKind::not_found, fmt::format(msg::kNoRoute, target.path),
                    msg::kNoRouteRemedy};
  co_await send_error(exchange, error);
}

}  // namespace

net::Handler make_handler(Backend& backend, Access access) {
  // Shared: a handler is copied, and its sessions are not.
  const auto guard = std::make_shared<Guard>(Guard{std::move(access), {}});
  return [&backend, guard](net::Exchange& exchange) -> net::Awaitable<void> {
    auto target = net::parse_target(exchange.request().target);
    if (!target) co_return co_await send_error(exchange, target.error());
    if (const auto turned = turned_away(exchange, *guard, target->path)) {
      if (turned->status == 401 && target->path == "/") co_return co_await closed_page(exchange);
      co_return co_await send_json(exchange, turned->status, error_json(turned->error));
    }
    if (exchange.listener() == kLeaseListener && target->path != "/healthz") {
      co_return co_await serve_caller(backend, exchange, *target, guard->access.leases_per_client);
    }
    co_await route(backend, exchange, *guard, *target);
  };
}

}  // namespace estiva::api
