// Who may use the gateway and from where: its keys, and its addresses beyond this machine's own
// users. What both come to is part of what the gateway is told. Loop thread only.
#pragma once
#include "daemon/gateway_listeners.h"
#include "daemon/key_keeper.h"
#include "format/settings.h"

namespace estiva::daemon {

class GatewayAccess final : public api::Keys {
 public:
  struct Parts {
    net::Loop& loop;
    store::Store& store;
    std::string key_file;
    format::GatewaySettings settings;
    std::string docker_host;
    std::function<void()> changed;  // what add_to() adds
  };
  explicit GatewayAccess(Parts parts);

  // Errors: as KeyKeeper::load().
  Result<void> load(const std::map<std::string, std::string>& notes) { return keeper_.load(notes); }
  void start() { listeners_.start(); }
  void stop() { keeper_.remember(); }
  const GatewayListeners& addresses() const { return listeners_; }
  void add_to(api::Routes& routes) const;
  void take(const api::FromGateway& message);
  void gateway_went() { listeners_.gateway_went(); }

  std::vector<api::KeyStatus> keys() const override { return keeper_.status(); }
  std::vector<api::GatewayAddressStatus> listeners() const override { return listeners_.status(); }
  net::Awaitable<Result<std::string>> create(api::KeySpec spec) override {
    return keeper_.create(std::move(spec));
  }
  net::Awaitable<Result<void>> revoke(std::string name) override {
    return keeper_.revoke(std::move(name));
  }

 private:
  std::vector<std::string> hosts_;
  KeyKeeper keeper_;
  GatewayListeners listeners_;
};

}  // namespace estiva::daemon
