#include "api/model_routes.h"

#include <algorithm>
#include <fmt/format.h>

#include "api/json.h"
#include "api/lease_routes.h"
#include "api/model_json.h"
#include "base/messages/api_models.h"
#include "format/json_tree.h"

namespace estiva::api {
namespace {

constexpr std::size_t kMostBody = 4096;

struct Asked {
  std::string method, model, action;
};

Asked asked_of(const net::Exchange& exchange, const net::Target& target) {
  Asked asked;
  asked.method = exchange.request().method;
  // Names with a slash can't be a part of the path: /api/v1/models/load?model=NAME.
  if (const auto named = target.find("model"); named && target.segments.size() == 4) {
    asked.model = *named;
    asked.action = target.segments[3];
  } else if (target.segments.size() == 5) {
    asked.model = target.segments[3];
    asked.action = target.segments[4];
  }
  return asked;
}

net::Awaitable<void> send_result(net::Exchange& exchange, const Result<void>& result,
                                 std::string_view verb, const std::string& model) {
  if (!result) co_return co_await send_error(exchange, result.error());
  co_await send_json(exchange, 200, model_done_json(verb, model));
}

net::Awaitable<void> policy(Residents& residents, net::Exchange& exchange,
                            const std::string& model) {
  auto body = co_await exchange.read_body(kMostBody);
  if (!body) co_return co_await send_error(exchange, body.error());
  const auto tree = format::JsonTree::parse(*body);
  const auto name = tree ? tree->root()["policy"].text() : std::nullopt;
  const auto wanted = name ? parse_residency_policy(*name) : std::nullopt;
  if (!wanted) {
    const Error error{ErrorKind::usage, msg::kPolicyWanted, {}};
    co_return co_await send_error(exchange, error);
  }
  co_await send_result(exchange, residents.set_policy(model, *wanted), "policy", model);
}

net::Awaitable<void> act(Residents& residents, net::Exchange& exchange, const Asked& asked) {
  const std::string& action = asked.action;
  const std::string& model = asked.model;
  if (action == "log" && asked.method == "GET") {
    const auto lines = residents.log_of(model);
    if (!lines) co_return co_await send_error(exchange, lines.error());
    co_return co_await send_json(exchange, 200, log_json(model, *lines));
  }
  if (asked.method == "POST") {
    if (action == "load") {
      const auto done = co_await residents.load(model);
      co_return co_await send_result(exchange, done, "load", model);
    }
    if (action == "unload") {
      const auto done = co_await residents.unload(model);
      co_return co_await send_result(exchange, done, "unload", model);
    }
    if (action == "pin" || action == "unpin") {
      const auto done = residents.pin(model, action == "pin");
      co_return co_await send_result(exchange, done, action, model);
    }
    if (action == "policy") co_return co_await policy(residents, exchange, model);
  }
  const Error error{ErrorKind::not_found, fmt::format(msg::kModelAction, action),
                    msg::kModelActionRemedy};
  co_await send_error(exchange, error);
}

// {"device":..,"seconds":..}; nothing where it is not that.
struct PauseBody {
  std::string device;
  std::optional<Nanoseconds> time;
};
std::optional<PauseBody> pause_body(std::string_view text) {
  PauseBody body;
  if (text.empty()) return body;
  const auto tree = format::JsonTree::parse(text);
  if (!tree || !tree->root().is_object()) return std::nullopt;
  const format::JsonNode device = tree->root()["device"], time = tree->root()["seconds"];
  if (device && !device.is_null()) {
    if (!device.text()) return std::nullopt;
    body.device = *device.text();
  }
  if (time && !time.is_null()) {
    const auto number = time.number();
    constexpr double kLongest = 30.0 * 24 * 3600;
    if (!number || !(*number > 0 && *number <= kLongest)) return std::nullopt;
    body.time = Nanoseconds(static_cast<std::int64_t>(*number * 1e9));
  }
  return body;
}

net::Awaitable<void> pause_or_resume(Residents& residents, net::Exchange& exchange, bool pauses) {
  auto text = co_await exchange.read_body(kMostBody);
  if (!text) co_return co_await send_error(exchange, text.error());
  const auto body = pause_body(*text);
  if (!body) {
    const Error error{ErrorKind::usage, msg::kPauseWanted, {}};
    co_return co_await send_error(exchange, error);
  }
  Result<void> done;
  if (pauses) {
    done = co_await residents.pause(body->device, body->time);
  } else {
    done = residents.resume(body->device);
  }
  co_await send_result(exchange, done, pauses ? "pause" : "resume", body->device);
}

}  // namespace

bool is_model_route(const net::Target& target) {
  const auto& parts = target.segments;
  if (parts.size() < 3 || parts[0] != "api" || parts[1] != "v1") return false;
  if (parts[2] == "models") return parts.size() <= 5;
  constexpr std::string_view kWords[] = {"pause", "resume", "reload", "free-memory"};
  return parts.size() == 3 && std::ranges::find(kWords, parts[2]) != std::end(kWords);
}

net::Awaitable<void> serve_models(Residents& residents, net::Exchange& exchange,
                                  const net::Target& target, bool simulated) {
  const std::string& what = target.segments[2];
  const bool posts = exchange.request().method == "POST";
  if (what == "models" && target.segments.size() == 3 && !posts) {
    co_return co_await send_json(exchange, 200, models_json(residents, simulated));
  }
  if (what == "models") {
    const Asked asked = asked_of(exchange, target);
    co_return co_await act(residents, exchange, asked);
  }
  if (!posts) {
    const Error error{ErrorKind::usage, fmt::format(msg::kMustPost, target.path), {}};
    co_return co_await send_error(exchange, error);
  }
  const bool dry_run = target.find("dry_run").has_value();
  if (what == "free-memory") {
    const auto models = co_await residents.free_memory(dry_run);
    co_return co_await send_json(exchange, 200, free_memory_json(models, !dry_run));
  }
  if (what == "reload") {
    const auto report = residents.reload(dry_run);
    if (!report) co_return co_await send_error(exchange, report.error());
    co_return co_await send_json(exchange, 200, reload_json(*report, !dry_run));
  }
  co_await pause_or_resume(residents, exchange, what == "pause");
}

}  // namespace estiva::api
