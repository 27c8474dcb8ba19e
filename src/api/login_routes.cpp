#include "api/login_routes.h"

#include <fmt/format.h>

#include "api/json.h"
#include "api/lease_routes.h"
#include "base/messages/api.h"
#include "base/messages/api_pages.h"
#include "format/json_writer.h"
#include "format/text.h"
#include "host/random.h"

namespace estiva::api {
namespace {

using decide::CodeUse;
using decide::LoginBook;
using decide::LoginCode;
using decide::SessionKey;

constexpr std::string_view kCookie = "estiva_session";
constexpr std::size_t kMaxCookies = 16;  // of ours that are looked at; a browser has one a port
constexpr std::size_t kMaxForm = 4096;

std::int64_t whole_seconds(Nanoseconds span) {
  return std::chrono::ceil<std::chrono::seconds>(span).count();
}

// --- cookies -------------------------------------------------------------------------------------

std::string cookie_name(const net::RequestHead& head);

// Calls `each` with the value of every cookie of ours, until it returns true.
template <class Each>
bool any_cookie(const net::RequestHead& head, Each each) {
  const std::string name = cookie_name(head);
  std::size_t seen = 0;
  for (const net::HeaderView field : head.headers) {
    if (!net::same_token(field.name, "cookie")) continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      const std::string_view pair = format::trim(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
      if (++seen > kMaxCookies) return false;
      if (each(pair.substr(equals + 1))) return true;
    }
  }
  return false;
}

// A browser sends a host's cookies to each of its ports: the name keeps two daemons (or two
// machines behind forwarded ports) from overwriting each other's.
std::string cookie_name(const net::RequestHead& head) {
  const std::string_view host = head.headers.find("host").value_or("");
  const std::size_t colon = host.rfind(':');
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view() : host.substr(colon + 1);
  return format::parse_u64(port) ? fmt::format("{}_{}", kCookie, port) : std::string(kCookie);
}

std::string set_cookie(const net::RequestHead& head, std::string_view value, std::int64_t seconds) {
  return fmt::format("{}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}", cookie_name(head),
                     value, seconds);
}

// --- pages ---------------------------------------------------------------------------------------

// "same-origin" and not "no-referrer": with that a browser sends "Origin: null" with our own forms.
net::Awaitable<void> send_page(net::Exchange& exchange, int status, std::string_view title,
                               std::string body, net::Headers headers = {}) {
  net::Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.body = fmt::format(msg::kPage, title, body);
  response.headers = std::move(headers);
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Content-Security-Policy",
                       "default-src 'none'; form-action 'self'; base-uri 'none'; "
                       "frame-ancestors 'none'");
  response.headers.add("Referrer-Policy", "same-origin");
  response.headers.add("X-Content-Type-Options", "nosniff");
  (void)co_await exchange.respond(std::move(response));
}

net::Awaitable<void> go_to_front(net::Exchange& exchange, std::string cookie) {
  net::Response response;
  response.status = 303;
  response.headers.add("Location", "/");
  response.headers.add("Set-Cookie", cookie);
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("Referrer-Policy", "same-origin");
  (void)co_await exchange.respond(std::move(response));
}

net::Awaitable<void> refuse_origin(net::Exchange& exchange) {
  const Error error{ErrorKind::denied, msg::kOriginNeeded, msg::kOriginNeededRemedy};
  co_await send_error(exchange, error);
}

net::Awaitable<void> broken_code(net::Exchange& exchange) {
  co_await send_page(exchange, 400, msg::kLogInTitle,
                     fmt::format(msg::kCodeBroken, 2 * LoginCode().size()));
}

// The code of a query or a form; nullopt where it has none of the right form.
std::optional<LoginCode> code_of(const net::Target& target) {
  LoginCode code{};
  if (!format::from_hex(target.find("code").value_or(""), code)) return std::nullopt;
  return code;
}

std::string code_json(const std::vector<std::string>& addresses, const LoginCode& code) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("schema", "estiva/login/1").key("urls").begin_array();
  for (const std::string& address : addresses) {
    json.value(fmt::format("http://{}/login?code={}", address, format::to_hex(code)));
  }
  json.end_array().field("expires_seconds", whole_seconds(LoginBook::kCodeLife)).end_object();
  return text;
}

std::string front_links() {
  constexpr std::pair<const char*, const char*> kLinks[] = {
      {"/api/v1/status", msg::kFrontStatusLink},
      {"/api/v1/gpu", msg::kFrontGpuLink},
      {"/api/v1/leases", msg::kFrontLeasesLink},
      {"/api/v1/containers", msg::kFrontContainersLink},
      {"/api/v1/journal", msg::kFrontJournalLink},
      {"/metrics", msg::kFrontMetricsLink}};
  std::string out = msg::kFrontIntro;
  for (const auto& [path, what] : kLinks) out += fmt::format(msg::kFrontLink, path, what);
  return out + "</ul>\n";
}

}  // namespace

