#include "engines/answers.h"

#include <fmt/format.h>

#include "base/messages/engines_container.h"
#include "format/text.h"

namespace estiva::engines {

Result<Url> parse_url(std::string_view text) {
  constexpr std::string_view kHttp = "http://";
  const auto refuse = [&] {
    return fail(ErrorKind::usage, fmt::format(msg::kEngineUrl, format::escape_for_terminal(text)),
                std::string(msg::kEngineUrlRemedy));
  };
  std::string_view rest = text;
  Url url;
  if (!rest.starts_with("unix:")) {
    if (rest.starts_with(kHttp)) rest.remove_prefix(kHttp.size());
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    url.path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  std::string place(rest);
  const bool has_port = place.rfind(':') != place.npos && !place.ends_with(']');
  if (!has_port) place += ":80";
  auto endpoint = net::parse_endpoint(place);
  if (!endpoint || (endpoint->kind == net::Endpoint::Kind::tcp && endpoint->port == 0))
    return refuse();
  url.endpoint = std::move(*endpoint);
  if (url.path == "/") url.path.clear();
  return url;
}

std::string with_port(std::string text, std::uint16_t port) {
  constexpr std::string_view kPort = "${PORT}";
  const std::string number = std::to_string(port);
  for (std::size_t at = 0; (at = text.find(kPort, at)) != text.npos; at += number.size())
    text.replace(at, kPort.size(), number);
  return text;
}

net::ClientLimits patience_of_a_probe() {
  net::ClientLimits limits;
  limits.connect_time = std::chrono::seconds(2);
  limits.response_time = limits.idle_time = std::chrono::seconds(5);
  limits.body_bytes = 1 << 20;
  return limits;
}

net::Awaitable<bool> answers(net::Client& client, Url url, bool any_status) {
  net::ClientRequest request;
  request.target = url.path.empty() ? "/" : url.path;
  auto call = co_await client.open(url.endpoint, std::move(request));
  if (!call) co_return false;
  auto head = co_await (*call)->response();
  if (!head) co_return false;
  const int status = (*head)->status;
  (void)co_await (*call)->read_body(1 << 20);  // so that the connection is used again
  co_return any_status || (status >= 200 && status < 300);
}

}  // namespace estiva::engines
