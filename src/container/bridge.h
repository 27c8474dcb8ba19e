// The engine's usual bridge: the address by which its containers reach this machine. Pure.
#pragma once
#include <string>
#include <string_view>

#include "base/error.h"

namespace estiva::container {

// Of an answer to GET /networks/NAME: the first IPv4 gateway of its address plan. Errors: failed,
// where the network has none.
Result<std::string> parse_bridge(std::string_view json);

}  // namespace estiva::container
