// The gateway's requests that go to an engine: which model, its turn at the desk, the relay.
#include <algorithm>
#include <fmt/format.h>

#include "base/messages/gateway.h"
#include "gateway/gateway.h"
#include "gateway/operate.h"
#include "net/relay.h"

namespace estiva::gateway {
namespace {

// Asks for comments in the stream while the model is loaded; the value is "1".
constexpr std::string_view kWaitComments = "x-estiva-wait-comments";

}  // namespace

net::Awaitable<void> Gateway::relay_named(net::Exchange& exchange, Task& task) {
  Body body(exchange, options_.body);
  const bool wants_comments = exchange.request().headers.has(kWaitComments);
  if (auto fault = co_await body.find_model(wants_comments)) {
    if (!fault->what.empty()) co_await refuse(exchange, task.api, *fault, 0);
    co_return;
  }
  const api::Route* route = nullptr;
  if (const auto refusal = find_route(task, body.model(), route))
    co_return co_await refuse(exchange, task.api, *refusal, 0);
  task.model = route->model;
  if (!route->upstream_model.empty() && route->upstream_model != body.model())
    body.rename_model(route->upstream_model);
  co_await relay_to(exchange, task, &body);
}

net::Awaitable<void> Gateway::relay_raw(net::Exchange& exchange, Task& task,
                                        std::string_view rest) {
  const auto cut = desk_.book().cut(rest);
  if (!cut) {
    const Refusal refusal = no_such_model(task, rest.substr(0, rest.find_first_of("/?")));
    co_return co_await refuse(exchange, task.api, refusal, 0);
  }
  if (!task.key.may_use(*cut->route)) {
    const Refusal refusal = task.key.refuse_model(cut->route->model);
    co_return co_await refuse(exchange, task.api, refusal, 0);
  }
  task.model = cut->route->model;
  task.target = cut->path;
  if (!task.target.starts_with('/')) task.target.insert(0, 1, '/');
  co_await relay_to(exchange, task, nullptr);
}

// Comments keep a stream's client company while its model is loaded; only who asked for a stream
// and for comments gets them, because with the first the answer has begun.
Desk::Comment Gateway::comments_for(net::Exchange& exchange, const Task& task, const Body* body) {
  const auto wish = exchange.request().headers.find(kWaitComments);
  const bool has_events = task.api == Api::openai || task.api == Api::anthropic;
  if (!has_events || wish != "1" || body == nullptr || !body->wants_stream()) return {};
  return [this, &exchange, &task](const std::string& why) {
    return send_comment(exchange, task, why);
  };
}

net::Awaitable<bool> Gateway::send_comment(net::Exchange& exchange, const Task& task,
                                           const std::string& why) {
  if (!exchange.started()) {
    net::ResponseHead head;
    head.headers.add("Content-Type", "text/event-stream");
    head.headers.add("Cache-Control", "no-store");
    head.headers.add("x-estiva-model", task.model);
    const auto begun = co_await exchange.start(std::move(head), std::nullopt);
    if (!begun) co_return false;
  }
  std::string text = ": " + why;
  std::replace(text.begin(), text.end(), '\n', ' ');
  text.append("\n\n");
  const auto written = co_await exchange.write(text);
  co_return written.has_value();
}

net::Awaitable<void> Gateway::relay_to(net::Exchange& exchange, const Task& task, Body* body) {
  const Desk::Comment comment = comments_for(exchange, task, body);
  auto at_desk = co_await desk_.admit(exchange, task.model, 0, comment);
  if (at_desk.refusal)
    co_return co_await refuse(exchange, task.api, *at_desk.refusal, at_desk.place);
  if (!at_desk.admission) co_return;  // it hung up
  if (auto refusal = co_await relay_admitted(exchange, task, at_desk, body))
    co_await refuse(exchange, task.api, *refusal, 0);
}

// What is returned is to be answered.
net::Awaitable<std::optional<Refusal>> Gateway::relay_admitted(net::Exchange& exchange,
                                                               const Task& task,
                                                               Desk::Outcome& at_desk, Body* body) {
  Admission& admission = *at_desk.admission;
  const bool has_begun = exchange.started();  // comments were sent
  net::RelayOptions options = relay_options(task, at_desk);
  std::optional<Refusal> cut;
  net::RelaySwitch off;
  admission.on_cut([&](const Refusal& why) {
    cut = why;
    off.cut(Error{ErrorKind::refused, why.what, why.remedy});
  });
  if (cut) co_return cut;
  options.off = &off;
  options.body = body;
  options.has_begun = has_begun;
  bool is_clients = false;
  options.is_clients_fault = &is_clients;
  options.last_words = [&](const net::ResponseHead& head, std::string_view tail,
                           const Error& error) {
    return last_words(task.api, head, tail, cut ? *cut : failure_of(task, error));
  };
  const net::Endpoint endpoint = admission.opening().endpoint;
  const auto report = co_await net::relay(exchange, client_, endpoint, options);
  admission.on_cut({});
  if (!desk_.is_open(task.model)) client_.close_idle(endpoint);  // it is leaving
  if (report) task.key.add_bytes(report->request_bytes, report->response_bytes);
  if ((report && !report->broke_off) || exchange.is_hung_up()) co_return std::nullopt;
  if (!is_clients && !cut) admission.note_failure();
  if (report || exchange.started() != has_begun) co_return std::nullopt;
  if (is_clients) co_return fault_of(report.error());
  co_return cut ? *cut : failure_of(task, report.error());
}

// A word to estivad about a model, from a key that may say it: it goes to the control socket, and
// the answer comes back as it is.
net::Awaitable<void> Gateway::operate(net::Exchange& exchange, const Task& task) {
  const net::RequestHead& head = exchange.request();
  const auto order = order_of(head.method, head.target);
  std::optional<Refusal> refusal;
  const api::Route* route = nullptr;
  if (!order)
    refusal = Refusal{404, msg::kGatewayNoPath, msg::kGatewayOrders, "no-path", {}};
  else if (!order->model.empty())
    refusal = find_route(task, order->model, route);
  else if (task.key.has_models())
    refusal = task.key.refuse_model("*");
  if (refusal) co_return co_await refuse(exchange, task.api, *refusal, 0);
  net::RelayOptions options;
  options.target = order->target;
  options.answers_failures = false;
  options.leave_out = {"authorization", "x-api-key", "host", "origin"};
  const net::Endpoint control = net::Endpoint::unix_path(options_.control_socket);
  const auto report = co_await net::relay(exchange, client_, control, options);
  if (report || exchange.started() || exchange.is_hung_up()) co_return;
  const Refusal away{503, msg::kGatewayAlone, msg::kGatewayAloneRemedy, "no-estivad", 5.0};
  co_await refuse(exchange, task.api, away, 0);
}

Refusal Gateway::failure_of(const Task& task, const Error& error) {
  const bool is_slow = error.kind == ErrorKind::timed_out;
  return {is_slow ? 504 : 502,
          fmt::format(msg::kGatewayEngineFailed, task.model, error.what),
          {},
          "engine",
          {}};
}

net::RelayOptions Gateway::relay_options(const Task& task, const Desk::Outcome& at_desk) {
  const Opening& opening = at_desk.admission->opening();
  net::RelayOptions options;
  options.target = task.api == Api::raw ? opening.path_prefix + task.target : task.target;
  options.may_upgrade = task.api == Api::raw;
  options.repeats_all = true;
  options.answers_failures = false;
  options.leave_out.push_back(kWaitComments);
  if (task.api != Api::raw) options.leave_out.push_back("host");
  // Our keys are nobody else's business; where none was needed, the client's may be the engine's.
  if (task.key.is_keyed() || !opening.bearer.empty()) {
    options.leave_out.push_back("authorization");
    if (task.key.is_keyed()) options.leave_out.push_back("x-api-key");
  }
  if (!opening.bearer.empty()) options.add.add("Authorization", "Bearer " + opening.bearer);
  options.add_to_response.add("x-estiva-model", task.model);
  if (at_desk.waited > Nanoseconds(0)) {
    const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(at_desk.waited);
    options.add_to_response.add("x-estiva-queue-ms", fmt::format_int(waited.count()).c_str());
  } else {
    options.add_to_response.add("x-estiva-queue-ms", "0");
  }
  return options;
}

}  // namespace estiva::gateway
