#include "gateway/options.h"

#include <fmt/format.h>

#include "api/gateway_channel.h"
#include "api/places.h"
#include "base/messages/gateway.h"
#include "format/size.h"
#include "format/text.h"

namespace estiva::gateway {
namespace {

constexpr std::string_view kUsual = "127.0.0.1:7701";

Failure usage(std::string what) {
  return fail(ErrorKind::usage, std::move(what), msg::kGatewaySeeHelp);
}

// `with`: what of it is asked for; an address beyond loopback needs a key in any case.
Result<void> add_listener(GatewayOptions& options, const std::string& text, ListenSpec with) {
  auto where = net::parse_endpoint(text);
  if (!where) return Failure(where.error());
  with.where = std::move(*where);
  with.needs_key = with.needs_key || !net::is_loopback(with.where);
  options.listen.push_back(std::move(with));
  return {};
}

Result<void> set_time(std::chrono::milliseconds& to, const std::string& flag,
                      const std::string& value) {
  const auto time = format::parse_duration(value);
  if (!time) return Failure(time.error().in(flag));
  to = std::chrono::duration_cast<std::chrono::milliseconds>(*time);
  return {};
}

struct Given {
  GatewayOptions options;
  api::PlaceFlags places;
  bool is_told = false;  // estivad says where to listen, and nobody else
};

Result<void> take(Given& given, const std::string& flag, const std::string& value) {
  GatewayOptions& options = given.options;
  if (flag == "--listen" && value == "off") {
    given.is_told = true;
    return {};
  }
  if (flag == "--listen") return add_listener(options, value, {});
  if (flag == "--listen-with-key") return add_listener(options, value, {{}, true});
  if (flag == "--listen-behind-tls") return add_listener(options, value, {{}, true, true});
  if (flag == "--listen-tls") return add_listener(options, value, {{}, true, false, true});
  if (flag == "--response-time") return set_time(options.response_time, flag, value);
  if (flag == "--idle-time") return set_time(options.idle_time, flag, value);
  if (flag == "--upload-grace") return set_time(options.body.upload_grace, flag, value);
  if (flag == "--grace") return set_time(options.grace, flag, value);
  if (flag == "--body-limit") {
    const auto size = format::parse_size(value);
    if (!size) return Failure(size.error().in(flag));
    options.body.kept = size->value;
    return {};
  }
  if (flag == "--certificate")
    options.tls.certificate = value;
  else if (flag == "--private-key")
    options.tls.private_key = value;
  else if (flag == "--host")
    options.hosts.push_back(value);
  else if (flag == "--body-folder")
    options.body.folder = value;
  else if (flag == "--socket")
    options.socket = value;
  else if (flag == "--runtime-dir")
    given.places.runtime_dir = value;
  else
    return usage(fmt::format(msg::kGatewayUnknownFlag, format::escape_for_terminal(flag)));
  return {};
}

}  // namespace

Result<ParsedOptions> parse_options(std::span<char*> arguments) {
  Given given;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string word = arguments[i];
    if (word == "--help") return ParsedOptions{std::nullopt, msg::kGatewayHelp};
    if (word == "--version")
      return ParsedOptions{std::nullopt, "estiva-gateway " ESTIVA_VERSION "\n"};
    std::string value;
    if (const std::size_t equal = word.find('='); equal != std::string::npos) {
      value = word.substr(equal + 1);
      word.resize(equal);
    } else if (i + 1 < arguments.size()) {
      value = arguments[++i];
    }
    if (value.empty()) return usage(fmt::format(msg::kGatewayFlagNeedsValue, word));
    if (auto taken = take(given, word, value); !taken) return Failure(taken.error());
  }
  GatewayOptions& options = given.options;
  if (options.listen.empty() && !given.is_told)
    if (auto added = add_listener(options, std::string(kUsual), {}); !added)
      return Failure(added.error());
  if (options.tls.certificate.empty() != options.tls.private_key.empty())
    return usage(msg::kGatewayTlsBoth);
  if (options.socket.empty())
    options.socket =
        api::resolve_places(given.places).control_dir + "/" + std::string(api::kGatewaySocket);
  options.control_socket = options.socket.substr(0, options.socket.rfind('/') + 1) + "api.sock";
  return ParsedOptions{std::move(options), {}};
}

}  // namespace estiva::gateway
