#include "gateway/gateway.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/messages/gateway.h"
#include "net/target.h"

namespace estiva::gateway {
namespace {

using namespace std::chrono_literals;

constexpr Nanoseconds kKeyReports = 1s;
// What a request waits at most for the first word of an estivad at the start of both.
constexpr Nanoseconds kRoutesWait = 10s;

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
  set_hosts({});
  std::vector<net::Endpoint> bound;
  for (const ListenSpec& spec : options_.listen) {
    auto one = open_listener(spec, options_.tls);
    if (!one) return Failure(one.error());
    bound.push_back(*one);
  }
  api::GatewayLink::Handlers handlers;
  handlers.hello = [this] { return desk_.hello(); };
  handlers.connected = [this] { desk_.connected(); };
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

// What is used while estivad is away is told when it is back.
void Gateway::report_keys() {
  if (!link_->is_connected()) return;
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
  set_hosts(routes->hosts);
  open_told(*routes);
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
  if (front.wish == Wish::operate && task.key.is_keyed())
    co_return co_await operate(exchange, task);
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

net::Awaitable<void> Gateway::answer_wish(net::Exchange& exchange, const Task& task, Front front) {
  net::Response response;
  response.content_type = "application/json";
  const auto is_shown = [&task](const api::Route& route) { return task.key.may_use(route); };
  const auto is_open = [this, &task](const api::Route& route) {
    return task.key.may_use(route) && desk_.is_open(route.model);
  };
  std::optional<Refusal> refusal;
  if (front.wish == Wish::list) {
    response.body = task.api == Api::ollama ? ollama_tags(desk_.book(), is_shown)
                                            : openai_models(desk_.book(), is_shown);
  } else if (front.wish == Wish::running) {
    response.body = ollama_tags(desk_.book(), is_open);
  } else if (front.wish == Wish::version) {
    response.body = ollama_version();
  } else if (front.wish == Wish::alive) {
    response.body = fmt::format(R"({{"gateway":"estiva-gateway {}"}})", ESTIVA_VERSION);
  } else if (front.wish == Wish::show_one) {
    const auto name = net::percent_decode(front.rest);
    const api::Route* route = nullptr;
    refusal = find_route(task, name ? std::string_view(*name) : front.rest, route);
    if (!refusal) response.body = openai_model(*route);
  } else {  // estivad's own API, too, where no key allows it
    refusal = Refusal{404, msg::kGatewayNoPath, msg::kGatewayPaths, "no-path", {}};
  }
  if (refusal) co_return co_await refuse(exchange, task.api, *refusal, 0);
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

// Names that the key may not use are not offered.
Refusal Gateway::no_such_model(const Task& task, std::string_view name) const {
  auto near = desk_.book().nearest(name);
  std::erase_if(near, [&](const std::string& one) {
    const api::Route* route = desk_.book().find(one);
    return route == nullptr || !task.key.may_use(*route);
  });
  const std::string what = fmt::format(msg::kGatewayNoSuchModel, name);
  if (near.empty()) return {404, what, msg::kGatewayModelList, "model_not_found", {}};
  return {404, what, fmt::format(msg::kGatewayMeant, fmt::join(near, ", ")), "model_not_found", {}};
}

std::optional<Refusal> Gateway::find_route(const Task& task, std::string_view name,
                                           const api::Route*& route) const {
  route = desk_.book().find(name);
  if (route == nullptr) return no_such_model(task, name);
  if (!task.key.may_use(*route)) return task.key.refuse_model(route->model);
  return std::nullopt;
}

}  // namespace estiva::gateway
