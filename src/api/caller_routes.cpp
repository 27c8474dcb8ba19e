#include "api/caller_routes.h"

#include <fmt/format.h>

#include "api/json.h"
#include "api/lease_routes.h"
#include "api/library_routes.h"
#include "api/request_json.h"
#include "base/clock.h"
#include "base/messages/api.h"

namespace estiva::api {
namespace {

bool is_live(const Lease& lease) {
  return lease.state != LeaseState::releasing;
}

// One a lease of the World.
std::vector<bool> own_of(Callers& callers, const Caller& caller, const World& world) {
  std::vector<bool> own;
  for (const Relation relation : callers.relations(caller, world.leases)) {
    own.push_back(relation == Relation::own);
  }
  return own;
}

// A name is free to the caller, or its own; and it holds fewer leases than it may, or this one
// already.
Result<void> admit(Callers& callers, const Caller& caller, const std::string& model,
                   std::size_t most, const std::vector<Lease>& leases) {
  const std::vector<Relation> relations = callers.relations(caller, leases);
  std::size_t held = 0;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    if (!is_live(leases[i])) continue;
    if (leases[i].model == model) {
      if (relations[i] == Relation::own) return {};
      return fail(ErrorKind::denied, fmt::format(msg::kNameIsTaken, model),
                  msg::kNameIsTakenRemedy);
    }
    if (relations[i] != Relation::stranger) ++held;
  }
  if (held < most) return {};
  return fail(ErrorKind::refused, fmt::format(msg::kLeaseLimit, held), msg::kLeaseLimitRemedy);
}

bool is_own_action(std::string_view word) {
  return word == "heartbeat" || word == "use" || word == "yielded" || word == "resume" ||
         word == "events";
}

// The caller's live lease of this name or id. Errors: denied (another's), not_found.
Result<Lease> find_own(Backend& backend, const Caller& caller, const std::string& model) {
  const WorldPtr world = backend.world();
  const std::vector<Relation> relations = backend.callers().relations(caller, world->leases);
  for (std::size_t i = 0; i < world->leases.size(); ++i) {
    const Lease& lease = world->leases[i];
    if ((lease.model != model && lease.id != model) || !is_live(lease)) continue;
    if (relations[i] == Relation::own) return lease;
    return fail(ErrorKind::denied, fmt::format(msg::kNotYours, model), msg::kNotYoursRemedy);
  }
  return fail(ErrorKind::not_found, fmt::format(msg::kYouHaveNone, model), msg::kYouHaveNoneRemedy);
}

Result<decide::AssignRequest> request_of(Backend& backend, const Caller& caller, AssignBody body,
                                         SteadyTime arrived) {
  if (body.pid) return fail(ErrorKind::denied, msg::kPidNotYours, msg::kPidNotYoursRemedy);
  decide::AssignRequest request = std::move(body.request);
  request.requested_at = arrived;
  request.wall = wall_now();
  request.holder = caller.process;
  if (body.holder == HolderWanted::container) {
    auto first = backend.callers().main_process(caller);
    if (!first) return Failure(first.error());
    request.holder = *first;
  }
  return request;
}

net::Awaitable<void> post(Backend& backend, net::Exchange& exchange, const Caller& caller,
                          std::size_t most) {
  const SteadyTime arrived = steady_now();
  auto text = co_await exchange.read_body(kMaxAssignBody);
  if (!text) co_return co_await send_error(exchange, text.error());
  auto body = parse_assign(*text);
  if (!body) co_return co_await send_error(exchange, body.error());
  AssignTerms terms;
  terms.only_new = body->only_new;
  terms.names = decide::Names::none;
  terms.wait = body->wait;
  const LibraryTerms library = body->library;
  auto request = request_of(backend, caller, std::move(*body), arrived);
  if (!request) co_return co_await send_error(exchange, request.error());
  terms.admits = [&callers = backend.callers(), caller, most,
                  model = request->model](const std::vector<Lease>& leases) {
    return admit(callers, caller, model, most, leases);
  };
  co_await assign_and_answer(backend, exchange, std::move(*request), std::move(terms), library);
}

net::Awaitable<void> release(Backend& backend, net::Exchange& exchange, const Caller& caller,
                             const std::string& model, std::string_view id) {
  auto lease = find_own(backend, caller, model);
  if (lease && !id.empty() && lease->id != id) {
    lease =
        fail(ErrorKind::not_found, fmt::format(msg::kYouHaveNone, model), msg::kYouHaveNoneRemedy);
  }
  if (!lease) co_return co_await send_error(exchange, lease.error());
  // By its id: nobody else's of that name, whatever happens before.
  co_await delete_lease(backend, exchange, model, lease->id);
}

// What a program says of its lease, which it names by its id or its model.
net::Awaitable<bool> serve_own(Backend& backend, net::Exchange& exchange, const Caller& caller,
                               const std::string& named, std::string_view action) {
  auto lease = find_own(backend, caller, named);
  if (lease) co_return co_await serve_library(backend, exchange, std::move(*lease), action);
  co_await send_error(exchange, lease.error());
  co_return true;
}

// Below /api/v1/leases. False: there is no such route.
net::Awaitable<bool> serve_leases(Backend& backend, net::Exchange& exchange,
                                  const net::Target& target, const Caller& caller,
                                  std::size_t most) {
  const auto& parts = target.segments;
  const std::string& method = exchange.request().method;
  const std::string_view id = target.find("id").value_or("");
  // Names with a slash can't be a part of the path.
  const std::string named(target.find("model").value_or(""));
  if (parts.size() == 3 && (method == "GET" || method == "HEAD")) {
    const WorldPtr world = backend.world();
    const auto own = own_of(backend.callers(), caller, *world);
    co_await send_json(exchange, 200, leases_json(*world, own));
  } else if (parts.size() == 3 && method == "POST") {
    co_await post(backend, exchange, caller, most);
  } else if (parts.size() == 3 && method == "DELETE" && !named.empty()) {
    co_await release(backend, exchange, caller, named, id);
  } else if (parts.size() == 4 && method == "DELETE") {
    co_await release(backend, exchange, caller, parts[3], id);
  } else if (parts.size() == 4 && is_own_action(parts[3]) && !named.empty()) {
    co_return co_await serve_own(backend, exchange, caller, named, parts[3]);
  } else if (parts.size() == 5 && is_own_action(parts[4])) {
    co_return co_await serve_own(backend, exchange, caller, parts[3], parts[4]);
  } else {
    co_return false;
  }
  co_return true;
}

}  // namespace

net::Awaitable<void> serve_caller(Backend& backend, net::Exchange& exchange,
                                  const net::Target& target, std::size_t most) {
  const auto caller = backend.callers().recognise(exchange.peer());
  if (!caller) co_return co_await send_error(exchange, caller.error());
  const auto& parts = target.segments;
  const std::string& method = exchange.request().method;
  const bool v1 = parts.size() >= 3 && parts[0] == "api" && parts[1] == "v1";
  if (v1 && parts.size() == 3 && parts[2] == "self" && (method == "GET" || method == "HEAD")) {
    const WorldPtr world = backend.world();
    const auto own = own_of(backend.callers(), *caller, *world);
    co_return co_await send_json(exchange, 200, self_json(*world, *caller, own));
  }
  if (v1 && parts[2] == "leases" &&
      co_await serve_leases(backend, exchange, target, *caller, most)) {
    co_return;
  }
  const Error error{ErrorKind::denied, fmt::format(msg::kNotServedHere, method, target.path),
                    msg::kNotServedHereRemedy};
  co_await send_error(exchange, error);
}

}  // namespace estiva::api
