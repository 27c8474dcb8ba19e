// From where a listening address can be reached: decides whether keys are enough there.
#pragma once
#include <cstdint>
#include <string>

#include "net/address.h"

namespace estiva::gateway {

enum class Reach : std::uint8_t {
  this_machine,  // loopback, or a file
  containers,    // a bridge's address: what is sent there does not leave the machine
  network,       // all else, all addresses at once (0.0.0.0) among it
};

// Looks at the machine's interfaces as they are now. An address that none has yet is `network`.
Reach reach_of(const net::Endpoint& where, const std::string& interfaces = "/sys/class/net");

}  // namespace estiva::gateway
