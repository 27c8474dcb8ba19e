// The gateway's listeners: those of its command line, those that estivad tells it of, and who is
// let in on which.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <fmt/format.h>
#include <set>

#include "base/log.h"
#include "base/messages/gateway.h"
#include "gateway/gateway.h"
#include "gateway/reach.h"
#include "net/target.h"

namespace estiva::gateway {
namespace {

// What Server::listen() names the listeners.
constexpr std::string_view kOpenTcp = "open";   // loopback, no key: Host and Origin are checked
constexpr std::string_view kOpenUnix = "unix";  // no key: the file's mode is the guard
constexpr std::string_view kKeyed = "keyed";    // Host and Origin are checked there too

// A certificate that was renewed is in use so soon.
constexpr Nanoseconds kCertificateLook = std::chrono::seconds(5);

const std::array<std::string, 3> kLocalHosts = {"127.0.0.1", "localhost", "[::1]"};
// What containers call this machine: our own alias, Docker's name, Podman's.
constexpr std::array<const char*, 3> kContainersNames = {"estiva", "host.docker.internal",
                                                         "host.containers.internal"};

std::string_view listener_name(const ListenSpec& spec) {
  if (spec.needs_key) return kKeyed;
  return spec.where.kind == net::Endpoint::Kind::unix_socket ? kOpenUnix : kOpenTcp;
}

// A page elsewhere can make a name of its own mean this machine, but not an address.
bool names_an_address(const net::RequestHead& head) {
  std::string host(head.headers.find("host").value_or(""));
  std::array<unsigned char, sizeof(in6_addr)> binary{};
  if (host.starts_with('[')) {
    host = host.substr(1, host.find(']') - 1);
    return inet_pton(AF_INET6, host.c_str(), binary.data()) == 1;
  }
  host.resize(std::min(host.find(':'), host.size()));
  return inet_pton(AF_INET, host.c_str(), binary.data()) == 1;
}

}  // namespace

// TLS where the address is reached from beyond this machine, or where it is asked for.
Result<net::Endpoint> Gateway::open_listener(const ListenSpec& spec, const net::TlsFiles& files) {
  net::ListenOptions options{.name = std::string(listener_name(spec))};
  const bool is_beyond = !spec.is_behind_tls && reach_of(spec.where) == Reach::network;
  if (is_beyond && files.certificate.empty())
    return fail(ErrorKind::refused, fmt::format(msg::kGatewayBeyond, net::to_text(spec.where)),
                msg::kGatewayBeyondRemedy);
  if (is_beyond || spec.has_tls) {
    const auto front = tls_of(files);
    if (!front) return Failure(front.error());
    options.wrap = [front = *front](UniqueFd fd) { return front->wrap(std::move(fd)); };
  }
  return server_->listen(spec.where, std::move(options));
}

Result<std::shared_ptr<net::TlsFront>> Gateway::tls_of(const net::TlsFiles& files) {
  if (const auto known = tls_.find(files.certificate); known != tls_.end()) return known->second;
  if (files.certificate.empty()) return fail(ErrorKind::usage, msg::kGatewayTlsBoth);
  auto front = net::TlsFront::open(loop_, files);
  if (!front) return front;
  tls_[files.certificate] = *front;
  if (!certificate_watch_)
    certificate_watch_ = loop_.every(kCertificateLook, [this] { renew_certificates(); });
  return front;
}

void Gateway::renew_certificates() {
  for (const auto& [file, front] : tls_) {
    const auto renewed = front->reload_if_changed();
    if (renewed && *renewed)
      log(LogLevel::notice, "the certificate was read anew", {{"file", file}});
    if (!renewed)
      log(LogLevel::error, "the new certificate can't be used; the old one goes on",
          {{"error", renewed.error().sentence()}});
  }
}

// Nothing is done twice: an address on which it listens is only answered for.
void Gateway::open_told(const api::Routes& routes) {
  std::set<std::string> known;
  for (const api::GatewayAddress& one : routes.listen) {
    known.insert(one.address);
    const auto told = told_.find(one.address);
    if (told != told_.end() && !(told->second.as == one)) close_told(one.address);
    const std::string problem = told_.contains(one.address) ? std::string() : open_one(one);
    link_->send(api::ListensOn{one.address, problem});
  }
  std::vector<std::string> others;
  for (const auto& [address, told] : told_) {
    if (!known.contains(address)) others.push_back(address);
  }
  if (!routes.listens_only) return;
  for (const std::string& address : others) close_told(address);
}

// Why not; empty: it listens.
std::string Gateway::open_one(const api::GatewayAddress& one) {
  const auto where = net::parse_endpoint(one.address);
  if (!where) return where.error().sentence();
  const auto bound = open_listener({*where, true}, {one.certificate, one.private_key});
  if (!bound) return bound.error().sentence();
  told_[one.address] = {one, *bound};
  log(LogLevel::info, "the gateway listens", {{"address", net::to_text(*bound)}});
  return {};
}

void Gateway::close_told(const std::string& address) {
  server_->stop_listening(told_.at(address).where);
  told_.erase(address);
  log(LogLevel::info, "the gateway listens there no more", {{"address", address}});
}

void Gateway::set_hosts(const std::vector<std::string>& more) {
  hosts_.assign(kLocalHosts.begin(), kLocalHosts.end());
  hosts_.insert(hosts_.end(), kContainersNames.begin(), kContainersNames.end());
  hosts_.insert(hosts_.end(), options_.hosts.begin(), options_.hosts.end());
  hosts_.insert(hosts_.end(), more.begin(), more.end());
}

// A page of another site, or one whose name was made to mean this machine, must not use the models
// through a browser, with a key or without.
std::optional<Refusal> Gateway::check_page(const net::Exchange& exchange) const {
  const net::RequestHead& head = exchange.request();
  if (exchange.listener() == kKeyed) {
    if (!net::host_allowed(head, hosts_) && !names_an_address(head))
      return Refusal{403, msg::kGatewayHost, msg::kGatewayKeyedHostRemedy, "host", {}};
    if (!net::origin_allowed(head, hosts_))
      return Refusal{403, msg::kGatewayOrigin, msg::kGatewayOriginRemedy, "origin", {}};
  } else if (exchange.listener() == kOpenTcp) {
    if (!net::host_allowed(head, kLocalHosts))
      return Refusal{403, msg::kGatewayHost, msg::kGatewayHostRemedy, "host", {}};
    if (!net::origin_allowed(head, kLocalHosts))
      return Refusal{403, msg::kGatewayOrigin, {}, "origin", {}};
  }
  return std::nullopt;
}

std::optional<Refusal> Gateway::check_access(const net::Exchange& exchange, const Front& front,
                                             KeyStay& stay) {
  if (auto refusal = check_page(exchange)) return refusal;
  if (exchange.listener() != kKeyed || front.wish == Wish::alive) return std::nullopt;
  Right right = Right::list;
  if (front.wish == Wish::relay || front.wish == Wish::raw) right = Right::call;
  if (front.wish == Wish::operate) right = Right::operate;
  auto checked = keys_.check(KeyRing::shown(exchange.request()), right, wall_now());
  stay = std::move(checked.stay);
  return checked.refusal;
}

}  // namespace estiva::gateway
