// The two ends of the socket between estivad and estiva-gateway (gateway_protocol.h): packets out
// of a bounded queue, packets in as messages. estivad listens and has one gateway; the gateway
// connects, and connects again after each loss. Loop thread only; nothing blocks.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "api/gateway_protocol.h"
#include "base/error.h"
#include "net/loop.h"

namespace estiva::api {

inline constexpr std::string_view kGatewaySocket = "gateway.sock";  // beside the control socket

// What waits because the other end does not read; beyond it the connection is ended.
inline constexpr std::size_t kMostQueuedPackets = 16'384;
inline constexpr std::size_t kMostQueuedBytes = std::size_t{16} << 20;

// estivad's end. A second gateway that connects replaces the first, which is then lost: the newer
// is the one that a service manager or a person has just started.
class GatewayListener {
 public:
  struct Handlers {
    // The first message of each connection is a Hello. May call send(), not destroy the listener.
    std::function<void(const FromGateway&)> said;
    std::function<void()> lost;  // after a Hello; until the next Hello nobody is there
  };
  // Makes the socket file (0600; one left by a program that died is replaced). Only root and this
  // process's own user may connect.
  static Result<std::unique_ptr<GatewayListener>> open(net::Loop& loop, std::string path,
                                                       Handlers handlers);
  ~GatewayListener();  // the connection ends; `lost` is not called

  // False: no gateway is there (it will say Hello). Packets keep their order.
  bool send(const ToGateway& message);
  bool is_connected() const;  // a gateway has said Hello

 private:
  struct Impl;
  explicit GatewayListener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The gateway's end.
class GatewayLink {
 public:
  struct Handlers {
    std::function<Hello()> hello;  // asked for at each connect, and sent first
    std::function<void()> connected;
    std::function<void(const ToGateway&)> said;
    std::function<void()> lost;
  };
  // Connects in the next turn of the loop, and again every kReconnect after a loss, for ever.
  GatewayLink(net::Loop& loop, std::string path, Handlers handlers);
  ~GatewayLink();

  // Dropped while there is no connection: Hello tells the state after the next one.
  void send(const FromGateway& message);
  bool is_connected() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};
inline constexpr std::chrono::milliseconds kReconnect{50};

}  // namespace estiva::api
