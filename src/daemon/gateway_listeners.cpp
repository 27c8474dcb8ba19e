#include "daemon/gateway_listeners.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/log.h"
#include "base/messages/api_keys.h"

namespace estiva::daemon {
namespace {

// Docker may start after us, and a bridge may come and go with it.
constexpr Nanoseconds kLookEvery = std::chrono::seconds(5);

}  // namespace

std::vector<std::string> local_listen_flags(const std::vector<std::string>& listen) {
  std::vector<std::string> words;
  for (const std::string& word : listen) {
    const auto where = format::parse_gateway_listen(word);
    if (!where || where->is_docker || !format::is_loopback(where->address)) continue;
    words.emplace_back("--listen");
    words.push_back(format::to_text(where->address));
  }
  if (words.empty()) words = {"--listen", "off"};
  return words;
}

GatewayListeners::GatewayListeners(Parts parts)
    : parts_(std::move(parts)),
      docker_(parts_.loop, container::EngineSearch::of_this_process(parts_.docker_host)) {
  for (const std::string& word : parts_.listen) {
    auto where = format::parse_gateway_listen(word);
    if (where) all_.push_back({word, std::move(*where), {}});
  }
}

GatewayListeners::~GatewayListeners() = default;

void GatewayListeners::start() {
  say_what_is_missing();
  look();
}

std::string GatewayListeners::local() const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [](const One& one) { return one.is_local(); });
  return found == all_.end() ? std::string() : format::to_text(found->where.address);
}

// Until Docker has answered, a bridge on which a gateway of before listens stays open.
void GatewayListeners::add_to(api::Routes& routes) const {
  routes.listens_only = true;
  if (!parts_.has_keys()) return;
  for (const One& one : all_) {
    if (one.is_local()) continue;
    if (!one.is_known()) {
      routes.listens_only = false;
      continue;
    }
    routes.listen.push_back(
        {format::to_text(one.where.address), parts_.certificate, parts_.private_key});
  }
}

void GatewayListeners::take(const api::ListensOn& told) {
  for (One& one : all_) {
    if (one.is_local() || !one.is_known() || format::to_text(one.where.address) != told.address)
      continue;
    if (one.problem != told.problem && !told.problem.empty())
      log(LogLevel::warning, "the gateway does not listen there",
          {{"address", told.address}, {"reason", told.problem}});
    if (!one.is_open && told.problem.empty())
      log(LogLevel::notice, "containers reach the gateway",
          {{"address", told.address}, {"asked", one.asked}});
    one.problem = told.problem;
    one.is_open = told.problem.empty();
  }
}

void GatewayListeners::gateway_went() {
  for (One& one : all_) one.is_open = false;
  look();
}

void GatewayListeners::keys_changed() {
  say_what_is_missing();
  look();
}

// Once, until there is a key.
void GatewayListeners::say_what_is_missing() {
  for (One& one : all_) {
    const bool is_missing = !one.is_local() && !parts_.has_keys();
    if (is_missing && !std::exchange(one.is_said, true))
      log(LogLevel::warning, fmt::format("the gateway does not listen on {}", one.asked),
          {{"reason", msg::kNoKeyYet}, {"remedy", msg::kNoKeyYetRemedy}});
    if (!is_missing) one.is_said = false;
  }
}

bool GatewayListeners::is_complete() const {
  return std::all_of(all_.begin(), all_.end(),
                     [](const One& one) { return one.is_local() || one.is_open; });
}

void GatewayListeners::look() {
  if (!parts_.has_keys() || is_complete()) {
    // A handle must not be dropped inside its own call.
    if (timer_) parts_.loop.post([handle = std::exchange(timer_, {})] {});
    return;
  }
  if (!timer_) timer_ = parts_.loop.every(kLookEvery, [this] { look(); });
  const bool asks = std::any_of(all_.begin(), all_.end(),
                                [](const One& one) { return one.where.is_docker && !one.is_open; });
  if (!asks) return parts_.changed();
  if (!std::exchange(is_asking_, true)) parts_.loop.spawn(ask_docker(alive_));
}

// The bridge's address may have changed since it was asked for.
net::Awaitable<void> GatewayListeners::ask_docker(std::shared_ptr<bool> alive) {
  const auto bridge = co_await docker_.bridge_address();
  if (alive.use_count() == 1) co_return;
  is_asking_ = false;
  for (One& one : all_) {
    if (!one.where.is_docker || one.is_open) continue;
    if (!bridge) {
      one.problem = fmt::format(msg::kAsksDocker, bridge.error().what);
      continue;
    }
    if (one.where.address.host == *bridge) continue;
    one.where.address.host = *bridge;
    one.problem.clear();
    log(LogLevel::notice, "Docker's bridge was found",
        {{"asked", one.asked}, {"address", format::to_text(one.where.address)}});
  }
  parts_.changed();
}

std::vector<api::GatewayAddressStatus> GatewayListeners::status() const {
  std::vector<api::GatewayAddressStatus> all;
  for (const One& one : all_) {
    api::GatewayAddressStatus status{one.asked, {}, !one.is_local(), one.is_open, one.problem};
    if (one.is_known()) status.address = format::to_text(one.where.address);
    if (status.needs_key && !one.is_open && !parts_.has_keys())
      status.why = fmt::format("{}; {}", msg::kNoKeyYet, msg::kNoKeyYetRemedy);
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace estiva::daemon
