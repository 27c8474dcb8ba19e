// The gateway: one address for all models. It reads which model a request is for, waits at the desk
// until the request may go there, and relays it; each request of a connection by itself. Loop
// thread only.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/gateway_channel.h"
#include "gateway/answers.h"
#include "gateway/desk.h"
#include "gateway/keys.h"
#include "gateway/options.h"
#include "net/client.h"
#include "net/server.h"
#include "net/tls.h"

namespace estiva::gateway {

class Gateway {
 public:
  Gateway(net::Loop& loop, GatewayOptions options);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  // Binds all listeners and begins to look for estivad. Returns the addresses, in their order.
  Result<std::vector<net::Endpoint>> start();
  // Accepts no more, and lets requests end for the grace.
  net::Awaitable<void> stop();

 private:
  // One request on its way.
  struct Task {
    Api api = Api::openai;
    KeyStay key;
    std::string model;   // a Route's name
    std::string target;  // for the engine; empty: the client's
  };
  void take(const api::ToGateway& message);
  net::Awaitable<void> handle(net::Exchange& exchange);
  Result<net::Endpoint> open_listener(const ListenSpec& spec, const net::TlsFiles& files);
  Result<std::shared_ptr<net::TlsFront>> tls_of(const net::TlsFiles& files);
  void renew_certificates();
  void open_told(const api::Routes& routes);
  std::string open_one(const api::GatewayAddress& one);
  void close_told(const std::string& address);
  void set_hosts(const std::vector<std::string>& more);
  std::optional<Refusal> check_page(const net::Exchange& exchange) const;
  std::optional<Refusal> check_access(const net::Exchange& exchange, const Front& front,
                                      KeyStay& stay);
  net::Awaitable<bool> know_routes(net::Exchange& exchange);
  // What these are given by reference lives until they are done: GCC 12 destroys some arguments of
  // coroutines twice that are given by value.
  net::Awaitable<void> relay_named(net::Exchange& exchange, Task& task);
  net::Awaitable<void> relay_raw(net::Exchange& exchange, Task& task, std::string_view rest);
  net::Awaitable<void> relay_to(net::Exchange& exchange, const Task& task, Body* body);
  net::Awaitable<std::optional<Refusal>> relay_admitted(net::Exchange& exchange, const Task& task,
                                                        Desk::Outcome& at_desk, Body* body);
  static net::RelayOptions relay_options(const Task& task, const Desk::Outcome& at_desk);
  static Refusal failure_of(const Task& task, const Error& error);
  Desk::Comment comments_for(net::Exchange& exchange, const Task& task, const Body* body);
  net::Awaitable<bool> send_comment(net::Exchange& exchange, const Task& task,
                                    const std::string& why);
  net::Awaitable<void> operate(net::Exchange& exchange, const Task& task);
  net::Awaitable<void> answer_wish(net::Exchange& exchange, const Task& task, Front front);
  net::Awaitable<void> refuse(net::Exchange& exchange, Api api, const Refusal& refusal,
                              std::size_t place);
  Refusal no_such_model(const Task& task, std::string_view name) const;
  // A model that there is and the key may use; else what to answer.
  std::optional<Refusal> find_route(const Task& task, std::string_view name,
                                    const api::Route*& route) const;
  void report_keys();

  net::Loop& loop_;
  GatewayOptions options_;
  KeyRing keys_;
  Desk desk_;
  net::Client client_;
  net::Notice routes_came_;
  bool has_routes_ = false;
  // By the name of the certificate's file.
  std::map<std::string, std::shared_ptr<net::TlsFront>> tls_;
  std::shared_ptr<void> certificate_watch_;
  struct Told {
    api::GatewayAddress as;
    net::Endpoint where;
  };
  std::map<std::string, Told> told_;  // estivad's addresses on which it listens
  std::vector<std::string> hosts_;    // that a request with a key may name
  std::unique_ptr<api::GatewayLink> link_;
  std::shared_ptr<void> key_reporter_;
  std::unique_ptr<net::Server> server_;  // last: its handlers use the others
};

}  // namespace estiva::gateway
