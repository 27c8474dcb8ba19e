#include "daemon/gateway_access.h"

#include <utility>
#include <variant>

namespace estiva::daemon {

GatewayAccess::GatewayAccess(Parts parts)
    : hosts_(std::move(parts.settings.hosts)),
      keeper_({parts.loop, parts.store, std::move(parts.key_file),
               [this, changed = parts.changed] {
                 changed();
                 listeners_.keys_changed();
               }}),
      listeners_({parts.loop, std::move(parts.settings.listen),
                  std::move(parts.settings.certificate), std::move(parts.settings.private_key),
                  std::move(parts.docker_host), [this] { return !keeper_.empty(); },
                  std::move(parts.changed)}) {}

void GatewayAccess::add_to(api::Routes& routes) const {
  routes.keys = keeper_.for_gateway();
  listeners_.add_to(routes);
  routes.hosts = hosts_;
}

void GatewayAccess::take(const api::FromGateway& message) {
  if (const auto* use = std::get_if<api::UseOfKey>(&message)) keeper_.take(*use);
  if (const auto* listens = std::get_if<api::ListensOn>(&message)) listeners_.take(*listens);
}

}  // namespace estiva::daemon
