// What estivad and estiva-gateway say to each other, on a SEQPACKET socket (gateway.sock beside the
// control socket), one JSON document a packet. The gateway admits requests to open models by
// itself, without asking, and goes on with that while there is no estivad: so a request to a
// resident model costs no message, and estivad may be restarted under streams.
//
// Order matters and the socket keeps it. `generation` tells one opening of a model from the next;
// what belongs to an older one is ignored. Version 1; another version is refused with a sentence.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace estiva::api {

inline constexpr int kGatewayProtocol = 1;
inline constexpr std::size_t kMostPacket = 256 * 1024;  // bytes; a larger one ends the connection

// How requests for a model reach its engine.
struct Route {
  std::string model;
  std::vector<std::string> aliases;
  std::string engine;          // ModelEngine's name
  std::string upstream_model;  // what the engine calls it; written into the body where it differs
  unsigned parallel = 0;       // requests at a time; 0: any number
  unsigned queue_limit = 1024;
  std::uint64_t drain_ns = 0;
  friend bool operator==(const Route&, const Route&) = default;
};

struct GatewayKey {
  std::string name;
  std::string sha256;                // of the key, in hex
  std::string role;                  // view, use, operate
  std::uint64_t requests_a_day = 0;  // 0: no quota
  unsigned at_once = 0;              // requests at a time; 0: any number
  std::vector<std::string> models;   // names or aliases; empty: all
  // What counted already: of which day (since 1970, UTC), and how many. For a gateway that is new.
  std::int64_t day = 0;
  std::uint64_t today = 0;
  friend bool operator==(const GatewayKey&, const GatewayKey&) = default;
};

// An address beyond loopback on which the gateway is to listen, with keys.
struct GatewayAddress {
  std::string address;                   // "172.17.0.1:7701"
  std::string certificate, private_key;  // files in PEM: TLS; empty: without
  friend bool operator==(const GatewayAddress&, const GatewayAddress&) = default;
};

// ---- estivad -> gateway ----
struct Routes {  // all of them; replaces what was known
  std::vector<Route> routes;
  std::vector<GatewayKey> keys;
  std::vector<GatewayAddress> listen;
  bool listens_only = false;       // on no other that it was told of before: `listen` is complete
  std::vector<std::string> hosts;  // more names that a Host of such an address may say
};
struct OpenModel {
  std::string model;
  std::uint64_t generation = 0;
  std::string endpoint;  // as net::parse_endpoint reads it
  std::string path_prefix;
  std::string bearer;  // sent upstream; empty: none
};
struct CloseModel {
  std::string model;
  std::uint64_t generation = 0;
  std::string why;  // a sentence, for those who wait
};
struct CutModel {  // requests under way of this generation are ended with the sentence
  std::string model;
  std::uint64_t generation = 0;
  std::string why;
};
struct RefuseTicket {
  std::uint64_t ticket = 0;
  int status = 503;
  std::string why, remedy;
  std::optional<double> retry_after_seconds;
};
struct QueuePlace {  // for headers and for comments in event streams
  std::uint64_t ticket = 0;
  std::size_t place = 0;
  double expected_seconds = 0, bound_seconds = 0;
  std::string why;
};

// ---- gateway -> estivad ----
struct Hello {  // first, after each connect
  int protocol = kGatewayProtocol;
  int pid = 0;
  struct Model {
    std::string model;
    std::uint64_t generation = 0;
    std::uint32_t in_flight = 0;
  };
  std::vector<Model> open;  // what it admits to at the moment
};
// A request that can't be admitted now. After a new Hello all that still wait are sent again.
struct WantModel {
  std::uint64_t ticket = 0;
  std::string model;
  int priority = 0;
  std::uint64_t waited_ns = 0;
};
struct LeaveQueue {
  std::uint64_t ticket = 0;
};
struct UseOfModel {  // at a change, at most every 20 ms a model; at once where it becomes 0 and is
                     // closed
  std::string model;
  std::uint64_t generation = 0;
  std::uint32_t in_flight = 0;
  std::uint64_t began = 0;   // since Hello
  std::uint64_t failed = 0;  // of them, those that the engine did not answer to the end
};
struct ClosedModel {  // answers CloseModel
  std::string model;
  std::uint64_t generation = 0;
  std::uint32_t in_flight = 0;
};
struct UseOfKey {  // at most once a second a key; what has not been told before
  std::string key;
  std::uint64_t requests = 0, refused = 0;  // admitted; turned away for want of right or quota
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::int64_t day = 0;     // as in GatewayKey
  std::uint64_t today = 0;  // admitted on that day, all of them
};
struct ListensOn {  // answers Routes::listen, one for each address
  std::string address;
  std::string problem;  // why it does not; empty: it does
};

using ToGateway = std::variant<Routes, OpenModel, CloseModel, CutModel, RefuseTicket, QueuePlace>;
using FromGateway =
    std::variant<Hello, WantModel, LeaveQueue, UseOfModel, ClosedModel, UseOfKey, ListensOn>;

std::string to_packet(const ToGateway& message);
std::string to_packet(const FromGateway& message);
// Errors: failed, naming what is wrong; the connection is to be ended.
Result<ToGateway> read_to_gateway(std::string_view packet);
Result<FromGateway> read_from_gateway(std::string_view packet);

}  // namespace estiva::api
