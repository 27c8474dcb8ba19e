#include "api/lease_routes.h"

#include "api/json.h"
#include "api/library_routes.h"
#include "api/request_json.h"
#include "base/clock.h"
#include "base/messages/api.h"

namespace estiva::api {

net::Awaitable<void> send_json(net::Exchange& exchange, int status, std::string body) {
  net::Response response;
  response.status = status;
  response.content_type = "application/json";
  response.body = std::move(body);
  response.body += '\n';
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  (void)co_await exchange.respond(std::move(response));
}

net::Awaitable<void> send_error(net::Exchange& exchange, const Error& error) {
  co_await send_json(exchange, http_status(error.kind), error_json(error));
}

namespace {

// The request as decide/ wants it; the holder is looked up while the process is still there.
Result<decide::AssignRequest> complete(Backend& backend, AssignBody body, SteadyTime arrived) {
  decide::AssignRequest request = std::move(body.request);
  request.requested_at = arrived;
  request.wall = wall_now();
  if (body.pid) {
    auto holder = backend.identify(*body.pid);
    if (!holder) return Failure(holder.error());
    request.holder = *holder;
  }
  return request;
}

}  // namespace

net::Awaitable<void> post_lease(Backend& backend, net::Exchange& exchange) {
  const SteadyTime arrived = steady_now();
  auto text = co_await exchange.read_body(kMaxAssignBody);
  if (!text) {
    co_await send_error(exchange, text.error());
    co_return;
  }
  auto body = parse_assign(*text);
  if (!body) {
    co_await send_error(exchange, body.error());
    co_return;
  }
  AssignTerms terms;
  terms.only_new = body->only_new;
  terms.wait = body->wait;
  if (body->library.any()) {
    const Error error{ErrorKind::usage, msg::kLeaseOnly, msg::kLeaseOnlyRemedy};
    co_return co_await send_error(exchange, error);
  }
  if (body->holder != HolderWanted::unsaid) {
    const Error error{ErrorKind::usage, msg::kHolderOnlyThere, msg::kHolderOnlyThereRemedy};
    co_return co_await send_error(exchange, error);
  }
  auto request = complete(backend, std::move(*body), arrived);
  if (!request) {
    co_await send_error(exchange, request.error());
    co_return;
  }
  const LibraryTerms none;
  co_await assign_and_answer(backend, exchange, std::move(*request), std::move(terms), none);
}

net::Awaitable<void> delete_lease(Backend& backend, net::Exchange& exchange, std::string model,
                                  std::string id) {
  auto released = co_await backend.release(std::move(model), std::move(id));
  if (!released) {
    co_await send_error(exchange, released.error());
    co_return;
  }
  co_await send_json(exchange, 200, release_json(*released, backend.world()->simulated));
}

}  // namespace estiva::api
