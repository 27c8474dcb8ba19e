// The way from the daemon to its gateway, as the daemon's parts see it: the channel gives it, tests
// stand in for it. Loop thread only.
#pragma once
#include "api/gateway_protocol.h"

namespace estiva::daemon {

class GatewayPort {
 public:
  virtual ~GatewayPort() = default;
  virtual bool is_connected() const = 0;
  // Nothing happens while there is no gateway: it tells everything anew when it comes.
  virtual void send(const api::ToGateway& message) = 0;
};

}  // namespace estiva::daemon