bool has_session(LoginBook& book, const net::RequestHead& head) {
  return any_cookie(head, [&book](std::string_view value) {
    SessionKey key{};
    return format::from_hex(value, key) && book.touch(key, steady_now());
  });
}

net::Awaitable<void> post_code(Backend& backend, LoginBook& book, net::Exchange& exchange) {
  const std::vector<std::string> addresses = backend.tcp_addresses();
  const Nanoseconds locked = book.locked_for(steady_now());
  LoginCode code{};
  Result<void> made = host::fill_random(code);
  if (addresses.empty()) {
    made = fail(ErrorKind::refused, msg::kNoTcp, msg::kNoTcpRemedy);
  } else if (locked > Nanoseconds(0)) {
    made = fail(ErrorKind::refused, msg::kLoginLocked,
                fmt::format(msg::kLoginLockedRemedy, whole_seconds(locked)));
  }
  if (!made) co_return co_await send_error(exchange, made.error());
  book.add_code(code, steady_now());
  co_await send_json(exchange, 200, code_json(addresses, code));
}

net::Awaitable<void> end_sessions(LoginBook& book, net::Exchange& exchange) {
  std::string text;
  format::JsonWriter json(text);
  json.begin_object().field("schema", "estiva/login/1");
  json.field("ended", std::uint64_t{book.end_all(steady_now())}).end_object();
  co_await send_json(exchange, 200, std::move(text));
}

net::Awaitable<void> login_page(net::Exchange& exchange, const net::Target& target) {
  const auto code = code_of(target);
  if (!code) co_return co_await broken_code(exchange);
  co_await send_page(
      exchange, 200, msg::kLogInTitle,
      fmt::format(msg::kLogInForm, format::to_hex(*code), whole_seconds(LoginBook::kCodeLife)));
}

net::Awaitable<void> log_in(LoginBook& book, net::Exchange& exchange) {
  const net::RequestHead& head = exchange.request();
  if (head.headers.has("origin") && !net::is_same_origin(head)) {
    co_return co_await refuse_origin(exchange);
  }
  auto form = co_await exchange.read_body(kMaxForm);
  if (!form) co_return co_await send_error(exchange, form.error());
  // A form's body is written as a query is.
  const auto target = net::parse_target("/login?" + *form);
  const auto code = target ? code_of(*target) : std::nullopt;
  if (!code) co_return co_await broken_code(exchange);
  SessionKey key{};
  if (auto made = host::fill_random(key); !made) {
    co_return co_await send_error(exchange, made.error());
  }
  const CodeUse use = book.use_code(*code, key, steady_now());
  if (use == CodeUse::accepted) {
    co_return co_await go_to_front(
        exchange, set_cookie(head, format::to_hex(key), whole_seconds(LoginBook::kWholeLife)));
  }
  if (use == CodeUse::wrong) {
    co_return co_await send_page(exchange, 403, msg::kLogInTitle,
                                 fmt::format(msg::kCodeWrong, whole_seconds(LoginBook::kCodeLife)));
  }
  const std::int64_t wait = whole_seconds(book.locked_for(steady_now()));
  net::Headers retry;
  retry.add("Retry-After", fmt::format("{}", wait));
  co_await send_page(exchange, 429, msg::kLogInTitle, fmt::format(msg::kCodesLocked, wait),
                     std::move(retry));
}

net::Awaitable<void> log_out(LoginBook& book, net::Exchange& exchange) {
  const net::RequestHead& head = exchange.request();
  if (has_session(book, head) && !net::is_same_origin(head)) {
    co_return co_await refuse_origin(exchange);
  }
  any_cookie(head, [&book](std::string_view value) {
    SessionKey key{};
    if (format::from_hex(value, key)) book.end(key);
    return false;
  });
  co_await go_to_front(exchange, set_cookie(head, "", 0));
}

net::Awaitable<void> front_page(Backend& backend, net::Exchange& exchange, bool is_session) {
  const WorldPtr world = backend.world();
  const Check check = gpu_status(*world);
  const std::string reason =
      check.reason.empty() ? std::string()
                           : fmt::format(msg::kFrontReason, format::escape_for_html(check.reason));
  std::string body = world->simulated ? msg::kFrontSimulated : "";
  body += fmt::format(msg::kFrontStatus, format::escape_for_html(check.state), reason);
  body += front_links();
  if (is_session) body += msg::kLogOutForm;
  co_await send_page(exchange, 200, msg::kFrontTitle, std::move(body));
}

net::Awaitable<void> closed_page(net::Exchange& exchange) {
  co_await send_page(exchange, 401, msg::kLogInTitle, msg::kNotLoggedIn);
}

}  // namespace estiva::api
