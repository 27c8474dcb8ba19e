#include "gateway/gateway.h"

#include <array>
#include <fmt/format.h>

#include "base/log.h"
#include "base/messages/gateway.h"
#include "gateway/reach.h"
#include "net/target.h"

namespace estiva::gateway {
namespace {

using namespace std::chrono_literals;

// What Server::listen() names the listeners.
constexpr std::string_view kOpenTcp = "open";   // loopback, no key: Host and Origin are checked
constexpr std::string_view kOpenUnix = "unix";  // no key: the file's mode is the guard
constexpr std::string_view kKeyed = "keyed";

constexpr Nanoseconds kKeyReports = 1s;
// What a request waits at most for the first word of an estivad at the start of both.
constexpr Nanoseconds kRoutesWait = 10s;

const std::array<std::string, 3> kLocalHosts = {"127.0.0.1", "localhost", "[::1]"};

net::ServerLimits server_limits(const GatewayOptions& options) {
  net::ServerLimits limits;
  limits.body_bytes = std::uint64_t{1} << 40;  // what is kept of it has its own limit
  limits.header_bytes = 64 << 10;
  limits.connections = options.connections;
  return limits;
}

net::ClientLimits client_limits(const GatewayOptions& options) {
  net::ClientLimits limits;
  limits.response_time = options.response_time;
  limits.idle_time = options.idle_time;
  return limits;
}

std::string_view listener_name(const ListenSpec& spec) {
  if (spec.needs_key) return kKeyed;
  return spec.where.kind == net::Endpoint::Kind::unix_socket ? kOpenUnix : kOpenTcp;
}

}  // namespace

Gateway::Gateway(net::Loop& loop, GatewayOptions options)
    : loop_(loop),
      options_(std::move(options)),
      desk_(loop,
            [this](const api::FromGateway& message) {
              if (link_) link_->send(message);
            }),
      client_(loop, client_limits(options_)),
      routes_came_(loop) {}

Gateway::~Gateway() = default;

Result<std::vector<net::Endpoint>> Gateway::start() {
  server_ = std::make_unique<net::Server>(
      loop_, [this](net::Exchange& exchange) { return handle(exchange); }, server_limits(options_));
  std::vector<net::Endpoint> bound;
  for (const ListenSpec& spec : options_.listen) {
    if (!spec.is_behind_tls && reach_of(spec.where) == Reach::network)
      return fail(ErrorKind::refused, fmt::format(msg::kGatewayBeyond, net::to_text(spec.where)),
                  msg::kGatewayBeyondRemedy);
    auto one = server_->listen(spec.where, {.name = std::string(listener_name(spec))});
    if (!one) return Failure(one.error());
    bound.push_back(*one);
  }
  api::GatewayLink::Handlers handlers;
  handlers.hello = [this] { return desk_.hello(); };
  handlers.connected = [this] {
    keys_.restart_counts();
    desk_.connected();
  };
  handlers.said = [this](const api::ToGateway& message) { take(message); };
  handlers.lost = [this] { desk_.disconnected(); };
  link_ = std::make_unique<api::GatewayLink>(loop_, options_.socket, std::move(handlers));
  key_reporter_ = loop_.every(kKeyReports, [this] { report_keys(); });
  return bound;
}

net::Awaitable<void> Gateway::stop() {
  key_reporter_.reset();
  if (server_) co_await server_->stop(options_.grace);
  link_.reset();
}

void Gateway::report_keys() {
  for (const api::UseOfKey& use : keys_.take_changes()) link_->send(use);
}

void Gateway::take(const api::ToGateway& message) {
  // Before it is confirmed: the engine may be ended at once then.
  if (const auto* close = std::get_if<api::CloseModel>(&message))
    if (const auto* endpoint = desk_.endpoint_of(close->model)) client_.close_idle(*endpoint);
  std::visit([this](const auto& one) { desk_.take(one); }, message);
  const auto* routes = std::get_if<api::Routes>(&message);
  if (routes == nullptr) return;
  keys_.set(routes->keys);
  has_routes_ = true;
  routes_came_.notify_all();
}

// ---- one request --------------------------------------------------------------------------------

net::Awaitable<void> Gateway::handle(net::Exchange& exchange) {
  const net::RequestHead& head = exchange.request();
  const Front front = front_of(head.method, head.target, head.headers.has("anthropic-version"));
  Task task;
  task.api = front.api;
  if (auto refusal = check_access(exchange, front, task.key))
    co_return co_await refuse(exchange, front.api, *refusal, 0);
  if (front.wish != Wish::alive && !has_routes_ && !co_await know_routes(exchange)) {
    if (exchange.is_hung_up()) co_return;
    const Refusal alone{503, msg::kGatewayNoRoutes, msg::kGatewayAloneRemedy, "no-estivad", 5.0};
    co_return co_await refuse(exchange, front.api, alone, 0);
  }
  if (front.wish == Wish::relay) co_return co_await relay_named(exchange, task);
  if (front.wish == Wish::raw) co_return co_await relay_raw(exchange, task, front.rest);
  co_await answer_wish(exchange, task, front);
}

net::Awaitable<bool> Gateway::know_routes(net::Exchange& exchange) {
  const SteadyTime end = steady_now() + kRoutesWait;
  while (!has_routes_) {
    const net::Wake wake = co_await exchange.wait(routes_came_, end - steady_now());
    if (wake != net::Wake::notified) break;
  }
  co_return has_routes_;
}

// A page of another site, or one whose name was made to mean this machine, must not use the models
// through a browser; where a key is needed, the key keeps it out.
std::optional<Refusal> Gateway::check_access(const net::Exchange& exchange, const Front& front,
                                             std::string& key) {
  const net::RequestHead& head = exchange.request();
  if (exchange.listener() == kOpenTcp) {
    if (!net::host_allowed(head, kLocalHosts))
      return Refusal{403, msg::kGatewayHost, msg::kGatewayHostRemedy, "host", {}};
    if (!net::origin_allowed(head, kLocalHosts))
      return Refusal{403, msg::kGatewayOrigin, {}, "origin", {}};
  }
  if (exchange.listener() != kKeyed || front.wish == Wish::alive) return std::nullopt;
  const bool calls = front.wish == Wish::relay || front.wish == Wish::raw;
  auto checked = keys_.check(KeyRing::shown(head), calls ? Right::call : Right::list, wall_now());
  key = std::move(checked.name);
  return checked.refusal;
}

net::Awaitable<void> Gateway::answer_wish(net::Exchange& exchange, const Task& task, Front front) {
  net::Response response;
  response.content_type = "application/json";
  const auto is_open = [this](const std::string& model) { return desk_.is_open(model); };
  if (front.wish == Wish::list)
    response.body =
        task.api == Api::ollama ? ollama_tags(desk_.book()) : openai_models(desk_.book());
  else if (front.wish == Wish::running)
    response.body = ollama_running(desk_.book(), is_open);
  else if (front.wish == Wish::version)
    response.body = ollama_version();
  else if (front.wish == Wish::alive)
    response.body = fmt::format(R"({{"gateway":"estiva-gateway {}"}})", ESTIVA_VERSION);
  if (front.wish == Wish::show_one) {
    const auto name = net::percent_decode(front.rest);
    const api::Route* route = name ? desk_.book().find(*name) : nullptr;
    if (route == nullptr) {
      const Refusal refusal = no_such_model(name ? std::string_view(*name) : front.rest);
      co_return co_await refuse(exchange, task.api, refusal, 0);
    }
    response.body = openai_model(*route);
  }
  if (front.wish == Wish::not_there) {
    const Refusal refusal{404, msg::kGatewayNoPath, msg::kGatewayPaths, "no-path", {}};
    co_return co_await refuse(exchange, task.api, refusal, 0);
  }
  (void)co_await exchange.respond(std::move(response));
}

net::Awaitable<void> Gateway::refuse(net::Exchange& exchange, Api api, const Refusal& refusal,
                                     std::size_t place) {
  if (exchange.started()) {  // with comments
    net::ResponseHead head;
    head.headers.add("content-type", "text/event-stream");
    const std::string words = last_words(api, head, {}, refusal);
    if (co_await exchange.write(words)) (void)co_await exchange.finish();
    co_return;
  }
  net::Response response = refusal_response(api, refusal, place);
  (void)co_await exchange.respond(std::move(response));
}

Refusal Gateway::no_such_model(std::string_view name) const {
  const auto near = desk_.book().nearest(name);
  const std::string what = fmt::format(msg::kGatewayNoSuchModel, name);
  if (near.empty()) return {404, what, msg::kGatewayModelList, "model_not_found", {}};
  return {404, what, fmt::format(msg::kGatewayMeant, fmt::join(near, ", ")), "model_not_found", {}};
}

}  // namespace estiva::gateway
