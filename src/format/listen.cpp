#include "format/listen.h"

#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>

#include "base/messages/format.h"
#include "format/text.h"

namespace estiva::format {
namespace {

bool is_address(int family, const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  return inet_pton(family, host.c_str(), binary.data()) == 1;
}

}  // namespace

Result<ListenAddress> parse_listen(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorKind::usage,
                fmt::format(msg::kListenNotUnderstood, escape_for_terminal(text.substr(0, 64))),
                std::string(msg::kListenHow));
  };
  const auto colon = text.rfind(':');
  if (colon == text.npos || text.find('\0') != text.npos) return wrong();
  const auto port = parse_u64(text.substr(colon + 1));
  std::string host(text.substr(0, colon));
  if (!port || *port > UINT16_MAX) return wrong();
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!is_address(AF_INET6, host)) return wrong();
  } else if (!is_address(AF_INET, host)) {
    return wrong();
  }
  return ListenAddress{std::move(host), static_cast<std::uint16_t>(*port)};
}

Result<GatewayListen> parse_gateway_listen(std::string_view text) {
  constexpr std::string_view kDocker = "docker";
  constexpr std::uint16_t kUsualPort = 7701;
  if (text == kDocker) return GatewayListen{true, {"", kUsualPort}};
  if (text.starts_with("docker:")) {
    const auto port = parse_u64(text.substr(kDocker.size() + 1));
    if (port && *port <= UINT16_MAX)
      return GatewayListen{true, {"", static_cast<std::uint16_t>(*port)}};
  }
  auto address = parse_listen(text);
  if (!address) return Failure(address.error());
  return GatewayListen{false, std::move(*address)};
}

std::string to_text(const ListenAddress& address) {
  const bool is_v6 = address.host.find(':') != address.host.npos;
  return fmt::format(fmt::runtime(is_v6 ? "[{}]:{}" : "{}:{}"), address.host, address.port);
}

bool is_loopback(const ListenAddress& address) {
  if (address.host.find(':') == address.host.npos) return address.host.starts_with("127.");
  in6_addr binary{};
  return inet_pton(AF_INET6, address.host.c_str(), &binary) == 1 && IN6_IS_ADDR_LOOPBACK(&binary);
}

}  // namespace estiva::format
