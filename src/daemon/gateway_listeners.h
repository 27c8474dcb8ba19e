// The addresses on which the gateway is to listen, as the configuration names them: those of this
// machine's users go on its command line, the others are told to it once there is a key for them
// and, where "docker" was said, once Docker has told the address of its bridge. Loop thread only.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/gateway_protocol.h"
#include "api/keys.h"
#include "container/commands.h"
#include "format/listen.h"

namespace estiva::daemon {

// The part of the gateway's command line that names those of this machine's users:
// "--listen", "127.0.0.1:7701".
std::vector<std::string> local_listen_flags(const std::vector<std::string>& listen);

class GatewayListeners {
 public:
  struct Parts {
    net::Loop& loop;
    std::vector<std::string> listen;  // of the configuration, checked
    std::string certificate, private_key;
    std::string docker_host;
    std::function<bool()> has_keys;
    std::function<void()> changed;  // add_to() says something else
  };
  explicit GatewayListeners(Parts parts);
  ~GatewayListeners();
  GatewayListeners(const GatewayListeners&) = delete;
  GatewayListeners& operator=(const GatewayListeners&) = delete;

  // Looks for what has to be asked for, and again while anything is missing.
  void start();
  // What the gateway is to be told: where, and whether that is all.
  void add_to(api::Routes& routes) const;
  void take(const api::ListensOn& told);
  void gateway_went();
  void keys_changed();
  std::vector<api::GatewayAddressStatus> status() const;
  // Where this machine's users ask; empty: nowhere.
  std::string local() const;

 private:
  struct One {
    std::string asked;
    format::GatewayListen where;  // the host is filled in
    std::string problem;
    bool is_open = false, is_said = false;
    bool is_local() const { return !where.is_docker && format::is_loopback(where.address); }
    bool is_known() const { return !where.address.host.empty(); }
  };
  void look();
  net::Awaitable<void> ask_docker(std::shared_ptr<bool> alive);
  void say_what_is_missing();
  bool is_complete() const;

  Parts parts_;
  std::vector<One> all_;
  container::Commands docker_;
  bool is_asking_ = false;
  std::shared_ptr<void> timer_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace estiva::daemon
