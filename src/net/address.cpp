#include "net/address.h"

#include <arpa/inet.h>
#include <charconv>
#include <fmt/format.h>
#include <sys/un.h>

#include "base/messages/net.h"

namespace estiva::net {
namespace {

bool is_ipv4(const std::string& host) {
  in_addr parsed{};
  return inet_pton(AF_INET, host.c_str(), &parsed) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr parsed{};
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

Failure bad(std::string_view text) {
  return fail(ErrorKind::usage, fmt::format(fmt::runtime(msg::kNetBadEndpoint), text),
              std::string(msg::kNetEndpointForms));
}

Result<Endpoint> parse_unix(std::string_view path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string_view::npos)
    return bad("unix:" + std::string(path));
  constexpr std::size_t kMax = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() > kMax)
    return fail(ErrorKind::usage, fmt::format(fmt::runtime(msg::kNetPathTooLong), path, kMax),
                std::string(msg::kNetShorterPath));
  return Endpoint::unix_path(std::string(path));
}

}  // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
  if (text.starts_with("unix:")) return parse_unix(text.substr(5));
  std::string_view rest = text;
  if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
    if (rest.ends_with('/')) rest.remove_suffix(1);
  }
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) return bad(text);
  std::string host(rest.substr(0, colon));
  const std::string_view digits = rest.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || ec != std::errc{} || end != digits.data() + digits.size()) return bad(text);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) return bad(text);
  } else if (host != "localhost" && !is_ipv4(host)) {
    return bad(text);
  }
  return Endpoint::tcp(std::move(host), port);
}

std::string to_text(const Endpoint& endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_socket) return "unix:" + endpoint.path;
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", endpoint.host, endpoint.port)
            : fmt::format("{}:{}", endpoint.host, endpoint.port);
}

bool is_loopback(const Endpoint& endpoint) {
  return endpoint.kind == Endpoint::Kind::unix_socket || endpoint.host == "localhost" ||
         endpoint.host == "::1" || (is_ipv4(endpoint.host) && endpoint.host.starts_with("127."));
}

}  // namespace estiva::net
