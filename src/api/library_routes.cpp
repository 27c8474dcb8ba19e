#include "api/library_routes.h"

#include <fmt/format.h>
#include <span>

#include "api/json.h"
#include "api/lease_routes.h"
#include "api/request_json.h"
#include "base/clock.h"
#include "base/messages/api.h"
#include "format/json_writer.h"

namespace estiva::api {
namespace {

using namespace std::chrono_literals;
using format::JsonWriter;

constexpr Nanoseconds kKeepAlive = 15s;
constexpr Nanoseconds kUsualDeadline = 30s;
// What the bodies may have.
constexpr std::string_view kTerms[] = {"revocable", "heartbeat_seconds"};
constexpr std::string_view kUse[] = {"busy"};
constexpr std::string_view kKept[] = {"vram", "vram_bytes"};
constexpr std::string_view kWanted[] = {"wait_seconds", "vram", "vram_bytes", "busy"};
constexpr std::string_view kWhy[] = {"reason", "deadline_seconds"};

double seconds(Nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// The body, with these members only.
net::Awaitable<Result<LibraryBody>> read_library(net::Exchange& exchange,
                                                 std::span<const std::string_view> known) {
  auto text = co_await exchange.read_body(kMaxAssignBody);
  if (!text) co_return Failure(text.error());
  co_return parse_library(*text, known);
}

std::string said(std::string_view schema, const Lease& lease) {
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .field("schema", schema)
      .field("id", lease.id)
      .field("model", lease.model)
      .field("state", to_name(lease.state))
      .end_object();
  return text;
}

net::Awaitable<void> heartbeat(Backend& backend, net::Exchange& exchange, const Lease& lease) {
  const auto body = co_await read_library(exchange, kTerms);
  if (!body) co_return co_await send_error(exchange, body.error());
  if (body->has_terms) {
    backend.library().enrol(lease, body->terms);
  } else {
    backend.library().beat(lease);
  }
  co_await send_json(exchange, 200, said("estiva/heartbeat/1", lease));
}

net::Awaitable<void> use(Backend& backend, net::Exchange& exchange, const Lease& lease) {
  const auto body = co_await read_library(exchange, kUse);
  if (!body) co_return co_await send_error(exchange, body.error());
  if (!body->busy) {
    const Error error{ErrorKind::usage, msg::kBusyUnsaid, {}};
    co_return co_await send_error(exchange, error);
  }
  const auto taken = backend.library().use(lease, *body->busy);
  if (!taken) co_return co_await send_error(exchange, taken.error());
  co_await send_json(exchange, 200, said("estiva/use/1", lease));
}

net::Awaitable<void> yielded(Backend& backend, net::Exchange& exchange, const Lease& lease) {
  const auto body = co_await read_library(exchange, kKept);
  if (!body) co_return co_await send_error(exchange, body.error());
  std::vector<Bytes> kept(lease.shares.size(), body->bytes.value_or(Bytes{}));
  const auto shrunk = co_await backend.library().yielded(lease, std::move(kept));
  if (!shrunk) co_return co_await send_error(exchange, shrunk.error());
  co_await send_json(exchange, 200, said("estiva/yielded/1", *shrunk));
}

// False: the client is gone. One that hangs up after the last byte was sent has its answer.
net::Awaitable<bool> answer_assign(Backend& backend, net::Exchange& exchange,
                                   const Result<AssignAnswer>& answer) {
  net::Response response;
  response.status = 200;
  if (!answer) {
    response.status = http_status(answer.error().kind);
    response.body = error_json(answer.error());
  } else {
    if (answer->refusal) response.status = http_status(answer->refusal->kind);
    response.body = assign_json(*answer, backend.world()->simulated);
  }
  response.body += '\n';
  response.content_type = "application/json";
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  co_return (co_await exchange.respond(std::move(response))).has_value();
}

// A program that went away while it waited has its bytes back and does not know it: they are what
// the next revocation takes, so nothing is lost.
net::Awaitable<void> resume(Backend& backend, net::Exchange& exchange, const Lease& lease) {
  const auto body = co_await read_library(exchange, kWanted);
  if (!body) co_return co_await send_error(exchange, body.error());
  AssignTerms terms;
  terms.names = decide::Names::none;
  terms.wait = body->wait;
  terms.on_gone = [&exchange](std::function<void()> gone) { exchange.on_hang_up(std::move(gone)); };
  const auto answer = co_await backend.library().resume(
      lease, body->bytes, body->busy.value_or(false), std::move(terms));
  (void)co_await answer_assign(backend, exchange, answer);
}

net::Event to_event(const LibraryEvent& event) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  if (event.kind == LibraryEvent::Kind::revoke) {
    const Nanoseconds left = std::max(event.deadline - steady_now(), Nanoseconds::zero());
    json.field("deadline_seconds", seconds(left));
  }
  if (event.kind != LibraryEvent::Kind::granted_bytes) json.field("reason", event.reason);
  if (event.kind == LibraryEvent::Kind::granted_bytes) {
    json.key("bytes").begin_array();
    for (const Bytes bytes : event.bytes) json.value(bytes);
    json.end_array();
  }
  json.end_object();
  return {std::string(to_name(event.kind)), fmt::format("{}", event.number), std::move(text)};
}

// Where the lease stands, and then each change of that; ends with the lease.
net::Awaitable<void> events(Backend& backend, net::Exchange& exchange, const Lease& lease) {
  Library& library = backend.library();
  library.beat(lease);
  if (!co_await exchange.start_events()) co_return;
  std::uint64_t seen = 0;
  while (!backend.is_ending()) {
    const auto event = library.event_after(lease.id, seen);
    if (!event) break;
    if (*event) {
      seen = (*event)->number;
      const net::Event told = to_event(**event);
      if (!co_await exchange.send_event(told)) co_return;
      continue;
    }
    const net::Wake wake = co_await exchange.wait(library.told(), kKeepAlive);
    if (wake == net::Wake::hung_up) co_return;
    if (wake == net::Wake::timed_out && !co_await exchange.write(net::kEventKeepAlive)) co_return;
  }
  (void)co_await exchange.finish();
}

}  // namespace

std::string_view to_name(LibraryEvent::Kind kind) {
  switch (kind) {
    case LibraryEvent::Kind::granted_bytes:
      return "granted_bytes";
    case LibraryEvent::Kind::revoke:
      return "revoke";
    case LibraryEvent::Kind::resume:
      return "resume";
  }
  return "?";
}

std::string_view to_name(Revoked how) {
  switch (how) {
    case Revoked::yielded:
      return "yielded";
    case Revoked::released:
      return "released";
    case Revoked::refused:
      return "refused";
  }
  return "?";
}

net::Awaitable<bool> serve_library(Backend& backend, net::Exchange& exchange, Lease lease,
                                   std::string_view action) {
  const std::string& method = exchange.request().method;
  if (method == "GET" && action == "events") {
    co_await events(backend, exchange, lease);
  } else if (method == "POST" && action == "heartbeat") {
    co_await heartbeat(backend, exchange, lease);
  } else if (method == "POST" && action == "use") {
    co_await use(backend, exchange, lease);
  } else if (method == "POST" && action == "yielded") {
    co_await yielded(backend, exchange, lease);
  } else if (method == "POST" && action == "resume") {
    co_await resume(backend, exchange, lease);
  } else {
    co_return false;
  }
  co_return true;
}

net::Awaitable<void> post_revoke(Backend& backend, net::Exchange& exchange, std::string id) {
  const auto body = co_await read_library(exchange, kWhy);
  if (!body) co_return co_await send_error(exchange, body.error());
  std::string reason = body->reason.empty() ? std::string(msg::kPersonAsks) : body->reason;
  const Revoked how = co_await backend.library().revoke(std::move(id), std::move(reason),
                                                        body->deadline.value_or(kUsualDeadline));
  std::string text;
  JsonWriter json(text);
  json.begin_object()
      .field("schema", "estiva/revoke/1")
      .field("outcome", to_name(how))
      .end_object();
  co_await send_json(exchange, how == Revoked::refused ? 409 : 200, std::move(text));
}

net::Awaitable<void> assign_and_answer(Backend& backend, net::Exchange& exchange,
                                       decide::AssignRequest request, AssignTerms terms,
                                       LibraryTerms library) {
  const bool waits = terms.wait > Nanoseconds::zero();
  if (waits) {
    terms.on_gone = [&exchange](std::function<void()> gone) {
      exchange.on_hang_up(std::move(gone));
    };
  }
  const auto answer = co_await backend.assign(std::move(request), std::move(terms));
  const bool is_new = answer && !answer->refusal && !answer->already_assigned;
  if (answer && !answer->refusal && library.any()) backend.library().enrol(answer->lease, library);
  const bool is_told = !exchange.is_hung_up() && co_await answer_assign(backend, exchange, answer);
  if (waits && is_new && !is_told) {
    (void)co_await backend.release(answer->lease.model, answer->lease.id);
  }
}

}  // namespace estiva::api
